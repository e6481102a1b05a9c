"""What changed in the raw songs, for the reasons in a plan: files by digest, manifest fields by value."""

from __future__ import annotations

from typing import Any

from rainbow_assets.corpus import tables
from rainbow_assets.corpus.reader import folder_color
from rainbow_assets.corpus.source import RawSongs, load_source, manifest_rows
from rainbow_assets.lineage import guards, reasons
from rainbow_assets.lineage.ledger import Delta
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

NOT_FIELDS = {"audio_sha256", "midi_sha256", "main_audio_sha256", "training_data"}


def explain(delta: Delta) -> list[str]:
    """Return sentences on which files of which songs changed, and which manifest fields changed with them."""
    source = load_source(delta.shard)
    before = recorded_files(delta.shard)
    songs = {part.group for part in (delta.index.parts if delta.index else ())}
    found, names = [], guards.renamed(delta)
    for song in sorted({*songs, *(folder.name for folder in source.folders)}):
        old, new = before.get(song, {}), source.of(song)
        if old == new:
            continue
        if not new or not old:
            found.append(f"song {song} {'appeared' if new else _gone(source, song, names)}")
            continue
        moved = [f"{song}/{name} {_how(old.get(name), new.get(name))}" for name in sorted({*old, *new})
                 if old.get(name) != new.get(name)]
        found.append(f"files: {some(moved, reasons.MOST)}")
        fields = changed_fields(delta.shard, source, song)
        if fields:
            found.append(f"fields of {song}: {some(fields, reasons.MOST)}")
    return found


def _gone(source: RawSongs, song: str, names: dict[str, str]) -> str:
    """Return what became of a missing song: renamed (its audio files are the same), moved to another color, or gone."""
    if song in names:
        return f"is {names[song]} now, with the same sounds"
    there = source.root / song
    return f"is {folder_color(there)} now" if there.is_dir() else "disappeared"


def _how(old: str | None, new: str | None) -> str:
    return "added" if old is None else "removed" if new is None else "changed"


def recorded_files(shard: Shard) -> dict[str, dict[str, str]]:
    """Return {song: {file: sha256}} as recorded by the last build."""
    index = shard.index()
    return {part.group: dict(part.facts.get("files", {})) for part in (index.parts if index else ())}


def changed_fields(shard: Shard, source: RawSongs, song: str) -> list[str]:
    """Return the names of the fields whose values changed; those of a stem as ``<stem>.<field>``."""
    index = shard.index()
    part = next((part for part in (index.parts if index else ()) if part.group == song), None)
    folder = next((folder for folder in source.folders if folder.name == song), None)
    if part is None or folder is None:
        return []
    old: dict[str, dict[str, Any]] = {row["stem_id"]: row for row in shard.read_part(part).to_pylist()}
    new = {row["stem_id"]: row for row in manifest_rows(source, folder)}
    song_wide = {item.name for item in tables.SONG_FIELDS}
    moved: dict[str, None] = {}
    for stem in sorted({*old, *new}):
        if stem not in old or stem not in new:
            moved[f"{stem} {'removed' if stem in old else 'added'}"] = None
            continue
        for item in tables.SCHEMA:
            if item.name not in NOT_FIELDS and old[stem][item.name] != new[stem][item.name]:
                moved[item.name if item.name in song_wide else f"{stem}.{item.name}"] = None
    return list(moved)
