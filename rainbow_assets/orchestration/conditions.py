"""When a row asset is materialized by itself: its upstream moved, and the checks of what it reads have passed.

The conditions only save useless runs. What decides is the gate in the run itself, which reads the verdict files.
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

# Partitioned checks are a preview feature of Dagster 1.13, single-run backfills and condition sensors are beta ones;
# contract tests hold what is used of them.
for kind in (dg.PreviewWarning, dg.BetaWarning):
    warnings.filterwarnings("ignore", category=kind)

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=31), warn_window=timedelta(days=8))
"""How long ago somebody last had an asset brought up to date; a run that finds nothing to do counts."""
MAX_RETRIES, RETRY_DELAY_S = 2, 5.0
TICK_S = 30

_Condition = dg.AutomationCondition


def moved() -> dg.AutomationCondition[Any]:
    """True for a color whose upstream, code or settings moved, or which is missing, until that was acted on once."""
    upstream = _Condition.any_deps_match(_Condition.data_version_changed()).with_label("an upstream has new data")
    changed: Any = upstream | _Condition.code_version_changed()
    missing = _Condition.missing().newly_true().since(_Condition.newly_requested() | _Condition.newly_updated())
    return (changed.since_last_handled() | missing).with_label("something moved")


def ready() -> dg.AutomationCondition[Any]:
    """True for a color of which nothing that it reads is missing, running, or about to run."""
    waiting = _Condition.in_progress() | _Condition.will_be_requested()
    return (~_Condition.any_deps_missing() & ~_Condition.any_deps_match(waiting)
            & ~_Condition.in_progress()).with_label("everything it reads is there")


class GatesOpen(dg.AutomationCondition):  # type: ignore[type-arg]
    """True for a color of which every gate of everything that it reads is open, by the verdict files.

    Dagster's own record of partitioned checks is not asked: a color that passed and then failed is in both of its
    sets (1.13), and the verdict files are what a run obeys.
    """

    @property
    def name(self) -> str:
        """What the UI shows."""
        return "all upstream gates are open"

    def evaluate(self, context: Any) -> Any:
        """Keep the candidates that no gate stops."""
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
    """Return the condition of every row asset. A request that could not be met is not repeated until something moves.

    Each asset waits for its upstreams' runs and verdicts, so that an equal output stops the wave here too.
    """
    return (moved() & ready() & GatesOpen()).with_label("keep up to date")


automation = dg.AutomationConditionSensorDefinition(
    "keep_up_to_date",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.STOPPED,
    minimum_interval_seconds=TICK_S,
    use_user_code_server=True,
    description="Requests exactly the assets and colors whose upstream moved and whose gates are open.",
)
