"""Bringing one shard up to date: gates, lock, reconcile, compute, commit, checks, history."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from rainbow_assets import settings
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import gates, guards, verdicts
from rainbow_assets.lineage.ledger import Report, commit, reconcile
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.lineage.verdicts import Verdict
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE, ShardStore

STATE = "state.json"
HISTORY = "history.json"
HISTORY_LENGTH = 50
LOCK_WAIT_S = 600.0


@dataclass(frozen=True)
class BuildResult:
    """The result of building one shard: ``report`` and ``verdicts``, or ``problem``: why it was not updated."""

    partition: str
    report: Report | None
    verdicts: list[Verdict]
    problem: str | None


def bring_up_to_date(
    step: RowAsset,
    store: ShardStore,
    partition: str = WHOLE,
    rules: settings.Rules | None = None,
    run: str = "-",
    progress: Callable[[str, int, int], None] | None = None,
    allow_deletes: bool = False,
) -> BuildResult:
    """Compute the rows of one shard that are stale, and check it.

    After a ``RainbowError`` (blocked upstream, damaged file, busy shard, unusable input) the shard is unchanged and the
    error is recorded beside it; any other exception is a bug and is raised. ``allow_deletes`` accepts that many source
    files disappeared at once.
    """
    store = store.remembering()
    shard = store.shard(step.name, partition)
    rules = rules or settings.default_rules()
    try:
        gates.require_upstreams(step, store, partition)
        with writer_lock(shard.files, run, LOCK_WAIT_S):
            started = time.monotonic()
            # Compared under the lock, because another writer could change the ledger before the commit.
            delta = reconcile(step, shard, rules)
            if not allow_deletes:
                guards.require_present(delta)
            total = len(delta.new) + len(delta.changed)
            tick = (lambda done: progress(partition, done, total)) if progress else None
            report = commit(delta, step.compute(delta.work()) if total else (), tick)
            for export in step.exports:
                export(shard)
            found = verdicts.ensure(shard, step.checks)
            if report.computed or report.removed:
                _remember(shard, report, run, time.monotonic() - started)
            _state(shard, None)
        return BuildResult(partition, report, found, None)
    except RainbowError as error:
        _state(shard, str(error))
        return BuildResult(partition, None, [], str(error))


def _state(shard: Shard, problem: str | None) -> None:
    """Record why the last build did not update the shard (None: it did)."""
    before = shard.files.read(STATE)
    data = (json.dumps({"problem": problem}, indent=1) + "\n").encode()
    if before != data and (problem is not None or before is not None):
        shard.files.write(STATE, data)


def problem(shard: Shard) -> str | None:
    """Return why the last build did not update ``shard``, or None if it did."""
    data = shard.files.read(STATE)
    try:
        return json.loads(data)["problem"] if data else None
    except (ValueError, KeyError, TypeError):
        return f"{shard.where}/{STATE} cannot be read; run: rainbow build --repair"


def _remember(shard: Shard, report: Report, run: str, seconds: float) -> None:
    entries = history(shard)[-(HISTORY_LENGTH - 1):]
    entries.append({
        "run": run, "at": round(time.time(), 3), "seconds": round(seconds, 4), "computed": report.computed,
        "reused": report.reused, "removed": report.removed, "bytes": report.bytes_written,
        "data_version": report.data_version,
    })
    shard.files.write(HISTORY, (json.dumps(entries, indent=1) + "\n").encode())


def history(shard: Shard) -> list[dict[str, object]]:
    """Return the last builds that changed ``shard``, oldest first: run, time, seconds, rows, bytes."""
    data = shard.files.read(HISTORY)
    try:
        found = json.loads(data) if data else []
    except ValueError:
        found = []
    return found if isinstance(found, list) else []
