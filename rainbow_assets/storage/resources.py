"""The Dagster face of storage: the one resource through which assets read and write shards."""

from __future__ import annotations

import dagster as dg

from rainbow_assets import settings
from rainbow_assets.storage.store import ShardStore


class ShardStoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where all output lives: a local folder or an fsspec URL; empty means ``RAINBOW_DATA``."""

    data: str = ""

    def open(self) -> ShardStore:
        """Return the store at the configured root."""
        return ShardStore(self.data or settings.roots().data)
