"""The contract models, made once for the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from rainbow_assets_tests.embeddings import models


@pytest.fixture(scope="session")
def contract_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.make_all(tmp_path_factory.mktemp("models"))


@pytest.fixture
def offline_models(contract_models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the real loading code at the contract models, with the hub out of reach."""
    monkeypatch.setenv("RAINBOW_MODELS", str(contract_models))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return contract_models
