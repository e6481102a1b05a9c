"""Older code versions that make the same rows as the current one, so that a rewrite without effect recomputes nothing.

``adopted.json`` lists code versions per asset and check, from the oldest to the newest. While the newest is the current
one, rows and verdicts of all listed versions count as current, and get its version when a shard is written. The oldest
entries were digests of whole modules. ``.ci/golden COMMIT --adopt`` adds versions after comparing the bytes that both
commits make.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rainbow_assets.lineage.row_asset import RowAsset
    from rainbow_assets.lineage.verdicts import Check


@cache
def _known() -> dict[str, dict[str, list[str]]]:
    return json.loads(Path(__file__).with_name("adopted.json").read_text("utf-8"))


def steps(step: RowAsset) -> dict[str, str]:
    """Return {older version: current version} for the rows of ``step`` that need not be computed again."""
    *older, newest = _known()["steps"].get(step.name, [""])
    return dict.fromkeys(older, newest) if older and step.code.version == newest else {}


def same(check: Check, version: str) -> bool:
    """Return True if ``version`` is that of ``check``, or of older code that checks the same."""
    known = _known()["checks"].get(f"{check.asset}.{check.name}", [""])
    return version == check.version or (check.version == known[-1] and version in known)
