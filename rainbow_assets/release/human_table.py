"""The `human_evaluation` config of a version, off by default: every human verdict with the piece that it judges."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from rainbow_assets.release.bundle import PartFile, ReleaseTable
from rainbow_assets.storage.parquet import parquet_bytes
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

CONFIG = "human_evaluation"
SECTION = ("One row per verdict of a person on a composed piece: status, label and words, the scores that the piece "
           "had when it was judged, and its MIDI. `current` is False if the song has been composed again since.")


def human_table(schema: pa.Schema, store: ShardStore) -> ReleaseTable:
    """Return the table of `human_evaluation`, whose rows have ``schema``, with a part per song and color."""
    shard = store.shard(CONFIG)
    shards: dict[str, list[PartFile]] = {color: [] for color in COLOR_NAMES}
    for part in shard.require_index().parts:
        rows = shard.read_part(part).select(schema.names).cast(schema)
        by_color: dict[str, list[dict[str, object]]] = {}
        for row in rows.to_pylist():
            by_color.setdefault(row["rainbow_color"] or "White", []).append(row)
        for color, own in by_color.items():
            table = pa.Table.from_pylist(own, schema=schema)
            content = partial(parquet_bytes, table, ("midi",))
            shards[color].append(PartFile(part.group, f"{shard.where}/{part.name}", content))
    return ReleaseTable(CONFIG, shards, schema, SECTION, key="evaluation_id")
