"""Choosing the engine by the settings: one setting moves the work from this machine to Modal."""

from __future__ import annotations

from rainbow_assets.embeddings.engine import Engine
from rainbow_assets.embeddings.local import LocalEngine
from rainbow_assets.embeddings.settings import EmbeddingRules


def open_engine(rules: EmbeddingRules) -> Engine:
    """Return the engine of ``embeddings.engine``; it does not connect to anything yet."""
    if rules.engine == "modal":
        from rainbow_assets.embeddings.modal_engine import ModalEngine

        return ModalEngine()
    return LocalEngine(rules.device)
