"""Drift since the last release: a few released vectors per color are kept and compared with the current ones.

Publishing a version calls ``remember``. The check then fails if the same input has another vector by the same spec:
the weights of a pinned revision were replaced, or a library computes other values.
"""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa

from rainbow_assets.embeddings import health
from rainbow_assets.embeddings.specs import SPECS
from rainbow_assets.lineage.verdicts import Finding
from rainbow_assets.storage.parquet import read_parquet, write_parquet
from rainbow_assets.storage.shard import Shard

KEPT = 64
"""Number of vectors kept per asset and color: those with the smallest input digests."""
FOLDER = "vectors/released"
SPEC = b"spec_digest"


def remember(shard: Shard, vector: str) -> None:
    """Keep the shard's first vectors as those of the last release."""
    found = health.vectors_of(shard, vector)
    flat = [row.tolist() for row in found.matrix[:KEPT]]
    table = pa.table({"key": pa.array(found.digests[:KEPT], pa.string()),
                      "vector": pa.array(flat, pa.list_(pa.float32()))})
    table = table.replace_schema_metadata({SPEC: _spec_digest(shard).encode()})
    sink = io.BytesIO()
    write_parquet(sink, [table], table.schema)
    shard.store.files.write(_name(shard), sink.getvalue())


def compare(shard: Shard, vector: str) -> Finding:
    """Compare the shard with the kept vectors of the last release."""
    data = shard.store.files.read(_name(shard))
    if data is None:
        return Finding(True, "there is no earlier release to compare with", {"compared": 0})
    table = read_parquet(data)
    now, spec_digest = health.vectors_of(shard, vector), _spec_digest(shard)
    if (table.schema.metadata or {}).get(SPEC, b"").decode() != spec_digest:
        return Finding(True, "the last release was made by another encoder or other rules; not compared",
                       {"compared": 0, "another_spec": 1})
    spec = next((spec for spec in SPECS.values() if spec.digest == spec_digest), None)
    least = spec.precision if spec else 0.999
    places = {digest: place for place, digest in enumerate(now.digests)}
    before = dict(zip(table.column("key").to_pylist(), table.column("vector").to_pylist(), strict=True))
    both = sorted(places.keys() & before.keys())
    if not both:
        return Finding(True, "no input of the last release is left", {"compared": 0})
    old = health.normalized(np.array([before[key] for key in both], np.float32))
    new = health.normalized(np.stack([now.matrix[places[key]] for key in both]))
    close = (old * new).sum(axis=1)
    centers = health.normalized(np.stack([old.mean(axis=0), new.mean(axis=0)]).astype(np.float32))
    numbers = {"compared": len(both), "least_cosine": round(float(close.min()), 6), "bound": least,
               "drift_of_center": round(1 - float(centers[0] @ centers[1]), 6)}
    if close.min() < least:
        worst = both[int(close.argmin())]
        return Finding(False, f"the input {worst} has another vector than in the last release (cosine "
                              f"{close.min():.4f}, bound {least}) although the spec is the same; check the weights, "
                              "or pin another revision", numbers)
    return Finding(True, f"{len(both)} inputs of the last release have the vectors they had", numbers)


def _name(shard: Shard) -> str:
    return f"{FOLDER}/{shard.asset}-{shard.partition}.parquet"


def _spec_digest(shard: Shard) -> str:
    for _, table in shard.tables(["spec_digest"]):
        if table.num_rows:
            return str(table.column("spec_digest")[0].as_py())
    return "none"
