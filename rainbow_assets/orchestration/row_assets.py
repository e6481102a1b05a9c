"""The Dagster asset of a row asset, made from its declaration."""

import logging
from typing import Any

import dagster as dg

from rainbow_assets import progress, settings
from rainbow_assets.digests import digest
from rainbow_assets.embeddings.row_asset import EmbeddingAsset
from rainbow_assets.lineage.materialize import BuildResult, bring_up_to_date
from rainbow_assets.lineage.row_asset import Built, RowAsset
from rainbow_assets.orchestration import conditions, leases
from rainbow_assets.orchestration.colors import partitions_of, selected
from rainbow_assets.orchestration.events import columns, report_events
from rainbow_assets.orchestration.raw_songs import CORPUS, observe_first
from rainbow_assets.orchestration.transient import worth_retrying
from rainbow_assets.storage.store import ShardStore

OWNERS = ["team:rainbow-table"]
ALLOW_DELETES = "rainbow/allow_deletes"
"""Run tag: accept that many source files disappeared at once."""


def dagster_asset(asset: RowAsset) -> dg.AssetsDefinition:
    """Return the Dagster asset of ``asset``, whose function brings the shards of the run up to date."""

    @dg.asset(
        name=asset.name, group_name=asset.group, kinds=set(asset.kinds), owners=OWNERS, description=asset.description,
        partitions_def=partitions_of(asset), backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[dg.AssetKey(name) for name in asset.reads if name == CORPUS or name in asset.above],
        metadata=columns(asset), code_version=code_version(asset),
        automation_condition=None if asset.on_request else conditions.keep_up_to_date(),
        freshness_policy=None if asset.on_request else conditions.FRESHNESS,
        required_resource_keys={"store", "engine"} if isinstance(asset, EmbeddingAsset) else {"store"},
    )
    def made(context: dg.AssetExecutionContext):
        store, run = context.resources.store.open(), asset
        if CORPUS in asset.reads:
            observe_first(context, store)
        if isinstance(asset, EmbeddingAsset):
            run = asset.with_engine(context.resources.engine.open())
        results = build(context, run, store)
        built = Built(run, store, tuple(result.partition for result in results))
        shown: dict[str, Any] = {}
        for show in run.shows:
            shown.update(show(built))
        yield from report_events(context, run, store, results, shown)

    return made


def code_version(asset: RowAsset) -> str:
    """Return the code version for Dagster: a digest of code, settings and libraries."""
    return digest(asset.versions(settings.default_rules()))[:16]


def build(context: dg.AssetExecutionContext, asset: RowAsset, store: ShardStore) -> list[BuildResult]:
    """Bring every shard of the run up to date; a shard that cannot be built does not stop the others.

    After a temporary error of a disk or network the step is retried; shards that are done are fresh then.
    """
    leases.hold(context.instance, context.run.run_id)
    results = []
    with progress.bar(asset.name) as tick:
        for partition in selected(context, asset):
            try:
                result = bring_up_to_date(asset, store, partition, run=context.run.run_id, progress=tick,
                                          allow_deletes=context.run.tags.get(ALLOW_DELETES) == "true")
            except Exception as error:
                if not worth_retrying(error):
                    raise
                context.log.warning(f"{asset.name}/{partition}: {error}; trying again")
                raise dg.RetryRequested(conditions.MAX_RETRIES, conditions.RETRY_DELAY_S) from error
            log(context.log, asset, result)
            results.append(result)
    return results


def log(logger: logging.Logger | Any, asset: RowAsset, result: BuildResult) -> None:
    """Log the result of one color, and each failed check."""
    if result.report is None:
        logger.error(f"{asset.name}/{result.partition} was not updated: {result.problem}")
        return
    report = result.report
    failed = [verdict for verdict in result.verdicts if not verdict.passed]
    logger.info(
        f"{asset.name}/{result.partition}: {report.rows} rows; {report.computed} computed, {report.reused} reused, "
        f"{report.removed} removed, {sum(report.quarantined.values())} quarantined, in {report.seconds:.2f} s"
    )
    for verdict in failed:
        logger.error(f"{asset.name}/{result.partition}: check {verdict.check} failed: {verdict.message}")
