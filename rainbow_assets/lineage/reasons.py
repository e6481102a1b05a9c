"""Why rows are stale, as sentences: which input, setting, module or library changed, down to the file and field."""

from __future__ import annotations

from typing import Any

import polars as pl

from rainbow_assets import settings
from rainbow_assets.lineage.foresee import UNKNOWN
from rainbow_assets.lineage.ledger import VERSIONS, Delta, moved_inputs
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import counted, some

MOST = 8
"""How many rows, files or modules a sentence names; the others are counted."""


def of_delta(delta: Delta, real: Shard) -> list[str]:
    """Return the reasons for the work in ``delta``, the most important first; an empty list if nothing is stale."""
    if delta.current:
        return []
    if real.index() is None:
        return [f"{real.asset} has never been built for {real.partition}"]
    found = []
    if delta.new:
        found.append(f"{counted(len(delta.new), 'new row')}: {some(delta.new, MOST)}")
    if delta.gone:
        found.append(f"{counted(len(delta.gone), 'row')} to remove: {some(delta.gone, MOST)}")
    if delta.reshaped:
        found.append(f"{counted(len(delta.changed), 'row')}: the columns of {real.asset} changed")
    if delta.changed:
        found += _moved(delta)
    explain = delta.step.explain
    if explain and (delta.new or delta.changed or delta.gone):
        found += explain(delta)
    return found


def _moved(delta: Delta) -> list[str]:
    """Return which digest columns differ among the changed rows; for settings, code and libraries, what changed."""
    found = []
    for name, moved in moved_inputs(delta).items():
        if name in VERSIONS:
            found.append(f"{counted(len(moved), 'row')}: {_version(delta, name)}")
        else:
            rows = delta.candidates.filter(pl.col("key").is_in(list(moved)))
            verb = "may change" if rows[name].str.contains(UNKNOWN, literal=True).any() else "changed"
            keys = some(sorted(moved), MOST)
            found.append(f"{counted(len(moved), 'row')}: {name.removeprefix('in:')} {verb} ({keys})")
    return found


def _version(delta: Delta, name: str) -> str:
    before = (delta.index.facts.get("made_with", {}) if delta.index else {}).get(name, {})
    if name == "code":
        edited = sorted({where for text, places in delta.step.code.texts.items() if text not in before
                         for where in places})
        return f"code changed: {some(edited, MOST)}" if edited and isinstance(before, list) else "code changed"
    moved = differences(before, delta.step.made_with(delta.rules)[name])
    what = {"settings": "setting", "libraries": "library"}[name]
    where = f" in {settings.origin()}" if name == "settings" else ""
    return f"{what} changed{where}: {some(moved, MOST)}" if moved else f"{name} changed{where}"


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what differs between two mappings, as ``name old -> new`` (for digests, only the name)."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        digests = isinstance(old or new, str) and len(str(old or new)) == 64
        found.append(name if digests else f"{name} {old!r} -> {new!r}")
    return found
