"""Dagster's entry point: the graph with its checks, jobs and sensors. Importing it computes nothing."""

import dagster as dg

from rainbow_assets.assets import GRAPH
from rainbow_assets.orchestration import conditions, jobs, leases
from rainbow_assets.orchestration.checks import dagster_checks
from rainbow_assets.orchestration.published_dataset import published_dataset
from rainbow_assets.orchestration.raw_songs import corpus, corpus_changes
from rainbow_assets.orchestration.resources import EmbeddingEngineResource, ShardStoreResource
from rainbow_assets.orchestration.row_assets import dagster_asset
from rainbow_assets.orchestration.taxonomy import taxonomy

defs = dg.Definitions(
    assets=[corpus, taxonomy, *(dagster_asset(asset) for asset in GRAPH.values()), published_dataset],
    asset_checks=[dagster_checks(asset) for asset in GRAPH.values()],
    jobs=[jobs.main_job, jobs.any_job, jobs.ci_job, jobs.release_job],
    sensors=[corpus_changes, conditions.automation, leases.dead_runs],
    resources={"store": ShardStoreResource(), "engine": EmbeddingEngineResource()},
    executor=dg.in_process_executor,
)
