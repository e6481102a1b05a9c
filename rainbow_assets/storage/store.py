"""All shards below one root: ``<data>/shards/<asset>/<Color or _all>/``."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import Shard

WHOLE = "_all"


class ShardStore:
    """Opens shards. ``url`` is the data root: a local folder or an fsspec URL."""

    def __init__(self, url: str) -> None:
        self.files = Files(url)

    def shard(self, asset: str, partition: str = WHOLE) -> Shard:
        """Return a handle on the shard of ``asset`` in ``partition``; nothing is read or made yet."""
        return Shard(asset, partition, self.files.below(f"shards/{asset}/{partition}"), self)

    def cache_path(self, name: str) -> Path | None:
        """Return where a cache may live on the local disk; None behind a URL, where nothing is cached."""
        return Path(self.files.path(f"cache/{name}")) if self.files.local else None
