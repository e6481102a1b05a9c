"""`training_full`: each segment with the facts of its stem and song, and its song's split."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rainbow_assets.corpus import tables
from rainbow_assets.corpus.ids import song_of, stem_of
from rainbow_assets.corpus.splits import splits_kept, splits_of
from rainbow_assets.lineage.checks import relative_paths, rows_match, unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.segments.losses import UNEXPLAINED, losses
from rainbow_assets.segments.table import TRAINING, LostInJoin
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

_RENAMED = {"id": None, "stem_id": None, "track_id": "track_id", "midi_file": None, "sections": None, "lines": None,
            "word_times": None, "end_ms": None, "description": None, "group": None, "player": None}


_MANIFEST_ONLY = [item for item in tables.SCHEMA
                  if _RENAMED.get(item.name, item.name) and item.name not in TRAINING.names]


SCHEMA = pa.schema([
    *(TRAINING.field(name) for name in TRAINING.names),
    column("split", pa.string(), "train, validation or test; the same for all rows of a song"),
    column("manifest_track_key", pa.string(), "<song>_<track>, the original's join key"),
    *(item for item in _MANIFEST_ONLY),
])


def compute(work: Work) -> Iterator[Batch]:
    """Join each requested segment to its stem's manifest row and its song's split; raise if one is missing."""
    manifest = work.upstream("base_manifest")
    stems = {row["stem_id"]: row for _, rows in manifest.tables() for row in rows.to_pylist()}
    splits = splits_of(work.upstream("song_splits"))
    segments = work.upstream("training_segments")
    extra = [item.name for item in _MANIFEST_ONLY]
    for song_id, asked in work.parts():
        keys, made = set(asked["key"]), []
        for row in segments.rows_of(song_id):
            if row["segment_id"] not in keys:
                continue
            stem, split = stems.get(row["stem_id"]), splits.get(song_id)
            if stem is None or split is None:
                missing = "base_manifest" if stem is None else "song_splits"
                raise LostInJoin(f"{row['segment_id']} has no row in {missing}; materialize {missing} for "
                                 f"{work.shard.partition}")
            made.append({**row, **{name: stem[name] for name in extra}, "split": split,
                         "manifest_track_key": f"{song_id}_{row['track_number']}"})
        yield Batch(song_id, pa.Table.from_pylist(made, schema=SCHEMA))


@check("Songs found = songs with rows + songs without, each with a reason.")
def songs_accounted(shard: Shard) -> Finding:
    """Check that each song folder has rows here, or reasons in `base_manifest` or `segments` why it has none."""
    manifest, segments = (shard.store.shard(name, shard.partition) for name in ("base_manifest", "segments"))
    found = losses(manifest, segments, shard)
    reasons = found.reasons()
    lost = reasons.get(UNEXPLAINED, [])
    numbers = {"found": found.found, "in_training_full": found.kept, "without_rows": len(found.songs),
               "lost": len(lost), "reasons": {name: len(songs) for name, songs in reasons.items()}}
    if lost:
        return Finding(False, f"{len(lost)} songs have rows in segments and none here ({some(lost)}); materialize "
                              "training_full again", numbers)
    return Finding(True, found.sentence(), numbers)


TRAINING_FULL = RowAsset(
    name="training_full",
    group="segments",
    kinds={"parquet"},
    description="Each segment with the facts of its stem and song and its song's split, joined by key, 1:1.",
    reads={
        "training_segments": ("text", "row"),
        "base_manifest": ("song", "concept", "lyrics", "stem", "audio", "midi", "mix", "training_data"),
        "song_splits": ("split",),
    },
    compute=compute,
    columns=SCHEMA,
    fields={"text": ("lyric_text",), "concept": ("concept",), "split": ("split",),
            "row": tuple(name for name in SCHEMA.names
                         if name not in ("segment_id", "lyric_text", "concept", "split"))},
    joins={"base_manifest": stem_of(pl.col("key")), "song_splits": song_of(pl.col("key"))},
    carries=("training_segments", "song_splits", "base_manifest"),
    checks=[unique_keys, relative_paths, rows_match("training_segments"), splits_kept, songs_accounted],
)
