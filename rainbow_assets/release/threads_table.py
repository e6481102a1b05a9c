"""The `threads` config of a version, off by default: the packed manifests with all their proposals."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from rainbow_assets.release.bundle import PartFile, ReleaseTable
from rainbow_assets.storage.parquet import parquet_bytes
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets.threads.tables import MANIFESTS

CONFIG = "threads"
SECTION = ("One row per thread of the agents: the final proposal, all proposals that led to it, and the files of its "
           "packed folder, without debug documents and machine paths. A thread is in the file of its color; one whose "
           "color could not be read is in the file of White and has an entry in `anomalies`.")
_DOCS = {"thread_id": "key", "iterations": "all proposals, in order; the last final one is the row's own",
         "files": "artifacts with type, color, size, sha256 and the proposal that they belong to",
         "anomalies": "what was irregular, and what was done about it"}
SCHEMA = pa.schema([item.with_metadata({"doc": _DOCS.get(item.name, item.name.replace("_", " "))})
                    for item in MANIFESTS if item.name != "inputs"])


def threads_table(store: ShardStore) -> ReleaseTable:
    """Return the table of `thread_manifests` by color, with a part per thread."""
    shard = store.shard("thread_manifests")
    shards: dict[str, list[PartFile]] = {color: [] for color in COLOR_NAMES}
    for part in shard.require_index().parts:
        rows = shard.read_part(part).select(SCHEMA.names).cast(SCHEMA)
        for row in rows.to_pylist():
            color = row["rainbow_color"] if row["rainbow_color"] in shards else "White"
            shards[color].append(PartFile(row["thread_id"], f"{shard.where}/{part.name}", partial(parquet_bytes, rows)))
    return ReleaseTable(CONFIG, shards, SCHEMA, SECTION, key="thread_id")
