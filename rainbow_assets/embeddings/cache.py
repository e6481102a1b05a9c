"""Vectors by content: ``<data>/vectors/<spec digest>/<sha256 of the file>.parquet``, one immutable file per batch.

The key of a vector is the digest of its input. The folder is the digest of the spec, so that old vectors are not used
with a new revision, window or version of the code. A file is written whole or not at all, and is used only if its
digest is its name; a damaged file is counted and deleted, and its inputs are embedded again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files, sha256_bytes
from rainbow_assets.storage.parquet import read_parquet, write_parquet
from rainbow_assets.storage.store import ShardStore

Vector = npt.NDArray[np.float32]
ENDING = ".parquet"


class LostVector(RainbowError):
    """A vector is missing from the cache although its input was embedded."""


class VectorCache:
    """The vectors of one spec, in memory. Each file of the folder is read once; later calls read only new files."""

    def __init__(self, files: Files, spec: EncoderSpec) -> None:
        self.spec = spec
        self.files = files.below(f"vectors/{spec.digest}")
        self.damaged = 0
        self._read: set[str] = set()
        self._rows: dict[str, Vector] = {}

    @classmethod
    def of(cls, store: ShardStore, spec: EncoderSpec) -> VectorCache:
        """Return the cache of ``spec`` below the data root."""
        return cls(store.files, spec)

    def keys(self) -> set[str]:
        """Return the digests of all inputs that have a vector."""
        self._refresh()
        return set(self._rows)

    def get(self, key: str) -> Vector | None:
        """Return the vector [dims] of the input ``key``, or None."""
        return self._rows.get(key)

    def require(self, key: str) -> Vector:
        """Return the vector of ``key``; raise ``LostVector``."""
        found = self._rows.get(key)
        if found is None:
            raise LostVector(f"the vector of the input {key} is missing from the cache; run: rainbow build")
        return found

    def write(self, vectors: Mapping[str, bytes]) -> None:
        """Write one batch of little-endian float32 vectors, atomically."""
        if not vectors:
            return
        kind = pa.list_(pa.float32(), self.spec.dims)
        keys = sorted(vectors)
        flat = np.concatenate([np.frombuffer(vectors[key], "<f4") for key in keys])
        table = pa.table({"key": pa.array(keys, pa.string()),
                          "vector": pa.FixedSizeListArray.from_arrays(pa.array(flat), self.spec.dims).cast(kind)})
        sink = io.BytesIO()
        written = write_parquet(sink, [table], table.schema)
        name = f"{written.sha256}{ENDING}"
        self.files.write(name, sink.getvalue())
        self._read.add(name)
        self._keep(table)

    def _refresh(self) -> None:
        for name in self.files.names():
            if name in self._read or not name.endswith(ENDING):
                continue
            self._read.add(name)
            data = self.files.read(name)
            if data is None or f"{sha256_bytes(data)}{ENDING}" != name:
                self.damaged += 1
                self.files.remove(name)
                continue
            self._keep(read_parquet(data))

    def _keep(self, table: pa.Table) -> None:
        vectors: Any = table.column("vector").combine_chunks()
        flat = vectors.values.to_numpy().astype(np.float32, copy=False)
        for key, row in zip(table.column("key").to_pylist(), flat.reshape(-1, self.spec.dims), strict=True):
            self._rows.setdefault(key, row)
