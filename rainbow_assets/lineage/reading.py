"""Stores that see what is read through them: a step reads what it declares, a verdict knows what its check read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.digests import digest
from rainbow_assets.storage.files import Files, sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE, ShardStore

NOTHING = "-"
"""What stands for a shard or a file that is not there."""
FILE = "file "
"""Before the name of a file among what was read; shards have none."""


class UndeclaredRead(RainbowError):
    """A step read a table that is not among its inputs: a change there would not make its rows stale."""


class DeclaredStore(ShardStore):
    """Opens the shards of ``assets`` and no others, for the step called ``name``."""

    def __init__(self, real: ShardStore, name: str, assets: Collection[str]) -> None:
        self.real, self.files, self.name = real, real.files, name
        self.assets = {name, *assets}

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return the shard of ``asset`` in ``partition``; raise ``UndeclaredRead``."""
        if asset not in self.assets:
            raise UndeclaredRead(f"the step {self.name} reads {asset}, which is not among its inputs; declare it")
        return replace(self.real.shard(asset, partition), store=self)


class NotedFiles(Files):
    """Files that note the digest of each one that is read."""

    def __init__(self, files: Files, noted: dict[str, str]) -> None:
        self.url, self.fs, self.root, self.local = files.url, files.fs, files.root, files.local
        self._files, self._noted = files, noted

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name``, and note it."""
        data = self._files.read(name)
        self._noted[f"{FILE}{name}"] = NOTHING if data is None else sha256_bytes(data)
        return data


class NotedStore(ShardStore):
    """Notes which shards and files are read, beside the shard ``own``, and what they hold."""

    def __init__(self, own: Shard) -> None:
        self.noted: dict[str, str] = {}
        self.real, self.own = own.store, own
        self.files = NotedFiles(own.store.files, self.noted)

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return the shard of ``asset`` in ``partition``, and note what it holds."""
        found = self.real.shard(asset, partition)
        if (asset, partition) != (self.own.asset, self.own.partition):
            self.noted[found.where] = content(found)
        return replace(found, store=self)


def content(shard: Shard) -> str:
    """Return a digest of the rows and the bytes of ``shard``: bytes may move under equal rows."""
    index = shard.index()
    return NOTHING if index is None else digest(index.data_version, [part.sha256 for part in index.parts])


def unchanged(noted: Mapping[str, str], store: ShardStore) -> bool:
    """Return True if everything in ``noted`` holds what it did."""
    for name, was in noted.items():
        if name.startswith(FILE):
            data = store.files.read(name.removeprefix(FILE))
            now = NOTHING if data is None else sha256_bytes(data)
        else:
            asset, _, partition = name.partition("/")
            now = content(store.shard(asset, partition))
        if now != was:
            return False
    return True
