"""`audio`: every audible window, with its song's split. The audio itself stays in `segment_media`.

A release joins the two by key, part by part (:func:`rainbow_assets.release.music_tables.audio_table`), so that fifteen
gigabytes are not stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from rainbow_assets import settings
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.corpus.splits import splits_kept, splits_of
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.foresee import UNKNOWN
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.segments import table
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

TAKEN = ("segment_id", "song_id", "is_mix", "audio_frames", "bits", "audio_digest")
"""Columns of `segment_media` that `audio` repeats."""
SCHEMA = pa.schema([
    *(table.MEDIA.field(name) for name in TAKEN[:2]),
    pa.field("rainbow_color", pa.string(), metadata={"doc": "full color name"}),
    pa.field("split", pa.string(), metadata={"doc": "train, validation or test; the same for all rows of a song"}),
    *(table.MEDIA.field(name) for name in TAKEN[2:]),
    table.SCHEMA.field("sound_print"),
])
INPUTS = {"segments": ("audio",), "segment_media": ("audio",), "song_splits": ("split",)}


class NoSplit(RainbowError):
    """A song without a split."""


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's audible windows, stems and mix, with the digests of their audio and their song's split."""
    segments = shard.store.shard("segments", shard.partition)
    heard = pl.DataFrame(pl.from_arrow(segments.table(table.SCHEMA, ["segment_id", "has_audio"])))
    silent = heard.filter(~pl.col("has_audio"))["segment_id"]
    # The table is that of the last build. A window that is going to be measured again may become audible, so it stays.
    frame = outputs(segments, "segments", INPUTS["segments"]).filter(
        ~pl.col("key").is_in(silent.implode()) | (pl.col("in:segments.audio") == UNKNOWN))
    for asset, names in list(INPUTS.items())[1:]:
        upstream = outputs(shard.store.shard(asset, shard.partition), asset, names).drop("part")
        on = AUDIO.joins.get(asset, pl.col("key"))
        frame = frame.with_columns(on.alias("_on")).join(
            upstream, left_on="_on", right_on="key", how="left", maintain_order="left").drop("_on")
    return frame


def compute(work: Work) -> Iterator[Batch]:
    """Take the facts of each requested window from `segment_media` and `segments`, and its song's split.

    No audio is read.
    """
    splits = splits_of(work.upstream("song_splits"))
    prints = work.upstream("segments").table(table.SCHEMA, ["segment_id", "sound_print"])
    media = work.upstream("segment_media")
    tables: dict[str, list[pa.Table]] = {}
    for part in media.require_index().parts:
        tables.setdefault(part.group.rpartition("_t")[0], []).append(media.read_part(part, list(TAKEN)))
    for song_id, asked in work.parts():
        if song_id not in splits:
            raise NoSplit(f"{song_id} has no row in song_splits; materialize song_splits for {work.shard.partition}")
        rows = pa.concat_tables(tables[song_id])
        rows = rows_of(rows, "segment_id", list(asked["key"]))
        for name, value in (("rainbow_color", work.shard.partition), ("split", splits[song_id])):
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), len(rows)))
        own = rows_of(prints, "segment_id", rows["segment_id"].combine_chunks())
        places = pc.index_in(  # pyright: ignore[reportAttributeAccessIssue]
            rows["segment_id"], value_set=own["segment_id"])
        rows = rows.append_column("sound_print", own["sound_print"].take(places))
        yield Batch(song_id, rows.select(SCHEMA.names).cast(SCHEMA))


@check("The rows are the audible windows of segment_media, each once.")
def sounds_listed(shard: Shard) -> Finding:
    """Check that the rows are the audible windows of `segment_media`, with the same digests and with file names."""
    columns = ["segment_id", "audio_digest", "audio_frames", "bits"]
    own = {row["segment_id"]: row for row in shard.table(AUDIO.schema, columns).to_pylist()}
    media: dict[str, dict[str, object]] = {}
    unnamed = []
    for _, part in shard.store.shard("segment_media", shard.partition).tables([*columns, "audio.path"]):
        for row, audio in zip(part.select(columns).to_pylist(), part["audio"].to_pylist(), strict=True):
            path = audio["path"] if audio else None
            if path is not None:
                media[row["segment_id"]] = row
                unnamed += [row["segment_id"]] if path != f"{row['segment_id']}.flac" else []
    missing, extra = sorted(media.keys() - own.keys()), sorted(own.keys() - media.keys())
    other = sorted(key for key in own.keys() & media.keys() if own[key] != media[key])
    numbers = {"rows": len(own), "sounds": len(media), "missing": len(missing), "extra": len(extra),
               "other_sound": len(other), "not_named_flac": len(unnamed)}
    if missing or extra or other or unnamed:
        return Finding(False, f"the rows are not the audible windows of segment_media: {len(missing)} are missing "
                              f"({some(missing)}), {len(extra)} have no audio ({some(extra)}), {len(other)} have other "
                              f"audio ({some(other)}), {len(unnamed)} are not named <segment_id>.flac "
                              f"({some(unnamed)}); materialize segment_media and audio again", numbers)
    return Finding(True, f"{len(own)} audible windows, stems and mixes", numbers)


AUDIO = RowAsset(
    name="audio",
    group="release",
    kinds={"parquet"},
    description="Every audible window, with its song's split; a release adds the FLAC from segment_media.",
    reads=INPUTS,
    compute=compute,
    columns=SCHEMA,
    fields={"split": ("split",), "row": tuple(name for name in SCHEMA.names if name not in ("segment_id", "split"))},
    candidates=candidates,
    row_by_row=True,
    joins={"song_splits": song_of(pl.col("key"))},
    flows={"split": ("song_splits.split",), "row": ("segments.audio", "segment_media.audio")},
    carries=("segment_media", "song_splits"),
    checks=[unique_keys, splits_kept, sounds_listed],
)
