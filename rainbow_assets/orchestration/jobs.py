"""Jobs, and the functions that run them in this process for the command line; the runs are recorded in Dagster."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from rainbow_assets import progress
from rainbow_assets.assets import GRAPH
from rainbow_assets.home import database, instance
from rainbow_assets.orchestration import event_log, leases, runs
from rainbow_assets.orchestration.row_assets import ALLOW_DELETES
from rainbow_assets.storage.store import WHOLE
from rainbow_assets.taxonomy import COLOR_NAMES

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

TABLES = dg.AssetSelection.all() - dg.AssetSelection.assets("published_dataset", *GRAPH.on_request())
main_job = dg.define_asset_job(
    "songs_to_tables", selection=TABLES,
    description="Every table, from raw songs to the playable preview, with all checks; trains no model.",
)
any_job = dg.define_asset_job(
    "songs_to_scorer", selection=dg.AssetSelection.all() - dg.AssetSelection.assets("published_dataset"),
    description="Every table, and the assets that are built on request: models, scorer and compositions.",
)
release_job = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.assets("published_dataset"),
    description="Publish a version with all colors, or nothing if a gate is closed.",
)
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
ci_job = dg.define_asset_job(
    "ci", selection=TABLES,
    tags={RANGE_START: COLOR_NAMES[0], RANGE_END: COLOR_NAMES[-1]},
    description="Every table, all colors in one run; fails if a check fails.",
)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""No console log: the verbs print their own results, and the whole log is in the Dagster UI."""


@contextmanager
def _watched(here: dg.DagsterInstance, assets: Sequence[str]) -> Iterator[str]:
    """Yield the id for a run, and show its progress: which asset is being built, and how many are done.

    Standard error and the event log are kept open, because a step would redirect the first to a file and close the
    second after every event.
    """
    run, names, begun = str(uuid.uuid4()), set(assets), list[str]()
    leases.bury(here)
    leases.hold(here, run)
    with database(), progress.keep_stderr(), event_log.kept_open(), progress.bar("building") as tick:
        def count(entry: dg.EventLogEntry) -> None:
            event = entry.dagster_event
            if event and event.is_step_start and event.step_key in names:
                begun.append(event.step_key)
                tick("assets", len(begun) - 1, len(names))

        here.add_event_listener(run, count)
        try:
            yield run
        finally:
            leases.release()
        tick("assets", len(names), len(names))


def run_colors(
    definitions: dg.Definitions, colors: Sequence[str] = COLOR_NAMES, assets: Sequence[str] | None = None,
    allow_deletes: bool = False,
) -> ExecuteInProcessResult:
    """Materialize ``assets`` (default: every table) for a contiguous range of colors, in one run."""
    job = definitions.resolve_job_def(main_job.name if assets is None else any_job.name)
    keys = [dg.AssetKey(name) for name in assets] if assets is not None else None
    allowed = {ALLOW_DELETES: "true"} if allow_deletes else {}
    made = assets or [name for name, step in GRAPH.items() if not step.on_request]
    here = instance()
    with _watched(here, made) as run:
        return job.execute_in_process(
            instance=here, asset_selection=keys, raise_on_error=False, run_config=QUIET, run_id=run,
            tags={RANGE_START: colors[0], RANGE_END: colors[-1], **allowed},
        )


def rows(result: ExecuteInProcessResult) -> tuple[int, int]:
    """Return how many rows a run computed and removed, over all assets and colors."""
    found = by_asset(result).values()
    return sum(computed for computed, _ in found), sum(removed for _, removed in found)


def by_asset(result: ExecuteInProcessResult) -> dict[str, tuple[int, int]]:
    """Return {asset: (rows computed, rows removed)} of a run, over all colors."""
    found = {}
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        if "by_color" in metadata:
            found[event.materialization.asset_key.to_user_string()] = (
                int(str(metadata["rows_computed"].value)), int(str(metadata["rows_removed"].value)))
    return found


def shards(result: ExecuteInProcessResult) -> list[runs.ShardResult]:
    """Return the result of a run for each shard, from its log: the result object has no event per color of a range."""
    logged = instance().all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    return runs.made([made for entry in logged if (made := entry.asset_materialization)], WHOLE)


def skipped(result: ExecuteInProcessResult) -> list[str]:
    """Return the assets that a run planned and did not start, because something that they read failed."""
    planned = instance().all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    keys = [entry.dagster_event.asset_key for entry in planned if entry.dagster_event]
    begun = {event.step_key for event in result.filter_events(lambda event: event.is_step_start)}
    names = dict.fromkeys(key.to_user_string() for key in keys if key)
    return [name for name in (*GRAPH, "published_dataset") if name in names and name not in begun]


def run_release(definitions: dg.Definitions, config: dict[str, object]) -> ExecuteInProcessResult:
    """Materialize ``published_dataset`` with ``config``."""
    job = definitions.resolve_job_def(release_job.name)
    here = instance()
    with _watched(here, ["published_dataset"]) as run:
        return job.execute_in_process(
            instance=here, raise_on_error=False, run_id=run,
            run_config={**QUIET, "ops": {"published_dataset": {"config": config}}},
        )
