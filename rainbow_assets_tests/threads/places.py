"""Where the real threads are, for the tests that use them and are skipped without them."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
RAW = SHARED / "threads" / "chain_artifacts"
needs_shared = pytest.mark.skipif(not RAW.is_dir(), reason="the shared real threads are not here")
