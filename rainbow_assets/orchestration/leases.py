"""Which runs are alive: the process of each holds a kernel's lock, which dies with it.

Dagster's record of a run cannot tell: a process that was killed leaves it STARTED for ever. Then automation waits for
it, and it takes one of the places of the queue. A run whose lease nobody holds is dead, and is recorded as failed.
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
"""A lease that was written less than this ago is not judged: its owner may be about to lock it."""
LOOK_S = 30
_MINE: dict[Path, FileLock] = {}


def _folder(here: dg.DagsterInstance) -> Path:
    return Path(here.storage_directory()).parent / "leases"


def hold(here: dg.DagsterInstance, run: str) -> None:
    """Hold the lease of ``run`` for as long as this process lives, or until it begins another run."""
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
    """Give back what this process holds; its run has ended."""
    while _MINE:
        place, lock = _MINE.popitem()
        lock.release()
        place.unlink(missing_ok=True)


def bury(here: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Record every run as failed whose process is gone, and return them.

    Runs without a lease on this machine are skipped: they run elsewhere, or have not started.
    """
    found = []
    for place in sorted(_folder(here).glob("*.lock")):
        if not _is_free(place):
            continue
        run = here.get_run_by_id(place.stem)
        if run is not None and run.status in IN_PROGRESS_RUN_STATUSES:
            here.report_run_failed(run, "the process of this run is gone: it was killed, or its machine stopped")
            found.append(run)
        place.unlink(missing_ok=True)
    return found


def _is_free(place: Path) -> bool:
    try:
        if time.time() - place.stat().st_mtime < YOUNG_S:
            return False
        with FileLock(place, timeout=0):
            return True
    except (FileNotFoundError, Timeout):
        return False


@dg.sensor(name="dead_runs", minimum_interval_seconds=LOOK_S, asset_selection=dg.AssetSelection.all(),
           default_status=dg.DefaultSensorStatus.RUNNING)
def dead_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Records runs as failed whose process is gone, and repeats what automation had asked of them."""
    dead = bury(context.instance)
    for run in dead:
        context.log.warning(f"run {run.run_id} is dead: its process is gone")
    return dg.SensorResult(
        run_requests=[again(run) for run in dead if AUTOMATION_CONDITION_TAG in run.tags],
        skip_reason=None if dead else "every run that was begun is alive")


def again(run: dg.DagsterRun) -> dg.RunRequest:
    """Return a request for the same assets, checks and colors."""
    kept = ("dagster/partition", "dagster/asset_partition_range_start", "dagster/asset_partition_range_end",
            AUTOMATION_CONDITION_TAG)
    return dg.RunRequest(
        run_key=f"instead of {run.run_id}", asset_selection=sorted(run.asset_selection or ()),
        asset_check_keys=sorted(run.asset_check_selection or ()),
        tags={name: value for name, value in run.tags.items() if name in kept})
