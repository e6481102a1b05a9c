"""`song_splits`: one row per song, so that no song is in two splits."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus.splits import assign_splits, copies
from rainbow_assets.digests import digest
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

SCHEMA = pa.schema([
    pa.field("song_id", pa.string(), metadata={"doc": "song"}),
    pa.field("rainbow_color", pa.string(), metadata={"doc": "full color name"}),
    pa.field("split", pa.string(), metadata={"doc": "train, validation or test; the same for every row of a song"}),
])


def _splits(manifest: Shard, rules: settings.Rules) -> dict[str, str]:
    ledger, shares = manifest.ledger(["part", "status"]), rules.splits
    assert ledger is not None
    songs = ledger.filter(pl.col("status") == "ok")["part"].unique().sort().to_list()
    train = {*copies(manifest), *shares.train.split()}
    return assign_splits(songs, shares.validation, shares.test, shares.seed, train)


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's songs with the digest of their split, which depends on all songs of the color."""
    chosen = _splits(shard.store.shard("base_manifest", shard.partition), rules)
    records = [(song, song, digest(split)) for song, split in chosen.items()]
    return pl.DataFrame(records, schema=dict.fromkeys(["key", "part", "in:base_manifest.song"], pl.String),
                        orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Assign each requested song its split, by hash rank among all songs of the color."""
    chosen = _splits(work.upstream("base_manifest"), work.rules)
    for song, _ in work.parts():
        row = {"song_id": song, "rainbow_color": work.shard.partition, "split": chosen[song]}
        yield Batch(song, pa.Table.from_pylist([row], schema=SCHEMA))


@check("Each song is in exactly one split.")
def splits_by_song(shard: Shard) -> Finding:
    """Check that each song of the manifest is in exactly one split and that train is not empty."""
    rows = shard.rows()
    manifest = shard.store.shard("base_manifest", shard.partition)
    songs = {row["id"] for row in manifest.rows("id")}
    counts = {split: sum(row["split"] == split for row in rows) for split in ("train", "validation", "test")}
    lost = sorted(songs ^ {row["song_id"] for row in rows})
    if lost or sum(counts.values()) != len(rows) or (rows and not counts["train"]):
        return Finding(False, f"splits do not cover the songs: {some(lost)}; counts {counts}", counts)
    alike = copies(manifest)
    note = f"; songs that share a sound file are in train: {some(sorted(alike))}" if alike else ""
    return Finding(True, ", ".join(f"{split} {n}" for split, n in counts.items()) + note, counts)


SONG_SPLITS = RowAsset(
    name="song_splits",
    group="corpus",
    kinds={"parquet"},
    description=(
        "Train, validation or test for each song, by hash rank within its color, so that no song is in two "
        "splits. Songs that share a sound file are in train."),
    reads={"base_manifest": ("song",)},
    through={"base_manifest": ("audio", "mix")},
    compute=compute,
    columns=SCHEMA,
    fields={"split": ("split",)},
    key="song_id",
    settings=("splits",),
    candidates=candidates,
    cheap=True,
    checks=[unique_keys, splits_by_song],
)
