"""Verdicts: the results of checks on one exact state of a shard, with numbers, in a file beside the shard."""

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
    """The result of a check. ``message`` is for a person: what is wrong and how to fix it, or what was found."""

    passed: bool
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check on every row of a shard. The asset that lists it fills in ``asset``."""

    name: str
    evaluate: Callable[[Shard], Finding]
    description: str
    asset: str = ""

    @property
    def version(self) -> str:
        """The version of the check's code: a pass by older code does not count."""
        return used_by(self.evaluate).version


def check(description: str) -> Callable[[Callable[[Shard], Finding]], Check]:
    """Return a decorator that makes a check from a function, with the function's name.

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
    """One entry of ``verdicts.json``: the result of one version of a check on one :func:`state` of the shard."""

    check: str
    data_version: str
    check_version: str
    passed: bool
    message: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    read: Mapping[str, str] = field(default_factory=dict)
    """The other shards and files that the check read, with digests of their content."""


def state(index: ShardIndex) -> str:
    """Return a digest of what a check may depend on: rows, bytes of the parts, and the settings of the shard."""
    return digest(index.data_version, [part.sha256 for part in index.parts], index.inputs.get("settings"))


def read(shard: Shard) -> list[Verdict]:
    """Return the verdicts beside ``shard``; raise ``DamagedShard`` if the file cannot be read."""
    data = shard.files.read(FILE)
    if data is None:
        return []
    try:
        return [Verdict(**entry) for entry in json.loads(data)["verdicts"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedShard(
            f"{shard.where}/{FILE} cannot be read ({error}); run: rainbow build --repair"
        ) from error


def write(shard: Shard, verdicts: Iterable[Verdict]) -> None:
    """Replace the verdicts beside ``shard``."""
    entries = [asdict(verdict) for verdict in sorted(verdicts, key=lambda v: v.check)]
    shard.files.write(FILE, (json.dumps({"verdicts": entries}, indent=1, sort_keys=True) + "\n").encode())


def current(shard: Shard, check: Check, known: list[Verdict] | None = None) -> Verdict | None:
    """Return the verdict of the current code of ``check`` on the live data, or None."""
    now = state(shard.require_index())
    for verdict in known if known is not None else read(shard):
        if ((verdict.check, verdict.state) == (check.name, now) and adopted.same(check, verdict.check_version)
                and reading.unchanged(verdict.read, shard.store)):
            return replace(verdict, check_version=check.version)
    return None


def ensure(shard: Shard, checks: Iterable[Check], again: bool = False) -> list[Verdict]:
    """Return one current verdict per check; run the checks that have none (with ``again``, all of them)."""
    try:
        known = read(shard)
    except DamagedShard:
        known = []
    index, found = shard.require_index(), []
    for check in checks:
        verdict = None if again else current(shard, check, known)
        if verdict is None:
            seen = NotedStore(shard)
            finding = check.evaluate(replace(shard, store=seen))
            verdict = Verdict(check.name, index.data_version, check.version, finding.passed, finding.message,
                              dict(finding.numbers), state(index), seen.noted)
        found.append(verdict)
    if sorted(found, key=lambda v: v.check) != sorted(known, key=lambda v: v.check):
        write(shard, found)
    return found
