"""The Dagster face of the harmony room: the libraries of chords and progressions, and the graphs of what follows what.

None of them has colors, and no color asset reads them.
"""

import base64
from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets.harmony import registry
from rainbow_assets.harmony.drawing import cadence_markdown, draw_graph
from rainbow_assets.harmony.graph_steps import GRAPH_SCHEMA, graph_of
from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.lineage.step import Step
from rainbow_assets.storage.resources import ShardStoreResource


@dg.asset(**asset_options(registry.CHORD_LIBRARY, "harmony", {"midi", "parquet"}))
def chord_library(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per chord in a key: function, quality, inversion and voicing. The built-in pack and RAINBOW_CHORDS."""
    yield from report_events(context, registry.CHORD_LIBRARY, build_colors(context, registry.CHORD_LIBRARY, store))


@dg.asset(**asset_options(registry.PROGRESSION_LIBRARY, "harmony", {"midi", "parquet"}))
def progression_library(
    context: dg.AssetExecutionContext, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per progression of the packs: romans, chords, durations and moods."""
    outcomes = build_colors(context, registry.PROGRESSION_LIBRARY, store)
    yield from report_events(context, registry.PROGRESSION_LIBRARY, outcomes)


@dg.asset(**asset_options(registry.FUNCTION_GRAPH, "harmony", {"networkx", "parquet"}))
def function_graph(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Which roman function follows which, in major and in minor: counts and smoothed probabilities."""
    yield from _graph(context, registry.FUNCTION_GRAPH, store)


@dg.asset(**asset_options(registry.CHORD_GRAPH, "harmony", {"networkx", "parquet"}))
def chord_graph(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Which roman with its chord type follows which, in major and in minor."""
    yield from _graph(context, registry.CHORD_GRAPH, store)


def _graph(
    context: dg.AssetExecutionContext, step: Step, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    outcomes = build_colors(context, step, store)
    shard = store.open().shard(step.name)
    extra = {}
    if shard.index() is not None:
        graph = graph_of(shard.table(GRAPH_SCHEMA))
        picture = base64.b64encode(draw_graph(graph)).decode()
        extra = {"graph": dg.MetadataValue.md(f"![{step.name}](data:image/png;base64,{picture})"),
                 "cadences": dg.MetadataValue.md(cadence_markdown(graph))}
    yield from report_events(context, step, outcomes, extra)
