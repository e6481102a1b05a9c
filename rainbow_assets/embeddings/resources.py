"""The engine as a Dagster resource: which one, and how much it may spend."""

import dataclasses

import dagster as dg

from rainbow_assets import settings
from rainbow_assets.embeddings.engine import Engine
from rainbow_assets.embeddings.engines import open_engine


class EmbeddingEngineResource(dg.ConfigurableResource):
    """``engine`` is ``local`` or ``modal``; empty: as ``embeddings.engine`` of the settings says."""

    engine: str = ""

    def open(self) -> Engine:
        """Return the engine; nothing is contacted yet."""
        rules = settings.default_rules().embeddings
        return open_engine(dataclasses.replace(rules, engine=self.engine) if self.engine else rules)
