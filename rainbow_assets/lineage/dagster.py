"""The Dagster face of the ledger: row assets, their checks, and the events that make the UI's staleness true.

Per-color data versions in one range run: first the ``MaterializeResult`` (or the framework's own range event would
overwrite them), then one ``AssetMaterialization`` per color with its data version as a tag.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.definitions.events import (
    AssetMaterializationFailure,
    AssetMaterializationFailureReason,
    AssetMaterializationFailureType,
)
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from rainbow_assets import leases, partitions, progress, settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage import automation, catalog, verdicts
from rainbow_assets.lineage.materialize import Outcome, bring_up_to_date, history, problem
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.transient import worth_retrying
from rainbow_assets.storage.resources import ShardStoreResource
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE

OWNERS = ["team:rainbow-table"]
DATA_VERSION_TAG = "dagster/data_version"
USER_VERSION_TAG = "dagster/data_version_is_user_provided"
ORIGIN_TAGS = ("dagster/code_version", "dagster/input_data_version/", "dagster/input_event_pointer/")
CORPUS = "corpus"
"""The input that the raw songs stand for; the corpus room shows it in the graph."""
NEVER_BUILT = "never built"
BUILT = "built"
ALLOW_DELETES = "rainbow/allow_deletes"
"""Run tag: a source from which much is gone at once is believed."""


def keys(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, step: Step) -> list[str]:
    """Return the partitions of ``step`` that the run asks for: its colors, or the one for all.

    An empty list (a reversed range) is an error, never a silent success.
    """
    if not step.colored:
        return [WHOLE]
    chosen = list(context.partition_keys)
    if not chosen:
        raise dg.Failure("no color was selected; a range runs from the first to the last color: Black...White",
                         allow_retries=False)
    return chosen


def column_schema(step: Step) -> dg.TableSchema:
    """Return the columns of ``step`` with their Arrow types, for the UI."""
    return dg.TableSchema(columns=[dg.TableColumn(item.name, str(item.type), _doc(item)) for item in step.schema])


def _doc(item: Any) -> str | None:
    return (item.metadata or {}).get(b"doc", b"").decode() or None


def column_lineage(step: Step) -> dg.TableColumnLineage:
    """Return which upstream columns each column of ``step`` may come from, as its declared flows say."""
    return dg.TableColumnLineage({item.name: _sources(step, item.name) for item in step.schema})


def _sources(step: Step, column: str) -> list[dg.TableColumnDep]:
    """The upstream columns that reach ``column``: the one it is carried from, else those of its fields, else all."""
    carried = next((asset for asset in step.carries if column in catalog.step(asset).schema.names), None)
    if carried is not None:
        return [dg.TableColumnDep(dg.AssetKey(carried), column)]
    own = [name for name, columns in step.fields.items() if column in columns] or list(step.fields)
    reached = dict.fromkeys(source for name in own for source in step.reached_by(name))
    places = [(asset, found) for asset, _, name in (source.partition(".") for source in reached)
              if asset in catalog.steps() for found in catalog.step(asset).fields.get(name, ())]
    return [dg.TableColumnDep(dg.AssetKey(asset), found) for asset, found in dict.fromkeys(places)]


def partition_set(step: Step) -> dg.PartitionsDefinition[str] | None:
    """Return the colors, or None for a step that has one shard for all."""
    return partitions.colors if step.colored else None


def asset_options(step: Step, group: str, kinds: set[str]) -> dict[str, Any]:
    """Return the options that every row asset shares; ``@dg.asset(**asset_options(...))``."""
    return {
        "name": step.name,
        "group_name": group,
        "kinds": kinds,
        "owners": OWNERS,
        "partitions_def": partition_set(step),
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "deps": [dg.AssetKey(asset) for asset in step.inputs if asset == CORPUS or asset in catalog.steps()],
        "metadata": columns(step),
        "code_version": made_by(step),
        "automation_condition": None if step.on_request else automation.keep_up_to_date(),
        "freshness_policy": None if step.on_request else automation.FRESHNESS,
    }


def columns(step: Step) -> dict[str, Any]:
    """Return the metadata that says which columns ``step`` has and where they come from."""
    return {"dagster/column_schema": column_schema(step), "dagster/column_lineage": column_lineage(step)}


def made_by(step: Step) -> str:
    """Return Dagster's code version: everything but the data that a row carries in its ledger (code, settings)."""
    return digest(step.versions(settings.default_rules()))[:16]


def build_colors(context: dg.AssetExecutionContext, step: Step, resource: ShardStoreResource) -> list[Outcome]:
    """Bring every color of the run up to date (or the one shard for all); a problem of one does not stop the rest.

    An error of disk or network that may pass is tried again, and only that: the colors that are done stay done.
    """
    leases.hold(context.instance, context.run.run_id)
    store = resource.open()
    outcomes = []
    with progress.bar(step.name) as tick:
        for color in keys(context, step):
            try:
                outcome = bring_up_to_date(step, store, color, run=context.run.run_id, progress=tick,
                                           allow_deletes=context.run.tags.get(ALLOW_DELETES) == "true")
            except Exception as error:
                if not worth_retrying(error):
                    raise
                context.log.warning(f"{step.name}/{color}: {error}; trying again")
                raise dg.RetryRequested(automation.MAX_RETRIES, automation.RETRY_DELAY_S) from error
            log(context.log, step, outcome)
            outcomes.append(outcome)
    return outcomes


def log(logger: logging.Logger | Any, step: Step, outcome: Outcome) -> None:
    """Say in one line what came of one color."""
    if outcome.report is None:
        logger.error(f"{step.name}/{outcome.partition} was left as it was: {outcome.problem}")
        return
    report = outcome.report
    failed = [verdict for verdict in outcome.verdicts if not verdict.passed]
    logger.info(
        f"{step.name}/{outcome.partition}: {report.rows} rows; {report.computed} computed, {report.reused} reused, "
        f"{report.removed} removed, {sum(report.quarantined.values())} quarantined, in {report.seconds:.2f} s"
    )
    for verdict in failed:
        logger.error(f"{step.name}/{outcome.partition}: check {verdict.check} failed: {verdict.message}")


def report_events(
    context: dg.AssetExecutionContext, step: Step, outcomes: Sequence[Outcome], extra: dict[str, Any] | None = None
) -> Iterator[dg.MaterializeResult[Any]]:
    """Yield the run's result, then record each color's own data version, origin and numbers."""
    if all(outcome.report is None for outcome in outcomes):
        sentences = "; ".join(str(outcome.problem) for outcome in outcomes)
        raise dg.Failure(f"{step.name}: nothing could be built. {sentences}", allow_retries=False)
    store: ShardStoreResource = context.resources.store
    shards = [store.open().shard(step.name, outcome.partition) for outcome in outcomes]
    single = outcomes[0].report if len(outcomes) == 1 else None
    own = {**columns(step), **numbers(outcomes[0], shards[0])} if single else {}
    yield dg.MaterializeResult(
        asset_key=step.name,
        metadata={**own, **totals(outcomes), **(extra or {})},
        data_version=dg.DataVersion(single.data_version) if single else None,
    )
    if single is None:
        for outcome, shard in zip(outcomes, shards, strict=True):
            # The UI shows the columns of the latest event; in each of them they are half of what a run writes.
            own = columns(step) if outcome is outcomes[-1] else {}
            context.log_event(color_event(context, step, outcome, shard, own))
            if outcome.report is None:
                _fail(context, step, outcome)


def _fail(context: dg.AssetExecutionContext, step: Step, outcome: Outcome) -> None:
    """Record that a color of a range was not built: the UI shows it as failed, in its log and by partition.

    A partition counts as failed if it was planned in a failed run and not materialized after that. The framework has
    just materialized the whole range, so the color is planned once more.
    """
    key, job, place = dg.AssetKey(step.name), context.run.job_name, context.op_execution_context.op.name
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
    context: dg.AssetExecutionContext, step: Step, outcome: Outcome, shard: Shard, own: dict[str, Any]
) -> dg.AssetMaterialization:
    """Return what one color of a range became, with its own data version and with what it was made from.

    The framework has just recorded the range with one version for all; the inputs and the code version that it noted
    are kept (without them the UI compares times, not versions). A color that was left as it was keeps the version and
    the inputs of its last good build, so that it goes on being shown stale.
    """
    left = outcome.report is None
    index = shard.index()
    version = index.data_version if index else NEVER_BUILT
    metadata = {**own, **({"left_as_it_was": str(outcome.problem)} if left else numbers(outcome, shard))}
    tags = {DATA_VERSION_TAG: version, USER_VERSION_TAG: "true", **_origin(context, step, outcome.partition, left)}
    return dg.AssetMaterialization(step.name, partition=outcome.partition, metadata=metadata, tags=tags)


def _origin(context: dg.AssetExecutionContext, step: Step, color: str, left: bool) -> dict[str, str]:
    """The tags that say what a color was made from: of this run, or of the run before for one that was left."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey(step.name), asset_partitions=[color])
    for record in context.instance.fetch_materializations(wanted, limit=3).records:
        if (record.run_id == context.run.run_id) is not left and record.asset_materialization is not None:
            tags = record.asset_materialization.tags or {}
            return {name: value for name, value in tags.items() if name.startswith(ORIGIN_TAGS)}
    return {}


def numbers(outcome: Outcome, shard: Shard) -> dict[str, Any]:
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


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the metadata of a whole run: a table by color and the sums."""
    lines = ["| color | rows | computed | reused | removed | quarantined | seconds | state |",
             "|---|---:|---:|---:|---:|---:|---:|---|"]
    for outcome in outcomes:
        report = outcome.report
        if report is None:
            lines.append(f"| {outcome.partition} | | | | | | | left as it was: {_cell(str(outcome.problem))} |")
            continue
        failed = [verdict.check for verdict in outcome.verdicts if not verdict.passed]
        state = f"failed: {', '.join(failed)}" if failed else "checked"
        lines.append(f"| {outcome.partition} | {report.rows} | {report.computed} | {report.reused} | "
                     f"{report.removed} | {sum(report.quarantined.values())} | {report.seconds:.2f} | {state} |")
    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    return {
        "by_color": dg.MetadataValue.md("\n".join(lines)),
        "dagster/row_count": sum(report.rows for report in reports),
        "rows_computed": sum(report.computed for report in reports),
        "rows_reused": sum(report.reused for report in reports),
        "rows_removed": sum(report.removed for report in reports),
        "bytes_written": sum(report.bytes_written for report in reports),
        "seconds": round(sum(report.seconds for report in reports), 3),
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def color_checks(asset: str) -> list[dg.AssetChecksDefinition]:
    """Return the Dagster checks of a row asset, in one step: those declared, and one that says whether it was built.

    The verdict files decide; this mirrors them for the UI, one evaluation per check and color, and turns the run red
    where one failed. (A range run's own evaluation carries no color, so each is logged with its color first.)
    """
    declared, step = catalog.checks(asset), catalog.step(asset)
    colors = partition_set(step)
    specs = [dg.AssetCheckSpec(check.name, asset=asset, description=check.description, partitions_def=colors)
             for check in declared]
    specs.append(dg.AssetCheckSpec(BUILT, asset=asset, partitions_def=colors, description=(
        "Everything that the run asked for was built: no blocked upstream, no damaged or busy shard.")))

    @dg.multi_asset_check(name=f"{asset}_checks", specs=specs)
    def mirror(context: dg.AssetCheckExecutionContext, store: ShardStoreResource) -> Iterator[dg.AssetCheckResult]:
        opened = store.open()
        found = [verdict for color in keys(context, step)
                 for verdict in _verdicts(opened.shard(asset, color), declared)]
        failed = [f"{color}, {verdict.check}: {verdict.message}" for color, verdict in found if not verdict.passed]
        targets = _targets(context, asset)
        # The last evaluation is the one that the check as a whole shows.
        for color, verdict in sorted(found, key=lambda item: not item[1].passed) if step.colored or failed else ():
            _log_verdict(context, asset, color if step.colored else None, verdict, targets.get(color))
        if failed:
            raise dg.Failure(f"{asset}: {'; '.join(failed)}", allow_retries=False)
        for spec in specs:
            answers = {color: dg.MetadataValue.json({"message": verdict.message, **verdict.numbers})
                       for color, verdict in found if verdict.check == spec.name}
            yield dg.AssetCheckResult(passed=True, asset_key=asset, check_name=spec.name, metadata=answers)

    return [mirror]


def _verdicts(shard: Shard, declared: tuple[verdicts.Check, ...]) -> list[tuple[str, verdicts.Verdict]]:
    """Return one verdict per check of the shard, evaluating those that are missing, and whether it was built."""
    left, index = problem(shard), shard.index()
    found = verdicts.ensure(shard, declared) if index is not None else []
    built = verdicts.Verdict(BUILT, index.data_version if index else "-", "-", left is None, left or "built")
    return [(shard.partition, verdict) for verdict in (*found, built)]


def _targets(
    context: dg.AssetCheckExecutionContext, asset: str
) -> dict[str, AssetCheckEvaluationTargetMaterializationData]:
    """Return the latest materialization of each color (or of the one for all): what a verdict is about."""
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
