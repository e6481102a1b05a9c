"""`thread_index`: one row per thread to look it up by."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from rainbow_assets.lineage.checks import rows_match, unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.threads.tables import INDEX, rows_of


def compute(work: Work) -> Iterator[Batch]:
    """Take what one looks a thread up by from its manifest's row."""
    held = rows_of(work.upstream("thread_manifests"))
    for thread_id, _ in work.parts():
        row = held[thread_id]
        own, newest = row["timestamp"], row["newest_artifact_at"]
        made = {name: row[name] for name in INDEX.names if name in row}
        made |= {"timestamp": own or newest,
                 "timestamp_source": "manifest" if own else "newest_artifact" if newest else None}
        yield Batch(thread_id, pa.Table.from_pylist([made], schema=INDEX))


THREAD_INDEX = RowAsset(
    name="thread_index",
    group="threads",
    kinds={"parquet"},
    description="One row per thread to look it up by, with its folder and the newest time that it says of itself.",
    reads={"thread_manifests": ("thread",)},
    compute=compute,
    columns=INDEX,
    fields={"row": tuple(name for name in INDEX.names if name != "thread_id")},
    key="thread_id",
    unit="thread",
    colored=False,
    cheap=True,
    carries=("thread_manifests",),
    checks=[unique_keys, rows_match("thread_manifests")],
)
