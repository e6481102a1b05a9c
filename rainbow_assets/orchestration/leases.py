"""Which runs are alive: the process of each run has locked a file, and the kernel releases the lock when it ends.

Dagster does not notice when a process is killed: the run stays STARTED forever, automation waits for it, and it takes
a place in the queue. A run whose lock is free is dead, and is recorded as failed.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.tags import AUTOMATION_CONDITION_TAG
from filelock import FileLock, Timeout

YOUNG_S = 5.0
"""A younger lease is not examined: its owner may be about to lock it."""
LOOK_S = 30
_MINE: dict[Path, FileLock] = {}


def _folder(here: dg.DagsterInstance) -> Path:
    return Path(here.storage_directory()).parent / "leases"


def hold(here: dg.DagsterInstance, run: str) -> None:
    """Keep the lease of ``run`` until this process ends or starts another run."""
    if here.is_ephemeral:
        return
    place = _folder(here) / f"{run}.lock"
    if place not in _MINE:
        release()
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(Timeout):  # another process of the same run has it
            lock = FileLock(place, timeout=0, thread_local=False)
            lock.acquire()
            _MINE[place] = lock


def release() -> None:
    """Release the lease of this process; its run has ended."""
    while _MINE:
        place, lock = _MINE.popitem()
        lock.release()
        place.unlink(missing_ok=True)


def bury(here: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Record every run whose process is gone as failed, and return these runs.

    Runs without a lease on this machine are skipped: they run on another machine, or have not started.
    """
    found = []
    for place in sorted(_folder(here).glob("*.lock")):
        if not _is_free(place):
            continue
        run = here.get_run_by_id(place.stem)
        if run is not None and run.status in IN_PROGRESS_RUN_STATUSES:
            here.report_run_failed(run, "the process of this run ended: it was killed, or its machine stopped")
            found.append(run)
        place.unlink(missing_ok=True)
    return found


def _is_free(place: Path) -> bool:
    try:
        if abs(time.time() - place.stat().st_mtime) < YOUNG_S:  # one from the future is of a clock that was wrong
            return False
        with FileLock(place, timeout=0):
            return True
    except (FileNotFoundError, Timeout):
        return False


@dg.sensor(name="dead_runs", minimum_interval_seconds=LOOK_S, asset_selection=dg.AssetSelection.all(),
           default_status=dg.DefaultSensorStatus.RUNNING)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Records runs whose process is gone as failed, and requests again what automation had requested."""
    dead = bury(context.instance)
    for run in dead:
        context.log.warning(f"run {run.run_id} was recorded as failed: its process is gone")
    return dg.SensorResult(
        run_requests=[again(run) for run in dead if AUTOMATION_CONDITION_TAG in run.tags],
        skip_reason=None if dead else "every run that has started is alive")


def again(run: dg.DagsterRun) -> dg.RunRequest:
    """Return a request for the same assets, checks and colors."""
    kept = ("dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
            AUTOMATION_CONDITION_TAG)
    return dg.RunRequest(
        run_key=f"instead of {run.run_id}", asset_selection=sorted(run.asset_selection or ()),
        asset_check_keys=sorted(run.asset_check_selection or ()),
        tags={name: value for name, value in run.tags.items() if name in kept})
