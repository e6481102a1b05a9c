"""Earlier versions of code that makes the same rows as today's: an edit that changes no row recomputes none.

``adopted.json`` lists, per step and check, versions from the oldest to the newest. Rows and verdicts of all of them
count as those of the newest as long as that is today's, and get its version when a shard is written. The first ones
digested modules as a whole. ``.ci/golden COMMIT --adopt`` adds versions after comparing the bytes of both commits.
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
    """Return {older version: today's} for rows of ``step`` that today's code would make the same way."""
    *older, newest = _known()["steps"].get(step.name, [""])
    return dict.fromkeys(older, newest) if older and step.code.version == newest else {}


def same(check: Check, version: str) -> bool:
    """Return True if ``version`` is that of ``check``, or of code that asks the same."""
    known = _known()["checks"].get(f"{check.asset}.{check.name}", [""])
    return version == check.version or (check.version == known[-1] and version in known)
