"""How much a benchmark does: everything, or with ``RAINBOW_BENCH=tiny`` as little as runs every line of it."""

from __future__ import annotations

import os
from typing import Any

TINY = os.environ.get("RAINBOW_BENCH") == "tiny"


def size(full: Any, tiny: Any) -> Any:
    """Return ``tiny`` in a tiny run, whose figures say nothing; else ``full``."""
    return tiny if TINY else full


def demo() -> dict[str, Any]:
    """Return how long the demo's songs are, for ``write_demo``: the usual length, or 6 seconds in a tiny run."""
    return {"seconds": 6} if TINY else {}
