"""Jobs, and the one function that runs assets over a range of colors in this process, visibly in Dagster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from rainbow_assets.errors import UsageError
from rainbow_assets.taxonomy import COLOR_NAMES

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

WHOLE_GRAPH = "songs_to_release"
main_job = dg.define_asset_job(
    "songs_to_tables",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets("published_dataset"),
    description="Every color asset, from raw songs to the playable preview, with all checks.",
)
release_job = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.assets("published_dataset"),
    description="Publish a version: all colors, all gates, or nothing.",
)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""On the command line the verbs say what happened; the whole log is in the Dagster UI."""
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def instance() -> dg.DagsterInstance:
    """Return the Dagster instance of ``DAGSTER_HOME``; raise ``UsageError`` where that is not set."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        raise UsageError("DAGSTER_HOME is not set; run: export DAGSTER_HOME=$PWD (in the project's folder)")
    if not os.path.isdir(home):
        raise UsageError(f"DAGSTER_HOME is {home}, which does not exist; run: export DAGSTER_HOME=$PWD")
    return dg.DagsterInstance.get()


def run_colors(
    definitions: dg.Definitions, colors: Sequence[str] = COLOR_NAMES, assets: Sequence[str] | None = None
) -> ExecuteInProcessResult:
    """Materialize ``assets`` (default: every color asset) for a contiguous range of colors, in one run."""
    job = definitions.resolve_job_def(main_job.name)
    keys = [dg.AssetKey(name) for name in assets] if assets is not None else None
    return job.execute_in_process(
        instance=instance(), asset_selection=keys, raise_on_error=False, run_config=QUIET,
        tags={RANGE_START: colors[0], RANGE_END: colors[-1]},
    )


def run_release(definitions: dg.Definitions, config: dict[str, object]) -> ExecuteInProcessResult:
    """Materialize ``published_dataset`` with ``config``."""
    job = definitions.resolve_job_def(release_job.name)
    return job.execute_in_process(
        instance=instance(), raise_on_error=False,
        run_config={**QUIET, "ops": {"published_dataset": {"config": config}}},
    )
