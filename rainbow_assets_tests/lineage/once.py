"""A project that was observed and built once; each test gets a copy of it, which costs less than a build."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rainbow_assets.corpus import watch
from rainbow_assets.definitions import defs
from rainbow_assets.orchestration import jobs
from rainbow_assets.orchestration.raw_songs import observation
from rainbow_assets.storage.store import ShardStore

CHAIN = ["base_manifest", "song_splits", "segments"]
ROOT = Path(__file__).resolve().parents[2]


def enter(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make ``folder`` the working folder with its corpus, data root and Dagster home."""
    patch.chdir(folder)
    for name, part in (("RAINBOW_CORPUS", "corpus"), ("RAINBOW_DATA", "data"), ("DAGSTER_HOME", "home")):
        patch.setenv(name, str(folder / part))
    patch.delenv("RAINBOW_HUB", raising=False)
    patch.delenv("RAINBOW_SETTINGS", raising=False)


def observe(project: Path) -> None:
    """Record what the sensor would of every color."""
    with jobs.instance() as here:
        for sight in watch.observe(ShardStore(str(project))):
            here.report_runless_asset_event(observation(sight))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, tiny_corpus: Path) -> Path:
    """Build the chain once, through Dagster."""
    folder = tmp_path_factory.mktemp("once")
    shutil.copytree(tiny_corpus, folder / "corpus")
    (folder / "home").mkdir()
    (folder / "data/dagster").mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", folder / "home/dagster.yaml")
    with pytest.MonkeyPatch.context() as patch:
        enter(folder, patch)
        observe(folder / "data")
        assert jobs.run_colors(defs, assets=CHAIN).success
    return folder


@pytest.fixture
def built(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project; returns its data root."""
    folder = tmp_path / "copy"
    shutil.copytree(template, folder)
    enter(folder, monkeypatch)
    return folder / "data"
