"""The Dagster face of the threads: packed manifests, their index, what they overuse, and what the next ones avoid.

None of them has colors, and no color asset reads them.
"""

import base64
from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.storage.resources import ShardStoreResource
from rainbow_assets.threads import registry
from rainbow_assets.threads.report import constraints_report, feedback_report, packing_report
from rainbow_assets.threads.steps import pack


@dg.asset(**asset_options(registry.THREAD_MANIFESTS, "threads", {"yaml", "parquet"}))
def thread_manifests(
    context: dg.AssetExecutionContext, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per agents' thread of RAINBOW_THREADS, packed into one clean folder with a manifest."""
    shard = store.open().shard(registry.THREAD_MANIFESTS.name)
    pack(shard)  # a packed folder that was damaged or deleted is made again, though no row moved
    outcomes = build_colors(context, registry.THREAD_MANIFESTS, store)
    extra = packing_report(shard) if shard.index() is not None else {}
    yield from report_events(context, registry.THREAD_MANIFESTS, outcomes, _markdown(extra))


@dg.asset(**asset_options(registry.THREAD_INDEX, "threads", {"parquet"}))
def thread_index(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per thread to look it up by, with its folder and the newest time that it says of itself."""
    yield from report_events(context, registry.THREAD_INDEX, build_colors(context, registry.THREAD_INDEX, store))


@dg.asset(**asset_options(registry.RESULT_FEEDBACK, "threads", {"parquet"}))
def result_feedback(
    context: dg.AssetExecutionContext, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """What all threads together overuse: keys, tempi, phrases, title words, openers, time signatures, moods."""
    outcomes = build_colors(context, registry.RESULT_FEEDBACK, store)
    shard = store.open().shard(registry.RESULT_FEEDBACK.name)
    text, picture = feedback_report(shard) if shard.index() is not None else ({}, None)
    if picture is not None:
        text = {**text, "history": f"![history](data:image/png;base64,{base64.b64encode(picture).decode()})"}
    yield from report_events(context, registry.RESULT_FEEDBACK, outcomes, _markdown(text))


@dg.asset(**asset_options(registry.NEGATIVE_CONSTRAINTS, "threads", {"yaml", "parquet"}))
def negative_constraints(
    context: dg.AssetExecutionContext, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """What the next thread is to leave alone, as rows, as YAML with a prompt block, and enforced by `threads check`."""
    outcomes = build_colors(context, registry.NEGATIVE_CONSTRAINTS, store)
    shard = store.open().shard(registry.NEGATIVE_CONSTRAINTS.name)
    extra = constraints_report(shard) if shard.index() is not None else {}
    yield from report_events(context, registry.NEGATIVE_CONSTRAINTS, outcomes, _markdown(extra))


def _markdown(texts: dict[str, str]) -> dict[str, Any]:
    return {name: dg.MetadataValue.md(text) for name, text in texts.items()}
