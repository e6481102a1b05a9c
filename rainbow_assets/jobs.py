"""Jobs, and the one function that runs assets over a range of colors in this process, visibly in Dagster."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import platformdirs

from rainbow_assets import progress, rooms
from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.dagster import ALLOW_DELETES, DATA_VERSION_TAG
from rainbow_assets.storage.lock import file_lock
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
    """Return the Dagster instance of ``DAGSTER_HOME``; without one, of the project's folder or the user's.

    Raises ``UsageError`` if ``DAGSTER_HOME`` is not a folder.
    """
    named = os.environ.get("DAGSTER_HOME")
    if named and not os.path.isdir(named):
        raise UsageError(f"DAGSTER_HOME is {named}, which does not exist; run: export DAGSTER_HOME=$PWD")
    if not named:
        home = _default_home()
        os.environ["DAGSTER_HOME"] = str(home)
        print(f"DAGSTER_HOME is not set; using {home}", file=sys.stderr)
    # Two processes that open an unused home at once break its database for good.
    with file_lock(Path(os.environ["DAGSTER_HOME"]) / ".dagster-home.lock"):
        return dg.DagsterInstance.get()


def _default_home() -> Path:
    """Return the nearest folder, from the working folder upwards, with a dagster.yaml; else one of the user's."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dagster.yaml").is_file():
            return folder
    home = Path(platformdirs.user_data_dir("rainbow_assets", appauthor=False)) / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        template = resources.files("rainbow_assets") / "project" / "dagster.yaml"
        (home / "dagster.yaml").write_text(template.read_text("utf-8"), "utf-8", newline="\n")
    return home


@contextmanager
def _watched(here: dg.DagsterInstance, assets: Sequence[str]) -> Iterator[str]:
    """Yield the id for a run on ``here``; while it goes, show which asset is being made, of how many."""
    run, names, begun = str(uuid.uuid4()), set(assets), []

    with progress.bar("building") as tick:
        def look(entry: dg.EventLogEntry) -> None:
            event = entry.dagster_event
            if event and event.is_step_start and event.step_key in names:
                begun.append(event.step_key)
                tick("assets", len(begun), len(names))

        here.add_event_listener(run, look)
        yield run


def run_colors(
    definitions: dg.Definitions, colors: Sequence[str] = COLOR_NAMES, assets: Sequence[str] | None = None,
    allow_deletes: bool = False,
) -> ExecuteInProcessResult:
    """Materialize ``assets`` (default: every table) for a contiguous range of colors, in one run."""
    job = definitions.resolve_job_def(main_job.name if assets is None else any_job.name)
    keys = [dg.AssetKey(name) for name in assets] if assets is not None else None
    allowed = {ALLOW_DELETES: "true"} if allow_deletes else {}
    here = instance()
    with _watched(here, list(rooms.steps()) if assets is None else assets) as run:
        return job.execute_in_process(
            instance=here, asset_selection=keys, raise_on_error=False, run_config=QUIET, run_id=run,
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


def run_release(definitions: dg.Definitions, config: dict[str, object]) -> ExecuteInProcessResult:
    """Materialize ``published_dataset`` with ``config``."""
    job = definitions.resolve_job_def(release_job.name)
    return job.execute_in_process(
        instance=instance(), raise_on_error=False,
        run_config={**QUIET, "ops": {"published_dataset": {"config": config}}},
    )
