"""All shards below one root: ``<data>/shards/<asset>/<Color or _all>/``."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import copy
from pathlib import Path
from typing import Any, TypeVar

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import Shard

WHOLE = "_all"
T = TypeVar("T")


class ShardStore:
    """Opens shards. ``url`` is the data root: a local folder or an fsspec URL."""

    _outside: dict[Hashable, Any] | None = None

    def __init__(self, url: str) -> None:
        self.files = Files(url)

    def once(self, what: Hashable, read: Callable[[], T]) -> T:
        """Return the result of ``read``, which reads outside the store; a remembering store calls it only once."""
        if self._outside is None:
            return read()
        if what not in self._outside:
            self._outside[what] = read()
        return self._outside[what]

    def remembering(self) -> ShardStore:
        """Return this store with a memory, so that one build sees everything outside the store in one state."""
        found = copy(self)
        found._outside = {}
        return found

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return a handle on the shard of ``asset`` in ``partition``; nothing is read or written yet."""
        return Shard(asset, partition, self.files.below(f"shards/{asset}/{partition}"), self)

    def pinned(self) -> PinnedStore:
        """Return the store in its current state, for readers that must see one state of all shards."""
        return PinnedStore(self)

    def cache_path(self, name: str) -> Path | None:
        """Return the local path of the cache ``name``, or None behind a URL, where nothing is cached."""
        return Path(self.files.path(f"cache/{name}")) if self.files.local else None


class PinnedFiles(Files):
    """Files of which the JSON ones (``shard.json``, ``verdicts.json``) are read once and then never change."""

    def __init__(self, files: Files) -> None:
        self.url, self.fs, self.root, self.local = files.url, files.fs, files.root, files.local
        self._seen: dict[str, bytes | None] = {}

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name``; for a JSON file, its content at the first reading."""
        if not name.endswith(".json"):
            return super().read(name)
        if name not in self._seen:
            self._seen[name] = super().read(name)
        return self._seen[name]


class PinnedStore(ShardStore):
    """A store that shows each shard as it was when it was first read, even if another process builds it meanwhile.

    It is enough to pin the index: parts never change, and stay for an hour after they were replaced.
    """

    def __init__(self, real: ShardStore) -> None:
        self.real, self.files = real, real.files
        self._shards: dict[tuple[str, str], Shard] = {}
        self._pins: dict[tuple[str, str], PinnedFiles] = real._pins if isinstance(real, PinnedStore) else {}
        self._outside = real._outside if isinstance(real, PinnedStore) else {}

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return the one handle on the shard of ``asset`` in ``partition``."""
        where = asset, partition
        if where not in self._shards:
            if where not in self._pins:
                self._pins[where] = PinnedFiles(self.real.shard(asset, partition).files)
            self._shards[where] = Shard(asset, partition, self._pins[where], self)
        return self._shards[where]

    def pinned(self) -> PinnedStore:
        """Return this store, which is pinned already."""
        return self
