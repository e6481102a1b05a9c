"""The targets of `rainbow impact`: a raw file, a song, a segment, a color or a module."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from rainbow_assets import taxonomy
from rainbow_assets.corpus.base_manifest import BASE_MANIFEST
from rainbow_assets.corpus.changes import recorded_files
from rainbow_assets.errors import UsageError
from rainbow_assets.ingest.names import closest
from rainbow_assets.lineage.codeversion import PACKAGE
from rainbow_assets.lineage.impact import Change, keys_of_parts
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore

_SEGMENT = re.compile(r"^(?P<song>.+)_t(?P<track>\d+)_(?P<start>\d{7,})$")
TEXT_FIELDS = tuple(name for name in BASE_MANIFEST.fields if "corpus.text" in BASE_MANIFEST.reached_by(name))


class UnknownTarget(UsageError):
    """A name of nothing that has been built."""


def resolve(name: str, store: ShardStore, steps: Mapping[str, RowAsset]) -> list[Change]:
    """Return the changes that ``name`` means; raise ``UnknownTarget`` with the names that are allowed."""
    found = (_color(name, store) or _segment(name, store) or _song(name, store) or _module(name, store, steps)
             or _file(name, store))
    if not found:
        raise UnknownTarget(f"{name!r} is not a color, song, segment, module or raw file that has been built; name a "
                            "color (Green), a song (05_03), a segment id, a file of a song folder, or a module's path")
    return found


def color_of_song(song: str, store: ShardStore) -> str | None:
    """Return the color whose shard contains ``song``, or None."""
    for color in taxonomy.COLOR_NAMES:
        index = store.shard(BASE_MANIFEST.name, color).index()
        if index and any(part.group == song for part in index.parts):
            return color
    return None


def song_of_segment(name: str) -> str | None:
    """Return the song of a segment id, or None if ``name`` is not one."""
    match = _SEGMENT.match(name)
    return match["song"] if match else None


def _color(name: str, store: ShardStore) -> list[Change]:
    try:
        color = taxonomy.by_name(name).name
    except taxonomy.UnknownColor:
        return []
    frame = ledger_frame(store.shard(BASE_MANIFEST.name, color), ["key"])
    return [] if frame is None else [Change(BASE_MANIFEST.name, color, frozenset(frame["key"]), opens=True)]


def _segment(name: str, store: ShardStore) -> list[Change]:
    song = song_of_segment(name)
    color = color_of_song(song, store) if song else None
    frame = ledger_frame(store.shard("segments", color), ["key"]) if color else None
    if frame is None or name not in set(frame["key"]):
        return []
    return [Change("segments", str(color), frozenset([name]))]


def _song(name: str, store: ShardStore) -> list[Change]:
    color = color_of_song(name, store)
    if color is None:
        return []
    keys = keys_of_parts(store.shard(BASE_MANIFEST.name, color), {name})
    return [Change(BASE_MANIFEST.name, color, frozenset(keys), opens=True)]


def _module(name: str, store: ShardStore, steps: Mapping[str, RowAsset]) -> list[Change]:
    path = Path(name)
    if path.suffix != ".py" or PACKAGE not in path.parts:
        return []
    parts = path.with_suffix("").parts
    module = ".".join(parts[len(parts) - 1 - parts[::-1].index(PACKAGE):])
    found = []
    for step in steps.values():
        if module in step.code.modules:
            for partition in step.partitions:
                frame = ledger_frame(store.shard(step.name, partition), ["key"])
                if frame is not None:
                    own = step.candidates is not None
                    found.append(Change(step.name, partition, frozenset(frame["key"]), opens=own))
    return found


def _file(name: str, store: ShardStore) -> list[Change]:
    parts = Path(name).parts
    for start in range(len(parts) - 1):
        song, file = parts[start], "/".join(parts[start + 1:])
        color = color_of_song(song, store)
        if color is None:
            continue
        shard = store.shard(BASE_MANIFEST.name, color)
        known = recorded_files(shard).get(song, {})
        file = closest(file, known)
        if file not in known:
            raise UnknownTarget(f"the song {song} had no file {file} when it was built; name a file of its folder")
        return [_file_target(shard, color, song, file)]
    return []


def _file_target(shard: Shard, color: str, song: str, file: str) -> Change:
    part = next(part for part in shard.require_index().parts if part.group == song)
    rows = pl.DataFrame(pl.from_arrow(shard.read_part(part, ["stem_id", "audio_file", "midi_file", "midi_group_file",
                                                            "main_audio_file"])))
    audio = set(rows.filter(pl.col("audio_file") == file)["stem_id"])
    midi = set(rows.filter((pl.col("midi_file") == file) | (pl.col("midi_group_file") == file))["stem_id"])
    if audio or midi:
        return Change(BASE_MANIFEST.name, color, frozenset(audio | midi), ("audio",) if audio else ("midi",))
    everything = frozenset(keys_of_parts(shard, {song}))
    if file in set(rows["main_audio_file"]):
        return Change(BASE_MANIFEST.name, color, everything, ("mix", "slice"), opens=True)
    return Change(BASE_MANIFEST.name, color, everything, TEXT_FIELDS, opens=True)
