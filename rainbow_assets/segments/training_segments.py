"""`training_segments`: the published columns of each segment, without the main mix, which is not a stem."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.lineage.checks import relative_paths, unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.segments import table
from rainbow_assets.segments.table import LostInJoin
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some


def _stems_only(step: RowAsset, shard: Shard) -> pl.DataFrame:
    """Return the rows of `segments` and `segment_media`, without the mix, as candidates of ``step``."""
    frames = []
    for asset, names in step.reads.items():
        rows = outputs(shard.store.shard(asset, shard.partition), asset, names)
        frames.append(rows.filter(~pl.col("key").str.contains("_t00_", literal=True)))
    first, second = frames
    return first.join(second.drop("part"), on="key", how="left", maintain_order="left")


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the stem segments of the color with the digests of their windows and media."""
    return _stems_only(TRAINING_SEGMENTS, shard)


def compute(work: Work) -> Iterator[Batch]:
    """Take the published columns of each requested segment; raise if its media is missing or has other digests."""
    segments, media = work.upstream("segments"), work.upstream("segment_media")
    columns = ["segment_id", "audio_digest", "midi_digest"]
    digests = {row["segment_id"]: row for _, rows in media.tables(columns) for row in rows.to_pylist()}
    for song_id, asked in work.parts():
        keys = set(asked["key"])
        made = [row for row in segments.rows_of(song_id, table.TRAINING.names) if row["segment_id"] in keys]
        for row in made:
            kept = digests.get(row["segment_id"])
            if kept is None or any(kept[name] != row[name] for name in columns):
                raise LostInJoin(f"the media of {row['segment_id']} is missing or out of date; materialize "
                                 f"segment_media for {work.shard.partition}")
        yield Batch(song_id, pa.Table.from_pylist(made, schema=table.TRAINING))


@check("Rows are 1:1 the stem rows of segments.")
def stems_only(shard: Shard) -> Finding:
    """Check that the rows are exactly the rows of `segments` that are not the mix."""
    own = {row["segment_id"] for row in shard.rows("segment_id")}
    rows = shard.store.shard("segments", shard.partition).rows("segment_id", "is_mix")
    stems = {row["segment_id"] for row in rows if not row["is_mix"]}
    lost, extra = sorted(stems - own), sorted(own - stems)
    numbers = {"rows": len(own), "mix_rows_left_out": len(rows) - len(stems), "lost": len(lost)}
    if lost or extra:
        return Finding(False, f"{len(lost)} stem rows are missing ({some(lost)}), {len(extra)} are not stems "
                              f"({some(extra)})", numbers)
    return Finding(True, f"{len(own)} rows, 1:1 with the stem rows of segments", numbers)


TRAINING_SEGMENTS = RowAsset(
    name="training_segments",
    group="segments",
    kinds={"parquet"},
    description="The published segment table: stems only, published column names and types.",
    reads={"segments": tuple(table.GROUPS), "segment_media": ("audio", "midi")},
    compute=compute,
    columns=table.TRAINING,
    fields={"text": ("lyric_text",), "row": tuple(name for name in table.TRAINING.names
                                                   if name not in ("segment_id", "lyric_text"))},
    candidates=candidates,
    row_by_row=True,
    carries=("segments",),
    checks=[unique_keys, relative_paths, stems_only],
)
