"""The test run itself: hidden programs are hidden, skips are named, seeds are printed and repeat."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import os
import shutil
import pytest
from hypothesis import given, settings, strategies as st

def test_hidden():
    assert shutil.which("sh") and not shutil.which("env")

@pytest.mark.skip(reason="it needs a theremin")
def test_skipped():
    pass

SEEN = []

@given(st.integers())
def test_property(number):
    SEEN.append(number)

@settings(max_examples=20 if "FIND" in os.environ else 1)
@given(st.integers(0, 3))
def test_frail(number):
    assert number < 2 or "FRAIL" not in os.environ

def test_print():
    print("drawn", SEEN)
"""


def run(folder: Path, code: int = 0, **more: str) -> str:
    (folder / "rainbow_assets_tests").mkdir(exist_ok=True)
    (folder / "rainbow_assets_tests/test_it.py").write_text(TESTS, "utf-8")
    (folder / "conftest.py").write_text("from rainbow_assets_tests.conftest import *", "utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "RAINBOW_TEST_HIDE": "env",
           "RAINBOW_TEST_SAVED": str(folder / "saved"), **more}
    env.pop("RAINBOW_TEST_HIDDEN", None)
    if "RAINBOW_TEST_SEED" not in more:
        env.pop("RAINBOW_TEST_SEED", None)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "--rootdir", str(folder),
                           str(folder / "rainbow_assets_tests/test_it.py")], cwd=folder, env=env, capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_a_run_names_what_it_skipped_and_hides_programs(tmp_path: Path):
    plain = run(tmp_path, RAINBOW_TEST_SCALE="test")
    assert "skipped 1: it needs a theremin" in plain and "RAINBOW_TEST_SEED" not in plain


def drawn(output: str) -> str:
    return next(line for line in output.splitlines() if "drawn" in line)


@pytest.mark.heavy
@pytest.mark.parametrize("judge", ["", "true"])
def test_plain_runs_draw_the_same_and_heavy_ones_by_their_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judge: str):
    """Where CI is set, too: hypothesis has other defaults there."""
    monkeypatch.setenv("CI", judge)
    if not judge:
        monkeypatch.delenv("CI")
    assert drawn(run(tmp_path, RAINBOW_TEST_SCALE="test")) == drawn(run(tmp_path, RAINBOW_TEST_SCALE="test"))
    first = run(tmp_path, RAINBOW_TEST_SCALE="heavy")
    seed = first.partition("RAINBOW_TEST_SEED=")[2].partition(";")[0]
    assert seed.isdecimal()
    assert drawn(run(tmp_path, RAINBOW_TEST_SCALE="heavy", RAINBOW_TEST_SEED=seed)) == drawn(first)
    assert drawn(run(tmp_path, RAINBOW_TEST_SCALE="heavy", RAINBOW_TEST_SEED="1")) != drawn(first)


def test_an_example_that_failed_is_tried_again_in_every_later_run(tmp_path: Path):
    run(tmp_path, RAINBOW_TEST_SCALE="test", FRAIL="1")  # one example, which holds
    run(tmp_path, code=1, RAINBOW_TEST_SCALE="heavy", FRAIL="1", FIND="1")
    assert any(path.is_file() for path in (tmp_path / "saved").rglob("*"))
    run(tmp_path, code=1, RAINBOW_TEST_SCALE="test", FRAIL="1")
    run(tmp_path, RAINBOW_TEST_SCALE="test")


def test_the_package_looks_for_programs_in_one_place():
    """.ci/run repeats the tests of that place, and those of whole commands, without the programs."""
    package = ROOT / "rainbow_assets"
    assert [path.relative_to(package).as_posix() for path in sorted(package.rglob("*.py"))
            if "shutil.which(" in path.read_text("utf-8")] == ["composition/sound.py"]
