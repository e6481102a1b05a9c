"""A store on top of a store: writes go to memory, reads fall through. For trying a step without touching its shard."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import IO

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import PinnedStore, ShardStore


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


class DryRunStore(PinnedStore):
    """A store that shows the real one, pinned, with what was tried or foreseen on top of it."""

    def __init__(self, real: ShardStore) -> None:
        super().__init__(real)
        self._memory = Files(f"memory://rainbow-dry-run-{uuid.uuid4().hex}")

    def attempt(self, asset: str, partition: str) -> Shard:
        """Return a handle on the shard that writes to memory; from now on it is the one that this store shows."""
        real = self.shard(asset, partition)
        files = LayeredFiles(self._memory.below(f"shards/{asset}/{partition}"), real.files)
        return self.show(Shard(asset, partition, files, self))

    def show(self, shard: Shard) -> Shard:
        """Show ``shard`` in the place of the stored one."""
        self._shards[shard.asset, shard.partition] = shard
        return shard

    def close(self) -> None:
        """Free what was tried."""
        if self._memory.fs.exists(self._memory.root):
            self._memory.fs.rm(self._memory.root, recursive=True)
