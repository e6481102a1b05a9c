"""A store over another store: writes go to memory, reads fall through. A plan runs assets on it without writing."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import IO

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import PinnedStore, ShardStore


class LayeredFiles(Files):
    """Reads from ``upper`` if it has the file, else from ``lower``; writes to ``upper`` only."""

    def __init__(self, upper: Files, lower: Files) -> None:
        self.upper, self.lower = upper, lower
        # Never local, so that new files are staged in the temporary folder and not beside the stored ones.
        self.url, self.fs, self.root, self.local = lower.url, upper.fs, upper.root, False

    def below(self, name: str) -> LayeredFiles:
        """Return both layers below the folder ``name``."""
        return LayeredFiles(self.upper.below(name), self.lower.below(name))

    def _layer(self, name: str) -> Files:
        return self.upper if self.upper.exists(name) else self.lower

    def path(self, name: str) -> str:
        """Return the full path of ``name`` in the layer that has it."""
        return self._layer(name).path(name)

    def exists(self, name: str) -> bool:
        """Return True if one of the layers has ``name``."""
        return self._layer(name).exists(name)

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name`` from the layer that has it."""
        return self._layer(name).read(name)

    def write(self, name: str, data: bytes) -> None:
        """Write ``name`` to the upper layer."""
        self.upper.write(name, data)

    def adopt(self, staged: Path, name: str) -> None:
        """Move a complete file into the upper layer."""
        self.upper.adopt(staged, name)

    def names(self, folder: str = "") -> list[str]:
        """Return the sorted names of both layers."""
        return sorted({*self.upper.names(folder), *self.lower.names(folder)})

    def remove(self, name: str) -> None:
        """Delete ``name`` from the upper layer; the lower one never changes."""
        self.upper.remove(name)

    def stat(self, name: str) -> tuple[int, float]:
        """Return size and modification time from the layer that has ``name``."""
        return self._layer(name).stat(name)

    def sha256(self, name: str) -> str:
        """Return the digest of ``name`` from the layer that has it."""
        return self._layer(name).sha256(name)

    def open(self, name: str) -> IO[bytes]:
        """Open ``name`` in the layer that has it."""
        return self._layer(name).open(name)

    def source(self, name: str) -> str | bytes:
        """Return what the Parquet reader reads, from the layer that has ``name``."""
        return self._layer(name).source(name)


class DryRunStore(PinnedStore):
    """The real store, pinned, covered by the shards that a plan built in memory or foresees."""

    def __init__(self, real: ShardStore) -> None:
        super().__init__(real)
        self._memory = Files(f"memory://rainbow-dry-run-{uuid.uuid4().hex}")

    def attempt(self, asset: str, partition: str) -> Shard:
        """Return the shard with its writes going to memory; this store shows it from now on."""
        real = self.shard(asset, partition)
        files = LayeredFiles(self._memory.below(f"shards/{asset}/{partition}"), real.files)
        return self.show(Shard(asset, partition, files, self))

    def show(self, shard: Shard) -> Shard:
        """Show ``shard`` instead of the stored one."""
        self._shards[shard.asset, shard.partition] = shard
        return shard

    def close(self) -> None:
        """Free the memory of all shards that were written."""
        if self._memory.fs.exists(self._memory.root):
            self._memory.fs.rm(self._memory.root, recursive=True)
