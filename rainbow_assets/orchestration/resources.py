"""Dagster resources: the store of all output, and the engine that embeds."""

import dataclasses

import dagster as dg

from rainbow_assets import settings
from rainbow_assets.embeddings.engine import Engine, open_engine
from rainbow_assets.storage.store import ShardStore


class ShardStoreResource(dg.ConfigurableResource):
    """The root of all output: a local folder or an fsspec URL; if empty, ``RAINBOW_DATA``."""

    data: str = ""

    def open(self) -> ShardStore:
        """Return the store at the configured root."""
        return ShardStore(self.data or settings.roots().data)


class EmbeddingEngineResource(dg.ConfigurableResource):
    """The engine that embeds: ``local`` or ``modal``; if empty, the setting ``embeddings.engine``."""

    engine: str = ""

    def open(self) -> Engine:
        """Return the engine; nothing is contacted yet."""
        rules = settings.default_rules().embeddings
        return open_engine(dataclasses.replace(rules, engine=self.engine) if self.engine else rules)
