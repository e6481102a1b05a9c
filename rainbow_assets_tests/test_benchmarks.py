"""Every benchmark runs to its end at a tiny size; its figures decide nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if not path.name.startswith("_"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_runs_to_its_end(path: Path, tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RAINBOW_", "PYTEST_"))}
    places = {"RAINBOW_CORPUS": "corpus", "RAINBOW_DATA": "data", "RAINBOW_CHORDS": "chords", "RAINBOW_THREADS": "threads"}
    env |= {name: str(tmp_path / folder) for name, folder in places.items()}
    env |= {"RAINBOW_BENCH": "tiny", "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert any(letter.isdigit() for letter in done.stdout), "a benchmark prints figures"
