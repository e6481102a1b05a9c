"""`thread_index`: one row per thread to look it up by."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from rainbow_assets.lineage.checks import rows_match, unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.threads.manifest import index_row
from rainbow_assets.threads.tables import INDEX, rows_of


def compute(work: Work) -> Iterator[Batch]:
    """Return what a person looks a thread up by, from its row."""
    rows = rows_of(work.upstream("thread_manifests"))
    for thread_id, _ in work.parts():
        yield Batch(thread_id, pa.Table.from_pylist([index_row(rows[thread_id])], schema=INDEX))


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
