"""Which engine the rules choose: moving from this machine to Modal is one setting."""

from __future__ import annotations

from rainbow_assets.embeddings.engine import Engine
from rainbow_assets.embeddings.local import LocalEngine
from rainbow_assets.embeddings.settings import EmbeddingRules


def open_engine(rules: EmbeddingRules) -> Engine:
    """Return the engine that ``embeddings.engine`` names; nothing is contacted yet."""
    if rules.engine == "modal":
        from rainbow_assets.embeddings.modal_engine import ModalEngine

        return ModalEngine()
    return LocalEngine(rules.device)
