"""A store on top of a store: writes go to memory, reads fall through. For trying a step without touching its shard."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import IO

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import INDEX
from rainbow_assets.storage.store import ShardStore


class LayeredFiles(Files):
    """Reads from ``upper`` where it has the file, else from ``lower``; writes to ``upper`` only."""

    def __init__(self, upper: Files, lower: Files) -> None:
        self.upper, self.lower = upper, lower
        self.url, self.fs, self.root, self.local = lower.url, upper.fs, upper.root, False

    def below(self, name: str) -> LayeredFiles:
        """Return both layers rooted one folder deeper."""
        return LayeredFiles(self.upper.below(name), self.lower.below(name))

    def _layer(self, name: str) -> Files:
        return self.upper if self.upper.exists(name) else self.lower

    def path(self, name: str) -> str:
        """Full path of ``name`` in the layer that holds it."""
        return self._layer(name).path(name)

    def exists(self, name: str) -> bool:
        """Tell whether either layer holds ``name``."""
        return self._layer(name).exists(name)

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name`` from the layer that holds it."""
        return self._layer(name).read(name)

    def write(self, name: str, data: bytes) -> None:
        """Write ``name`` to the upper layer."""
        self.upper.write(name, data)

    def adopt(self, staged: Path, name: str) -> None:
        """Move a finished file into the upper layer."""
        self.upper.adopt(staged, name)

    def names(self, folder: str = "") -> list[str]:
        """Sorted names in either layer."""
        return sorted({*self.upper.names(folder), *self.lower.names(folder)})

    def remove(self, name: str) -> None:
        """Delete ``name`` from the upper layer; the lower one is never touched."""
        self.upper.remove(name)

    def stat(self, name: str) -> tuple[int, float]:
        """Return size and modification time from the layer that holds ``name``."""
        return self._layer(name).stat(name)

    def sha256(self, name: str) -> str:
        """Return the digest of ``name`` from the layer that holds it."""
        return self._layer(name).sha256(name)

    def open(self, name: str) -> IO[bytes]:
        """Open ``name`` in the layer that holds it."""
        return self._layer(name).open(name)

    def source(self, name: str) -> str | bytes:
        """Return what the Parquet reader takes, from the layer that holds ``name``."""
        return self._layer(name).source(name)


class DryRunStore(ShardStore):
    """A store that shows ``real`` with what was tried on top of it."""

    def __init__(self, real: ShardStore) -> None:
        self.real = real
        self.layers = LayeredFiles(Files(f"memory://rainbow-dry-run-{uuid.uuid4().hex}"), real.files)
        self.files = self.layers

    def cache_path(self, name: str) -> Path | None:
        """Caches are the real store's: what they hold is true in either layer."""
        return self.real.cache_path(name)

    def holds(self, asset: str, partition: str) -> bool:
        """Tell whether the shard was tried here, so that what it will be is known."""
        return self.layers.upper.exists(f"shards/{asset}/{partition}/{INDEX}")

    def close(self) -> None:
        """Free what was tried."""
        if self.files.fs.exists(self.files.root):
            self.files.fs.rm(self.files.root, recursive=True)
