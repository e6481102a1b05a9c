"""The `embeddings` config of a version, and the vectors that are kept to detect drift before the next version."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rainbow_assets.embeddings import drift, published
from rainbow_assets.embeddings.embeddings import ASSETS
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.lineage import verdicts
from rainbow_assets.release.bundle import PartFile, ReleaseTable
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.storage.parquet import parquet_bytes
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

WAIT_S = 600.0


def embeddings_table(store: ShardStore, splits: Mapping[str, str]) -> ReleaseTable:
    """Return the three embedding tables joined by key; parts are joined song by song, when they are read."""
    specs = published.chosen(store)
    shards = {
        color: [PartFile(part.group, f"{published.CONFIG}/{color}/{part.group}",
                         partial(_open, store, color, part.group, specs))
                for part in store.shard("training_segments", color).require_index().parts]
        for color in COLOR_NAMES
    }
    return ReleaseTable(published.CONFIG, shards, published.schema(specs), published.section(specs), splits=splits)


def _open(store: ShardStore, color: str, song: str, specs: dict[str, EncoderSpec]) -> bytes:
    return parquet_bytes(published.joined(store, color, song, specs))


def remember(store: ShardStore) -> None:
    """Keep some vectors of every color as those of the last release."""
    for step in ASSETS:
        for color in COLOR_NAMES:
            drift.remember(store.shard(step.name, color), step.vector)
            live = ShardStore(store.files.url).shard(step.name, color)
            with writer_lock(live.files, "release", WAIT_S):
                # The drift check had read the vectors of the version before; run it again on those just kept.
                verdicts.ensure(live, step.checks)
