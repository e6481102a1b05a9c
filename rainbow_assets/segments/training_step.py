"""Training tables as ledger steps: `training_segments` (published segment columns) and `training_full` (all joined).

Both are joined by key with the row counts checked; the main mix is left out, because it is not a stem.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus import split_step, tables
from rainbow_assets.corpus.ids import song_of, stem_of
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments import table
from rainbow_assets.segments.table import column
from rainbow_assets.storage.shard import Shard

INTERNAL = ("is_mix", "start_ms", "end_ms", "audio_digest", "midi_digest")
SEGMENT_COLUMNS = [item.name for item in table.FIELDS if item.name not in INTERNAL]
SEGMENT_SCHEMA = pa.schema([
    *(table.SCHEMA.field(name) for name in SEGMENT_COLUMNS),
    column("audio_digest", pa.string(), "sha256 of the samples that `audio` and `preview` hold for this row"),
    column("midi_digest", pa.string(), "digest of the MIDI events of this row"),
])


class LostInJoin(RainbowError):
    """A row has no counterpart where it must have exactly one."""


def _stems_only(step: Step, shard: Shard) -> pl.DataFrame:
    """Rows of `segments` and `segment_media`, without the mix, as candidates of ``step``."""
    frames = []
    for asset, names in step.inputs.items():
        rows = outputs(shard.store.shard(asset, shard.partition), asset, names)
        frames.append(rows.filter(~pl.col("key").str.contains("_t00_", literal=True)))
    first, second = frames
    return first.join(second.drop("part"), on="key", how="left", maintain_order="left")


def segment_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the stem segments of the color with the digests of their windows and media."""
    return _stems_only(TRAINING_SEGMENTS, shard)


def _part(shard: Shard, group: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
    for part in shard.require_index().parts:
        if part.group == group:
            return shard.read_part(part, columns).to_pylist()
    return []


def segment_compute(work: Work) -> Iterator[Batch]:
    """Take the published columns of each asked segment; its media must be there, with the same digests."""
    segments, media = work.upstream("segments"), work.upstream("segment_media")
    columns = ["segment_id", "audio_digest", "midi_digest"]
    held = {row["segment_id"]: row for _, rows in media.tables(columns) for row in rows.to_pylist()}
    for song_id, asked in work.parts():
        keys = set(asked["key"])
        made = [row for row in _part(segments, song_id, SEGMENT_SCHEMA.names) if row["segment_id"] in keys]
        for row in made:
            kept = held.get(row["segment_id"])
            if kept is None or any(kept[name] != row[name] for name in columns):
                raise LostInJoin(f"{row['segment_id']} has no media, or media of another state; materialize "
                                 f"segment_media for {work.shard.partition}")
        yield Batch(song_id, pa.Table.from_pylist(made, schema=SEGMENT_SCHEMA))


TRAINING_SEGMENTS = Step(
    name="training_segments",
    inputs={"segments": tuple(table.GROUPS), "segment_media": ("audio", "midi")},
    compute=segment_compute,
    schema=SEGMENT_SCHEMA,
    fields={"text": ("lyric_text",), "row": tuple(name for name in SEGMENT_SCHEMA.names
                                                   if name not in ("segment_id", "lyric_text"))},
    candidates=segment_candidates,
    row_by_row=True,
    carries=("segments",),
)

_SEGMENT_ONLY = [name for name in SEGMENT_SCHEMA.names if name != "rainbow_color"]
_RENAMED = {"id": None, "stem_id": None, "track_id": "track_id", "midi_file": None, "sections": None, "lines": None,
            "end_ms": None, "description": None, "group": None, "player": None}
_MANIFEST_ONLY = [item for item in tables.SCHEMA
                  if _RENAMED.get(item.name, item.name) and item.name not in SEGMENT_SCHEMA.names]
FULL_SCHEMA = pa.schema([
    *(SEGMENT_SCHEMA.field(name) for name in SEGMENT_SCHEMA.names),
    column("split", pa.string(), "train, validation or test; by song, so that no song leaks"),
    column("manifest_track_key", pa.string(), "<song>_<track>, the original's join key"),
    *(item for item in _MANIFEST_ONLY),
])


def full_compute(work: Work) -> Iterator[Batch]:
    """Join each asked segment to its stem's manifest row and its song's split; exactly one of each, or an error."""
    manifest = work.upstream("base_manifest")
    stems = {row["stem_id"]: row for _, rows in manifest.tables() for row in rows.to_pylist()}
    splits = {row["song_id"]: row["split"] for row in
              work.upstream("song_splits").table(split_step.SCHEMA).to_pylist()}
    segments = work.upstream("training_segments")
    extra = [item.name for item in _MANIFEST_ONLY]
    for song_id, asked in work.parts():
        keys, made = set(asked["key"]), []
        for row in _part(segments, song_id):
            if row["segment_id"] not in keys:
                continue
            stem, split = stems.get(row["stem_id"]), splits.get(song_id)
            if stem is None or split is None:
                missing = "base_manifest" if stem is None else "song_splits"
                raise LostInJoin(f"{row['segment_id']} has no row in {missing}; materialize {missing} for "
                                 f"{work.shard.partition}")
            made.append({**row, **{name: stem[name] for name in extra}, "split": split,
                         "manifest_track_key": f"{song_id}_{row['track_number']}"})
        yield Batch(song_id, pa.Table.from_pylist(made, schema=FULL_SCHEMA))


TRAINING_FULL = Step(
    name="training_full",
    inputs={
        "training_segments": ("text", "row"),
        "base_manifest": ("song", "concept", "lyrics", "stem", "audio", "midi", "mix", "training_data"),
        "song_splits": ("split",),
    },
    compute=full_compute,
    schema=FULL_SCHEMA,
    fields={"text": ("lyric_text",), "concept": ("concept",), "split": ("split",),
            "row": tuple(name for name in FULL_SCHEMA.names
                         if name not in ("segment_id", "lyric_text", "concept", "split"))},
    joins={"base_manifest": stem_of(pl.col("key")), "song_splits": song_of(pl.col("key"))},
    carries=("training_segments", "song_splits", "base_manifest"),
)
