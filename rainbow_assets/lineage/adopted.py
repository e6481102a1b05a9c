"""Versions that code had when modules were digested as a whole, and what each is now that definitions are.

``adopted.json`` was made from one commit with both ways of digesting: the same code has both versions. Rows and
verdicts of the old one count as those of the new one as long as that is today's, so that a finer digest recomputes
nothing. The old versions are replaced as shards are written.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rainbow_assets.lineage.step import Step
    from rainbow_assets.lineage.verdicts import Check


@cache
def _known() -> dict[str, dict[str, list[str]]]:
    return json.loads(Path(__file__).with_name("adopted.json").read_text("utf-8"))


def steps(step: Step) -> dict[str, str]:
    """Return {old version: today's} for rows of ``step`` that today's code would make the same way."""
    old, new = _known()["steps"].get(step.name, ("", ""))
    return {old: new} if old and step.code.version == new else {}


def same(check: Check, version: str) -> bool:
    """Return True if ``version`` is that of ``check``, in today's digests or in the old ones."""
    old, new = _known()["checks"].get(f"{check.asset}.{check.name}", ("", ""))
    return version == check.version or (version == old and check.version == new)
