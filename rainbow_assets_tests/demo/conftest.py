"""One small demo corpus for all tests of the demo."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rainbow_assets.demo.write import DemoReport, write_demo

SECONDS = 14.0
SHARED = Path(__file__).resolve().parents[3] / "shared"


def tree(root: Path) -> dict[str, str]:
    """Return {relative path: sha256} of every file below ``root``."""
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    """The demo corpus, two songs per color."""
    return write_demo(tmp_path_factory.mktemp("demo") / "corpus", seconds=SECONDS)
