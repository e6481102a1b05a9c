"""How much the tests do: one file of counts, read by every test that repeats something.

``RAINBOW_TEST_SCALE`` picks a table of ``counts.toml``: ``test`` (default), ``ci``, ``heavy`` or ``full``.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

COUNTS = tomllib.loads((Path(__file__).parent / "counts.toml").read_text("utf-8"))
SCALE = os.environ.get("RAINBOW_TEST_SCALE", "test")


def examples(default: int) -> int:
    """Return how many hypothesis examples to run where ``default`` would be thorough."""
    return max(10, round(default * COUNTS[SCALE]["examples"]))


def count(name: str) -> int:
    """Return the count called ``name`` (kills, edit scripts, faults) at the chosen scale."""
    return int(COUNTS[SCALE][name])
