"""Verdicts in Dagster's UI: one check evaluation per check and color. They are for display; the files decide."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from rainbow_assets.errors import BUG
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.materialize import problem
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.orchestration.colors import partitions_of, selected
from rainbow_assets.orchestration.resources import ShardStoreResource
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE
from rainbow_assets.text import counted, some

BUILT = "built"


def dagster_checks(asset: RowAsset) -> dg.AssetChecksDefinition:
    """Return the Dagster checks of ``asset``, in one step: the declared ones, and ``built``.

    The run fails if a check failed. Dagster's own evaluation of a range of colors has no color, so one evaluation per
    color is logged first.
    """
    declared, colors = asset.checks, partitions_of(asset)
    specs = [dg.AssetCheckSpec(check.name, asset=asset.name, description=check.description, partitions_def=colors)
             for check in declared]
    specs.append(dg.AssetCheckSpec(BUILT, asset=asset.name, partitions_def=colors, description=(
        "The last build of the shard succeeded: no upstream was blocked, and no shard was damaged or busy.")))

    @dg.multi_asset_check(name=f"{asset.name}_checks", specs=specs)
    def mirror(context: dg.AssetCheckExecutionContext, store: ShardStoreResource) -> Iterator[dg.AssetCheckResult]:
        opened = store.open()
        found = [verdict for partition in selected(context, asset)
                 for verdict in _verdicts(asset, opened.shard(asset.name, partition))]
        failed = [f"{partition}, {verdict.check}: {verdict.message}" for partition, verdict in found
                  if not verdict.passed]
        targets = _targets(context, asset.name)
        # The UI shows the last evaluation as the state of the whole check, so failed ones come last.
        for partition, verdict in sorted(found, key=lambda item: not item[1].passed) if colors or failed else ():
            _log_verdict(context, asset.name, partition if colors else None, verdict, targets.get(partition))
        if failed:
            raise dg.Failure(f"{asset.name}: {'; '.join(failed)}", allow_retries=False)
        for spec in specs:
            answers = {partition: dg.MetadataValue.json({"message": verdict.message, **verdict.numbers})
                       for partition, verdict in found if verdict.check == spec.name}
            yield dg.AssetCheckResult(passed=True, asset_key=asset.name, check_name=spec.name, metadata=answers)

    return mirror


def _verdicts(asset: RowAsset, shard: Shard) -> list[tuple[str, verdicts.Verdict]]:
    """Return one verdict per check of the shard (checks without one are run), and one for ``built``."""
    index = shard.index()
    failure = problem(shard) or (_bugs(shard, asset.unit) if index is not None else None)
    found = verdicts.ensure(shard, asset.checks) if index is not None else []
    built = verdicts.Verdict(BUILT, index.data_version if index else "-", "-", failure is None, failure or "built")
    return [(shard.partition, verdict) for verdict in (*found, built)]


def _bugs(shard: Shard, unit: str) -> str | None:
    """Return a sentence about the rows that a bug kept from being made, or None. The run fails; no gate shuts."""
    if not shard.require_index().facts.get("quarantined", {}).get(BUG):
        return None
    ledger = shard.ledger(["part", "reason", "sentence"])
    assert ledger is not None
    hit = ledger.filter(pl.col("reason") == BUG).sort("part").unique("part", keep="first", maintain_order=True)
    parts = [sentence if sentence.startswith(part) else f"{part}: {sentence}"
             for part, sentence in hit.select("part", "sentence").iter_rows()]
    return f"{counted(len(parts), unit)} quarantined, and the others were built. {some(parts, between='; ')}"


def _targets(
    context: dg.AssetCheckExecutionContext, asset: str
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """Return the latest materialization of each partition, to which its verdicts belong."""
    here, key = context.instance, dg.AssetKey(asset)
    latest = here.event_log_storage.get_latest_storage_id_by_partition(key, dg.DagsterEventType.ASSET_MATERIALIZATION)
    wanted: Any = dg.AssetRecordsFilter(key, storage_ids=list(latest.values())) if latest else key
    return {record.partition_key or WHOLE: AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp)
        for record in here.fetch_materializations(wanted, limit=len(latest) or 1).records}


def _log_verdict(
    context: dg.AssetCheckExecutionContext, asset: str, color: str | None, verdict: verdicts.Verdict,
    target: AssetCheckEvaluationTargetMaterializationData | None,
) -> None:
    event: Any = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset), check_name=verdict.check, passed=verdict.passed, partition=color,
        target_materialization_data=target,
        metadata={"message": verdict.message, "data_version": verdict.data_version,
                  "numbers": dg.MetadataValue.json(dict(verdict.numbers))},
    )
    # log_event takes check evaluations too, though its annotation does not say so (Dagster 1.13).
    context.op_execution_context.log_event(event)
