"""The Dagster face of the embeddings room."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets.caches import kept
from rainbow_assets.digests import digest
from rainbow_assets.embeddings import health, pictures, registry
from rainbow_assets.embeddings.resources import EmbeddingEngineResource
from rainbow_assets.embeddings.runner import RunReport
from rainbow_assets.embeddings.step import EmbeddingStep
from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.storage.resources import ShardStoreResource


@dg.asset(**asset_options(registry.CONCEPT_EMBEDDINGS, "embeddings", {"onnx", "parquet"}))
def concept_embeddings(
    context: dg.AssetExecutionContext, store: ShardStoreResource, engine: EmbeddingEngineResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """A vector of each song's concept, fanned out to its segments; each distinct concept is embedded once."""
    yield from _embed(context, registry.CONCEPT_EMBEDDINGS, store, engine)


@dg.asset(**asset_options(registry.LYRIC_EMBEDDINGS, "embeddings", {"onnx", "parquet"}))
def lyric_embeddings(
    context: dg.AssetExecutionContext, store: ShardStoreResource, engine: EmbeddingEngineResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """A vector of each segment's lyric, null where it has none; each distinct text is embedded once."""
    yield from _embed(context, registry.LYRIC_EMBEDDINGS, store, engine)


@dg.asset(**asset_options(registry.AUDIO_EMBEDDINGS, "embeddings", {"flac", "parquet"}))
def audio_embeddings(
    context: dg.AssetExecutionContext, store: ShardStoreResource, engine: EmbeddingEngineResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """A vector of each segment's sound, null where it has none; fixed 10 s windows, pooled, each sound once."""
    yield from _embed(context, registry.AUDIO_EMBEDDINGS, store, engine)


def _embed(
    context: dg.AssetExecutionContext, step: EmbeddingStep, store: ShardStoreResource, engine: EmbeddingEngineResource
) -> Iterator[dg.MaterializeResult[Any]]:
    total = RunReport()
    outcomes = build_colors(context, step.told(engine.open(), lambda color, report: total.add(report)), store)
    opened = store.open()
    made = {outcome.partition: outcome.report.data_version for outcome in outcomes if outcome.report is not None}

    def drawn() -> str:
        found = {color: health.vectors_of(opened.shard(step.name, color), step.vector) for color in made}
        return pictures.markdown(pictures.picture(found, step.name), f"vectors of {step.name} by color")

    shown = kept(opened.cache_path(f"pictures/{step.name}.json"), digest(made), drawn)
    extra = {"embedding_run": dg.MetadataValue.json(total.numbers()), "vectors": dg.MetadataValue.md(shown)}
    yield from report_events(context, step, outcomes, extra)
