"""Stores that watch what is read: one allows only the inputs that an asset declares, one records what a check reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rainbow_assets.digests import digest
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.files import Files, sha256_bytes
from rainbow_assets.storage.shard import Shard, UndeclaredRead
from rainbow_assets.storage.store import WHOLE, ShardStore

NOTHING = "-"
"""Recorded instead of a digest for a shard or a file that does not exist."""
FILE = "file "
"""Prefix of the files among the names that were read; shards have no prefix."""


class DeclaredStore(ShardStore):
    """Shows ``step`` the assets that it declares as inputs, with the columns of the declared fields only."""

    def __init__(self, real: ShardStore, step: RowAsset) -> None:
        self.real, self.files, self.step, self._outside = real, real.files, step, real._outside

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return the shard of ``asset`` in ``partition``; raise ``UndeclaredRead``."""
        found = replace(self.real.shard(asset, partition), store=self)
        if asset == self.step.name:
            return found
        if asset not in self.step.reads:
            raise UndeclaredRead(f"the asset {self.step.name} reads {asset}, which is not among its inputs; add it to "
                                 "reads")
        names = (*self.step.reads[asset], *self.step.through.get(asset, ()))
        return replace(found, shown=declared(self.step.upstream(asset), names))


def declared(upstream: RowAsset, names: tuple[str, ...]) -> frozenset[str]:
    """Return the columns of the output fields ``names``, those of the key, and those of no field."""
    digested = {column for columns in upstream.fields.values() for column in columns}
    seen = {column for name in names for column in upstream.fields[name]}
    return frozenset({*upstream.identity, *seen, *(name for name in upstream.schema.names if name not in digested)})


class NotedFiles(Files):
    """Files that record the digest of each file that is read."""

    def __init__(self, files: Files, noted: dict[str, str]) -> None:
        self.url, self.fs, self.root, self.local = files.url, files.fs, files.root, files.local
        self._files, self._noted = files, noted

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name`` and record its digest."""
        data = self._files.read(name)
        self._noted[f"{FILE}{name}"] = NOTHING if data is None else sha256_bytes(data)
        return data


class NotedStore(ShardStore):
    """Records which shards and files are read, except the shard ``own``, with digests of their content."""

    def __init__(self, own: Shard) -> None:
        self.noted: dict[str, str] = {}
        self.real, self.own, self._outside = own.store, own, own.store._outside
        self.files = NotedFiles(own.store.files, self.noted)

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return the shard of ``asset`` in ``partition`` and record a digest of its content."""
        found = self.real.shard(asset, partition)
        if (asset, partition) != (self.own.asset, self.own.partition):
            self.noted[found.where] = content(found)
        return replace(found, store=self)


def content(shard: Shard) -> str:
    """Return a digest of the rows and the bytes of ``shard``: the bytes may change while the rows stay equal."""
    index = shard.index()
    return NOTHING if index is None else digest(index.data_version, [part.sha256 for part in index.parts])


def unchanged(noted: Mapping[str, str], store: ShardStore) -> bool:
    """Return True if everything in ``noted`` still has the recorded content."""
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
