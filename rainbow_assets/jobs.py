"""Jobs, and the one function that runs assets over a range of colors in this process, visibly in Dagster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from rainbow_assets import rooms
from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.dagster import ALLOW_DELETES, DATA_VERSION_TAG
from rainbow_assets.storage.store import WHOLE
from rainbow_assets.taxonomy import COLOR_NAMES

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

TABLES = dg.AssetSelection.all() - dg.AssetSelection.assets("published_dataset", *rooms.requested())
main_job = dg.define_asset_job(
    "songs_to_tables", selection=TABLES,
    description="Every table, from raw songs to the playable preview, with all checks; no model is trained.",
)
any_job = dg.define_asset_job(
    "songs_to_scorer", selection=dg.AssetSelection.all() - dg.AssetSelection.assets("published_dataset"),
    description="Every table, and what is made on request: the models and their scorer, and compositions.",
)
release_job = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.assets("published_dataset"),
    description="Publish a version: all colors, all gates, or nothing.",
)
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
ci_job = dg.define_asset_job(
    "ci", selection=TABLES,
    tags={RANGE_START: COLOR_NAMES[0], RANGE_END: COLOR_NAMES[-1]},
    description="Every table, all colors in one run, without questions; red where a check fails.",
)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""On the command line the verbs say what happened; the whole log is in the Dagster UI."""


def instance() -> dg.DagsterInstance:
    """Return the Dagster instance of ``DAGSTER_HOME``; raise ``UsageError`` where that is not set."""
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        raise UsageError("DAGSTER_HOME is not set; run: export DAGSTER_HOME=$PWD (in the project's folder)")
    if not os.path.isdir(home):
        raise UsageError(f"DAGSTER_HOME is {home}, which does not exist; run: export DAGSTER_HOME=$PWD")
    return dg.DagsterInstance.get()


def run_colors(
    definitions: dg.Definitions, colors: Sequence[str] = COLOR_NAMES, assets: Sequence[str] | None = None,
    allow_deletes: bool = False,
) -> ExecuteInProcessResult:
    """Materialize ``assets`` (default: every table) for a contiguous range of colors, in one run."""
    job = definitions.resolve_job_def(main_job.name if assets is None else any_job.name)
    keys = [dg.AssetKey(name) for name in assets] if assets is not None else None
    allowed = {ALLOW_DELETES: "true"} if allow_deletes else {}
    return job.execute_in_process(
        instance=instance(), asset_selection=keys, raise_on_error=False, run_config=QUIET,
        tags={RANGE_START: colors[0], RANGE_END: colors[-1], **allowed},
    )


def known_versions(shards: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the data versions that this Dagster instance shows for (asset, partition); unknown ones are left out."""
    shown = {}
    here = instance()
    for asset, partition in sorted(shards):
        color = None if partition == WHOLE else partition
        record = here.get_latest_data_version_record(dg.AssetKey(asset), partition_key=color)
        made = record.asset_materialization if record else None
        if made is not None and made.tags and DATA_VERSION_TAG in made.tags:
            shown[asset, partition] = made.tags[DATA_VERSION_TAG]
    return shown


def rows(result: ExecuteInProcessResult) -> tuple[int, int]:
    """Return how many rows a run computed and removed, over all assets and colors."""
    found = [event.materialization.metadata for event in result.get_asset_materialization_events()]
    whole = [metadata for metadata in found if "by_color" in metadata]
    computed, removed = (sum(int(str(metadata[name].value)) for metadata in whole)
                         for name in ("rows_computed", "rows_removed"))
    return computed, removed


def run_release(definitions: dg.Definitions, config: dict[str, object]) -> ExecuteInProcessResult:
    """Materialize ``published_dataset`` with ``config``."""
    job = definitions.resolve_job_def(release_job.name)
    return job.execute_in_process(
        instance=instance(), raise_on_error=False,
        run_config={**QUIET, "ops": {"published_dataset": {"config": config}}},
    )
