"""Verdicts: what a check said about one exact state of a shard, with its numbers, in a file beside the shard."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rainbow_assets.digests import digest
from rainbow_assets.lineage import adopted, reading
from rainbow_assets.lineage.codeversion import used_by
from rainbow_assets.lineage.reading import NotedStore
from rainbow_assets.storage.shard import DamagedShard, Shard, ShardIndex

FILE = "verdicts.json"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: ``numbers`` are plain JSON values, ``message`` tells a person what to fix, or what is."""

    passed: bool
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A check on every row of a shard. ``asset`` is filled in by the asset that lists it."""

    name: str
    evaluate: Callable[[Shard], Finding]
    description: str
    asset: str = ""

    @property
    def version(self) -> str:
        """Version of the check's own code: a pass given by older code does not count."""
        return used_by(self.evaluate).version


def check(description: str) -> Callable[[Callable[[Shard], Finding]], Check]:
    """Make a check of a function, and give it the name of the function.

    >>> @check("No concept is empty.")
    ... def no_concept_is_empty(shard: Shard) -> Finding:
    ...     empty = sum(not text for _, rows in shard.tables(["concept"]) for text in rows["concept"].to_pylist())
    ...     return Finding(not empty, f"{empty} concepts are empty", {"empty": empty})
    >>> no_concept_is_empty.name
    'no_concept_is_empty'
    """
    return lambda evaluate: Check(evaluate.__name__, evaluate, description)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of ``verdicts.json``: what a check of one version said about one :func:`state` of the shard."""

    check: str
    data_version: str
    check_version: str
    passed: bool
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    read: Mapping[str, str] = field(default_factory=dict)
    """What else the check read, shards and files, with digests of what they held."""


def state(index: ShardIndex) -> str:
    """Return a digest of what checks look at: rows, bytes of the parts, and the settings that they were made with."""
    return digest(index.data_version, [part.sha256 for part in index.parts], index.inputs.get("settings"))


def read(shard: Shard) -> list[Verdict]:
    """Return the verdicts beside ``shard``; raise ``DamagedShard`` where the file cannot be read."""
    data = shard.files.read(FILE)
    if data is None:
        return []
    try:
        return [Verdict(**entry) for entry in json.loads(data)["verdicts"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedShard(
            f"{shard.where}/{FILE} cannot be read ({error}); delete it and materialize {shard.asset} again"
        ) from error


def write(shard: Shard, verdicts: Iterable[Verdict]) -> None:
    """Replace the verdicts beside ``shard``."""
    entries = [asdict(verdict) for verdict in sorted(verdicts, key=lambda v: v.check)]
    shard.files.write(FILE, (json.dumps({"verdicts": entries}, indent=1, sort_keys=True) + "\n").encode())


def current(shard: Shard, check: Check, known: list[Verdict] | None = None) -> Verdict | None:
    """Return the verdict of ``check`` on the live data by the live code, or None."""
    now = state(shard.require_index())
    for verdict in known if known is not None else read(shard):
        if ((verdict.check, verdict.state) == (check.name, now) and adopted.same(check, verdict.check_version)
                and reading.unchanged(verdict.read, shard.store)):
            return replace(verdict, check_version=check.version)
    return None


def ensure(shard: Shard, checks: Iterable[Check], again: bool = False) -> list[Verdict]:
    """Return one current verdict per check, evaluating those that are missing (all of them with ``again``)."""
    try:
        known = read(shard)
    except DamagedShard:
        known = []
    index, found = shard.require_index(), []
    for check in checks:
        verdict = None if again else current(shard, check, known)
        if verdict is None:
            seen = NotedStore(shard)
            outcome = check.evaluate(replace(shard, store=seen))
            verdict = Verdict(check.name, index.data_version, check.version, outcome.passed, outcome.message,
                              dict(outcome.numbers), state(index), seen.noted)
        found.append(verdict)
    if sorted(found, key=lambda v: v.check) != sorted(known, key=lambda v: v.check):
        write(shard, found)
    return found
