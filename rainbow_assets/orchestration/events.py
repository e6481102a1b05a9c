"""The events that a run records for row assets, so that Dagster's UI shows the right staleness.

A run over a range of colors records the ``MaterializeResult`` first and then one ``AssetMaterialization`` per color,
with the color's own data version as a tag. In the other order, Dagster's event for the range would overwrite them.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.events import (
    AssetMaterializationFailure,
    AssetMaterializationFailureReason,
    AssetMaterializationFailureType,
)
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from rainbow_assets.lineage.materialize import BuildResult, history
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.markdown import Markdown, table
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore

DATA_VERSION_TAG = "dagster/data_version"
USER_VERSION_TAG = "dagster/data_version_is_user_provided"
ORIGIN_TAGS = ("dagster/code_version", "dagster/input_data_version/", "dagster/input_event_pointer/")
NEVER_BUILT = "never built"


def column_schema(asset: RowAsset) -> dg.TableSchema:
    """Return the columns of ``asset`` with their Arrow types, for the UI."""
    return dg.TableSchema(columns=[dg.TableColumn(item.name, str(item.type), _doc(item)) for item in asset.schema])


def _doc(item: Any) -> str | None:
    return (item.metadata or {}).get(b"doc", b"").decode() or None


def column_lineage(asset: RowAsset) -> dg.TableColumnLineage:
    """Return the upstream columns that each column of ``asset`` may come from, by its declared flows."""
    return dg.TableColumnLineage({item.name: _sources(asset, item.name) for item in asset.schema})


def _sources(asset: RowAsset, column: str) -> list[dg.TableColumnDep]:
    """Return the upstream columns of ``column``: the one that it is copied from, else those of its fields, else all."""
    carried = next((name for name in asset.carries if column in asset.above[name].schema.names), None)
    if carried is not None:
        return [dg.TableColumnDep(dg.AssetKey(carried), column)]
    own = [name for name, columns in asset.fields.items() if column in columns] or list(asset.fields)
    reached = dict.fromkeys(source for name in own for source in asset.reached_by(name))
    places = [(above, found) for above, _, name in (source.partition(".") for source in reached)
              if above in asset.above for found in asset.above[above].fields.get(name, ())]
    return [dg.TableColumnDep(dg.AssetKey(above), found) for above, found in dict.fromkeys(places)]


def as_metadata(value: Any) -> Any:
    """Return ``value`` as Dagster metadata: Markdown is rendered, lists and mappings are shown as JSON."""
    if isinstance(value, Markdown):
        return dg.MetadataValue.md(value)
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else value


def columns(asset: RowAsset) -> dict[str, Any]:
    """Return the metadata about the columns of ``asset``: their types and the upstream columns of each."""
    return {"dagster/column_schema": column_schema(asset), "dagster/column_lineage": column_lineage(asset)}


def report_events(
    context: dg.AssetExecutionContext, asset: RowAsset, store: ShardStore, outcomes: Sequence[BuildResult],
    shown: Mapping[str, Any],
) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield the run's result, then record each color's own data version, origin and numbers."""
    if all(outcome.report is None for outcome in outcomes):
        sentences = "; ".join(str(outcome.problem) for outcome in outcomes)
        raise dg.Failure(f"{asset.name}: nothing could be built. {sentences}", allow_retries=False)
    shards = [store.shard(asset.name, outcome.partition) for outcome in outcomes]
    single = outcomes[0].report if len(outcomes) == 1 else None
    own = {**columns(asset), **numbers(outcomes[0], shards[0])} if single else {}
    yield dg.MaterializeResult(
        asset_key=asset.name,
        metadata={**own, **totals(outcomes), **{name: as_metadata(value) for name, value in shown.items()}},
        data_version=dg.DataVersion(single.data_version) if single else None,
    )
    if single is None:
        for outcome, shard in zip(outcomes, shards, strict=True):
            # Only the last event has the columns: the UI shows the latest, and in all they would be half of the writes.
            own = columns(asset) if outcome is outcomes[-1] else {}
            context.log_event(color_event(context, asset, outcome, shard, own))
            if outcome.report is None:
                _fail(context, asset, outcome)


def _fail(context: dg.AssetExecutionContext, asset: RowAsset, outcome: BuildResult) -> None:
    """Record that a color of a range was not built, so that the UI shows the partition as failed.

    A partition counts as failed if a failed run planned it and did not materialize it after that. Dagster has just
    recorded a materialization of the whole range, so the color is planned once more.
    """
    key, job, place = dg.AssetKey(asset.name), context.run.job_name, context.op_execution_context.op.name
    failure = AssetMaterializationFailure(
        asset_key=key, description=outcome.problem, metadata={"problem": dg.MetadataValue.text(str(outcome.problem))},
        partition=outcome.partition, tags={}, failure_type=AssetMaterializationFailureType.FAILED,
        reason=AssetMaterializationFailureReason.FAILED_TO_MATERIALIZE)
    for event in (
        DagsterEvent.build_asset_failed_to_materialize_event(job, place, failure),
        DagsterEvent.build_asset_materialization_planned_event(
            job, place, AssetMaterializationPlannedData(key, partition=outcome.partition)),
    ):
        context.instance.report_dagster_event(event, context.run.run_id, logging.ERROR)


def color_event(
    context: dg.AssetExecutionContext, asset: RowAsset, outcome: BuildResult, shard: Shard, own: dict[str, Any]
) -> dg.AssetMaterialization:
    """Return the event for one color of a range, with its own data version and the versions that it was built from.

    Dagster has just recorded the range with one version for all colors. The inputs and the code version of that event
    are copied, because without them the UI compares times instead of versions. A color that was not updated keeps the
    version and the inputs of its last good build, so that the UI still shows it as stale.
    """
    left = outcome.report is None
    index = shard.index()
    version = index.data_version if index else NEVER_BUILT
    metadata = {**own, **({"left_as_it_was": str(outcome.problem)} if left else numbers(outcome, shard))}
    tags = {DATA_VERSION_TAG: version, USER_VERSION_TAG: "true", **_origin(context, asset, outcome.partition, left)}
    return dg.AssetMaterialization(asset.name, partition=outcome.partition, metadata=metadata, tags=tags)


def _origin(context: dg.AssetExecutionContext, asset: RowAsset, color: str, left: bool) -> dict[str, str]:
    """Return the tags with the origin of a color: those of this run, or of an earlier one if it was not updated."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(asset.name), asset_partitions=[color])
    for record in context.instance.fetch_materializations(wanted, limit=3).records:
        if (record.run_id == context.run.run_id) is not left and record.asset_materialization is not None:
            tags = record.asset_materialization.tags or {}
            return {name: value for name, value in tags.items() if name.startswith(ORIGIN_TAGS)}
    return {}


def numbers(outcome: BuildResult, shard: Shard) -> dict[str, Any]:
    """Return the metadata of one color."""
    report = outcome.report
    assert report is not None
    builds = history(shard)
    return {
        "dagster/partition_row_count": report.rows, "rows_computed": report.computed, "rows_reused": report.reused,
        "rows_removed": report.removed, "rows_quarantined": dg.MetadataValue.json(report.quarantined),
        "parts_written": report.parts_written, "bytes_written": report.bytes_written,
        "seconds": round(report.seconds, 3), "changed": report.changed, "data_version": report.data_version,
        "checks": dg.MetadataValue.json({verdict.check: verdict.passed for verdict in outcome.verdicts}),
        "last_changed_by_run": str(builds[-1]["run"]) if builds else "-",
    }


def totals(outcomes: Sequence[BuildResult]) -> dict[str, Any]:
    """Return the metadata of a whole run: a table by color and the sums."""
    rows: list[list[object]] = []
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            rows.append([outcome.partition, *[""] * 6, f"not updated: {outcome.problem}"])
            continue
        failed = [verdict.check for verdict in outcome.verdicts if not verdict.passed]
        rows.append([outcome.partition, report.rows, report.computed, report.reused, report.removed,
                     sum(report.quarantined.values()), f"{report.seconds:.2f}",
                     f"failed: {', '.join(failed)}" if failed else "checked"])
    head = ("color", "rows", "computed", "reused", "removed", "quarantined", "seconds", "state")
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    return {
        "by_color": as_metadata(table(head, rows)),
        "dagster/row_count": sum(report.rows for report in reports),
        "rows_computed": sum(report.computed for report in reports),
        "rows_reused": sum(report.reused for report in reports),
        "rows_removed": sum(report.removed for report in reports),
        "bytes_written": sum(report.bytes_written for report in reports),
        "seconds": round(sum(report.seconds for report in reports), 3),
    }


