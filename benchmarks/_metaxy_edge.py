"""The same edge in Metaxy, run in an environment of its own (its pytest plugin breaks newer pytest).

    python benchmarks/_metaxy_edge.py make FOLDER ROWS
    python benchmarks/_metaxy_edge.py resolve FOLDER        prints JSON: seconds and what was found
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import metaxy as mx
import narwhals as nw
import polars as pl
from _edge import Row, after, before
from metaxy.ext.polars.handlers.delta import DeltaMetadataStore

mx.MetaxyConfig.set(mx.MetaxyConfig())


class Upstream(mx.BaseFeature, spec=mx.FeatureSpec(key="upstream", id_columns=["key"], fields=["read", "unread"])):
    """Rows with two fields."""

    key: str


class Consumer(mx.BaseFeature, spec=mx.FeatureSpec(
    key="consumer", id_columns=["key"], deps=[mx.FeatureDep(feature=Upstream)],
    fields=[mx.FieldSpec(key="made", deps=[mx.FieldDep(feature=Upstream, fields=["read"])])],
)):
    """Reads one of them."""

    key: str


def frame(rows: list[Row]) -> pl.DataFrame:
    """Rows with their field digests as Metaxy's provenance."""
    values = [(row.key, row.read, row.unread) for row in rows]
    table = pl.DataFrame(values, schema=["key", "read", "unread"], orient="row")
    return table.select("key", metaxy_provenance_by_field=pl.struct("read", "unread"))


def make(folder: Path, rows: int) -> None:
    """Write the upstream, the consumer's rows made from it, and then the upstream as it is now."""
    old, now = before(rows), after(rows)
    with DeltaMetadataStore(folder).open("w") as store:
        store.write(Upstream, frame(old))
        store.write(Consumer, store.resolve_update(Consumer).new)
        seen, alive = {row.key: row for row in old}, {row.key for row in now}
        store.write(Upstream, frame([row for row in now if seen.get(row.key) != row]))
        store.delete(Upstream, filters=nw.col("key").is_in([key for key in seen if key not in alive]))


def resolve(folder: Path) -> dict[str, float]:
    """Ask once, in this fresh process."""
    with DeltaMetadataStore(folder).open("r") as store:
        begun = time.perf_counter()
        found = store.resolve_update(Consumer)
        seconds = time.perf_counter() - begun
    return {"seconds": seconds, "new": len(found.new), "changed": len(found.stale), "removed": len(found.orphaned)}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(resolve(Path(sys.argv[2]))))
