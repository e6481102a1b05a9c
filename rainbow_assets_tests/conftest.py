"""One tiny corpus for the whole test run, and a Dagster home that was migrated once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from rainbow_assets.demo.write import write_demo

ROOT = Path(__file__).resolve().parents[1]
# On CI the same examples every time: a red run is the change's doing. Elsewhere new ones are looked for.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, Green and Blue of the demo, one short song each."""
    root = tmp_path_factory.mktemp("tiny") / "corpus"
    write_demo(root, songs_per_color=1, seconds=8)
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in ("02_01", "05_01", "06_01"):
            shutil.rmtree(folder)
    return root


@pytest.fixture
def project(tmp_path: Path, tiny_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with its own corpus, data root and Dagster home; returns the data root."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    (tmp_path / "home").mkdir()
    shutil.copy(ROOT / "dagster.yaml", tmp_path / "home/dagster.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAINBOW_CORPUS", str(tmp_path / "corpus"))
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RAINBOW_HUB", raising=False)
    monkeypatch.delenv("RAINBOW_SETTINGS", raising=False)
    (tmp_path / "data/dagster").mkdir(parents=True)
    return tmp_path / "data"
