"""`audio` as a ledger step: every window that sounds, with its song's split. The sound itself stays in `segment_media`.

A release joins the two by key, part by part (:func:`rainbow_assets.release.tables.audio_table`), so that no second copy
of fifteen gigabytes is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus import split_step
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.foresee import UNKNOWN
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments import table
from rainbow_assets.segments.media_step import SEGMENT_MEDIA
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard

TAKEN = ("segment_id", "song_id", "is_mix", "audio_frames", "bits", "audio_digest")
"""Columns of `segment_media` that the listing repeats."""
SCHEMA = pa.schema([
    *(SEGMENT_MEDIA.schema.field(name) for name in TAKEN[:2]),
    pa.field("rainbow_color", pa.string(), metadata={"doc": "full color name"}),
    pa.field("split", pa.string(), metadata={"doc": "train, validation or test; by song, so that no song leaks"}),
    *(SEGMENT_MEDIA.schema.field(name) for name in TAKEN[2:]),
])
INPUTS = {"segments": ("audio",), "segment_media": ("audio",), "song_splits": ("split",)}


class NoSplit(RainbowError):
    """A song that is in no split."""


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's audible windows, stems and mix, with the digests of their sound and their song's split."""
    segments = shard.store.shard("segments", shard.partition)
    heard = pl.DataFrame(pl.from_arrow(segments.table(table.SCHEMA, ["segment_id", "has_audio"])))
    silent = heard.filter(~pl.col("has_audio"))["segment_id"]
    # The table holds the values of the last build; a window that will be cut again may become audible.
    frame = outputs(segments, "segments", INPUTS["segments"]).filter(
        ~pl.col("key").is_in(silent.implode()) | (pl.col("in:segments.audio") == UNKNOWN))
    for asset, names in list(INPUTS.items())[1:]:
        upstream = outputs(shard.store.shard(asset, shard.partition), asset, names).drop("part")
        on = AUDIO.joins.get(asset, pl.col("key"))
        frame = frame.with_columns(on.alias("_on")).join(
            upstream, left_on="_on", right_on="key", how="left", maintain_order="left").drop("_on")
    return frame


def compute(work: Work) -> Iterator[Batch]:
    """Take the numbers of each asked window from `segment_media`, and its song's split; sounds are not read."""
    splits = splits_of(work.upstream("song_splits"))
    media = work.upstream("segment_media")
    held: dict[str, list[pa.Table]] = {}
    for part in media.require_index().parts:
        held.setdefault(part.group.rpartition("_t")[0], []).append(media.read_part(part, list(TAKEN)))
    for song_id, asked in work.parts():
        if song_id not in splits:
            raise NoSplit(f"{song_id} has no row in song_splits; materialize song_splits for {work.shard.partition}")
        rows = pa.concat_tables(held[song_id])
        rows = rows_of(rows, "segment_id", list(asked["key"]))
        for name, value in (("rainbow_color", work.shard.partition), ("split", splits[song_id])):
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), len(rows)))
        yield Batch(song_id, rows.select(SCHEMA.names).cast(SCHEMA))


def splits_of(song_splits: Shard) -> dict[str, str]:
    """Return {song: split} of one color."""
    rows = song_splits.table(split_step.SCHEMA, ["song_id", "split"])
    return dict(zip(rows["song_id"].to_pylist(), rows["split"].to_pylist(), strict=True))


AUDIO = Step(
    name="audio",
    inputs=INPUTS,
    compute=compute,
    schema=SCHEMA,
    fields={"split": ("split",), "row": tuple(name for name in SCHEMA.names if name not in ("segment_id", "split"))},
    candidates=candidates,
    row_by_row=True,
    joins={"song_splits": song_of(pl.col("key"))},
    flows={"split": ("song_splits.split",), "row": ("segments.audio", "segment_media.audio")},
    carries=("segment_media", "song_splits"),
)
