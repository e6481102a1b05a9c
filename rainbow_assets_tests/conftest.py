"""One tiny corpus for the whole test run, and a Dagster home that was migrated once."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Tests run side by side, a core each: threads that wait for each other's turns are slower than one.
if os.environ.get("RAINBOW_TEST_SCALE") is None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from rainbow_assets import progress
from rainbow_assets.demo.write import write_demo
from rainbow_assets.storage.lock import file_lock
from rainbow_assets_tests.command import rainbow
from rainbow_assets_tests.counts import SCALE
from rainbow_assets_tests.programs import hide

ROOT = Path(__file__).resolve().parents[1]
HEAVY = SCALE != "test"
HEAVY_S = 1800
"""Seconds that a heavy test may take, also where other programs have the cores."""
SEED = int(os.environ.get("RAINBOW_TEST_SEED") or (random.SystemRandom().randrange(2**32) if HEAVY else 0))
os.environ["RAINBOW_TEST_SEED"] = str(SEED)
# `make test` has the same examples every time: a red run is the change's doing. `make test-heavy` looks for new ones,
# and a seed repeats them. An example that fails is kept among the tests, and every later run tries it first. No
# deadlines: a slow machine fails nothing. Where CI is set, hypothesis has other defaults; these hold everywhere.
SAVED = Path(os.environ.get("RAINBOW_TEST_SAVED", ROOT / "rainbow_assets_tests/regressions"))
settings.register_profile("rainbow", derandomize=False, deadline=None, print_blob=True,
                          database=DirectoryBasedExampleDatabase(SAVED))
settings.load_profile("rainbow")
hide()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the property tests, so that they can be run alone with other examples, and give them the run's seed.

    Tests of the whole come first: they take minutes each, and at the end one core would wait for the other.
    """
    items.sort(key=lambda item: len(item.path.parts))
    for item in items:
        if item.get_closest_marker("heavy") and SCALE != "full":
            item.add_marker(pytest.mark.timeout(HEAVY_S))
        test = getattr(item, "obj", None)
        if getattr(test, "is_hypothesis_test", False):
            item.add_marker("property")
            # What hypothesis.seed does, which would take the kept examples away from the test.
            getattr(test, "__func__", test)._hypothesis_internal_use_seed = SEED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in the last lines what was skipped and why, what tests counted, and with which seed examples were drawn."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] = reasons.get(reason.removeprefix("Skipped: "), 0) + 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"skipped {count}: {reason}")
    counted = Counter((name, how) for report in terminalreporter.stats.get("passed", [])
                      for name, how in getattr(report, "user_properties", ()))
    for (name, how), number in sorted(counted.items()):
        terminalreporter.write_line(f"{name}: {number} {how}")
    if HEAVY:
        terminalreporter.write_line(f"examples were drawn with RAINBOW_TEST_SEED={SEED}; set it to draw them again")


@pytest.fixture(autouse=True)
def _no_line_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No progress line comes because a minute went by since an earlier test; a test of progress sets its own time."""
    monkeypatch.setattr(progress, "QUIET_EVERY_S", float("inf"))


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


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that asks for a built project leaves it for the others, of all processes of the run."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "kept"
    place.mkdir(exist_ok=True)
    return place


@pytest.fixture
def whole(project: Path, kept: Path) -> Path:
    """The project with everything built: by the command, in one run, once; every test has a copy. Its data root."""
    names, place = ("corpus", "data", "home"), project.parent
    with file_lock(kept / "lock"):
        if not (kept / "made").exists():
            done = rainbow("build")
            assert done.exit_code == 0, done.output
            for name in names:
                shutil.copytree(place / name, kept / name, dirs_exist_ok=True)
            (kept / "made").touch()
    for name in names:
        shutil.rmtree(place / name)
        shutil.copytree(kept / name, place / name)
    return project


@pytest.fixture
def window() -> Iterator[Any]:
    """A headless Chromium window that loads nothing of its own accord; skips where there is no Chromium."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("chromium and chromedriver are not installed (apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                 "--autoplay-policy=no-user-gesture-required", "--window-size=1400,1000"):
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()
