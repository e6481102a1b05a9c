"""When automation materializes a row asset: an upstream changed, and the checks of everything that it reads passed.

The conditions only avoid useless runs. The gate in the run itself decides, from the verdict files.
"""

import warnings
from datetime import timedelta
from typing import Any

import dagster as dg

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage import gates
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.store import WHOLE, ShardStore

# Partitioned checks are a preview feature of Dagster 1.13, single-run backfills and condition sensors are beta;
# contract tests cover what is used of them.
for kind in (dg.PreviewWarning, dg.BetaWarning):
    warnings.filterwarnings("ignore", category=kind)

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=31), warn_window=timedelta(days=8))
"""Alarm and warning for an asset that no run has brought up to date; a run that finds nothing to do counts."""
MAX_RETRIES, RETRY_DELAY_S = 2, 5.0
TICK_S = 30

_Condition = dg.AutomationCondition


def moved() -> dg.AutomationCondition[Any]:
    """Return a condition: an upstream, the code or the settings of the color changed, or it is missing.

    It becomes false when a run was requested, so that a failing color is not requested again and again.
    """
    upstream = _Condition.any_deps_match(_Condition.data_version_changed()).with_label("an upstream has new data")
    changed: Any = upstream | _Condition.code_version_changed()
    missing = _Condition.missing().newly_true().since(_Condition.newly_requested() | _Condition.newly_updated())
    return (changed.since_last_handled() | missing).with_label("something moved")


def ready() -> dg.AutomationCondition[Any]:
    """Return a condition: nothing that the color reads is missing, running, or about to run."""
    waiting = _Condition.in_progress() | _Condition.will_be_requested()
    return (~_Condition.any_deps_missing() & ~_Condition.any_deps_match(waiting)
            & ~_Condition.in_progress()).with_label("everything it reads is there")


class GatesOpen(dg.AutomationCondition):  # type: ignore[type-arg]
    """The condition that all gates of everything that the color reads are open, by the verdict files.

    Dagster's record of partitioned checks is not used: a color that passed and then failed is both in its set of passed
    and in its set of failed partitions (1.13). Besides, the run itself obeys the verdict files.
    """

    @property
    def name(self) -> str:
        """The label in the UI."""
        return "all upstream gates are open"

    def evaluate(self, context: Any) -> Any:
        """Return the candidates of which every gate is open."""
        store, step = ShardStore(settings.roots().data), GRAPH[context.key.to_user_string()]
        candidates = context.candidate_subset
        if not candidates.is_partitioned:
            kept = candidates if candidates.is_empty or _open(store, step, WHOLE) else context.get_empty_subset()
        else:
            colors = sorted(candidates.expensively_compute_partition_keys())
            kept = candidates.compute_intersection_with_partition_keys(
                {color for color in colors if _open(store, step, color)})
        return dg.AutomationResult(context, true_subset=kept)


def _open(store: ShardStore, step: RowAsset, partition: str) -> bool:
    return next(gates.shut(step, store, partition), None) is None


def keep_up_to_date() -> dg.AutomationCondition[Any]:
    """Return the condition of every row asset.

    Each asset waits for the runs and verdicts of its upstreams, so that an equal output stops the wave here too. A
    request whose run failed is not repeated until something changes.
    """
    return (moved() & ready() & GatesOpen()).with_label("keep up to date")


automation = dg.AutomationConditionSensorDefinition(
    "keep_up_to_date",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=TICK_S,
    use_user_code_server=True,
    description="Requests the assets and colors of which an upstream changed and all gates are open.",
)
