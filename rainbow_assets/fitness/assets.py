"""The Dagster face of the fitness room. Models are made when somebody asks for them: they cost minutes, or dollars."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from rainbow_assets.fitness import eval_step, model_step, pictures, registry, roll_step, scorer_step, set_step, tell
from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.storage.resources import ShardStoreResource
from rainbow_assets.taxonomy import COLOR_NAMES

Results = Iterator[dg.MaterializeResult[Any]]


@dg.asset(**asset_options(registry.PIANO_ROLLS, "fitness", {"numpy", "parquet"}))
def piano_rolls(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """The notes of each segment's MIDI on a grid of 120 ms: the sparse form of a roll [3, 128, 256]."""
    outcomes = build_colors(context, registry.PIANO_ROLLS, store)
    shown = {}
    for color in COLOR_NAMES:
        shard = store.open().shard(registry.PIANO_ROLLS.name, color)
        tables = (table for _, table in shard.tables(["notes"])) if shard.index() is not None else iter(())
        notes = [item for table in tables for item in roll_step.notes_of(table.column("notes")) if item is not None]
        if notes:
            shown[color] = max(notes, key=len)
    extra = {"rolls": dg.MetadataValue.md(pictures.markdown(pictures.rolls(shown), "rolls"))} if shown else {}
    yield from report_events(context, registry.PIANO_ROLLS, outcomes, extra)


@dg.asset(**asset_options(registry.FUSION_TRAINING_SET, "fitness", {"parquet"}))
def fusion_training_set(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """A row per segment with its split, fold and targets; what another song has too is hidden, and said."""
    outcomes = build_colors(context, registry.FUSION_TRAINING_SET, store)
    extra = {}
    shard = store.open().shard(registry.FUSION_TRAINING_SET.name)
    if shard.index() is not None:
        frame = pl.DataFrame(pl.from_arrow(shard.table(set_step.SCHEMA)))
        extra = {"balance": dg.MetadataValue.md(tell.balance(frame))}
    yield from report_events(context, registry.FUSION_TRAINING_SET, outcomes, extra)


@dg.asset(**asset_options(registry.FUSION_MODEL, "fitness", {"pytorch"}))
def fusion_model(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """The shipped model, one model per fold of songs, and one per fold on shuffled colors; needs torch or Modal."""
    outcomes = build_colors(context, registry.FUSION_MODEL, store)
    rows = _rows(store, registry.FUSION_MODEL.name, _without(model_step.SCHEMA, "weights"))
    extra = {} if not rows else {
        "models": dg.MetadataValue.md(tell.models(rows)),
        "curves": dg.MetadataValue.md(pictures.markdown(pictures.curves(rows), "learning curves"))}
    yield from report_events(context, registry.FUSION_MODEL, outcomes, extra)


@dg.asset(**asset_options(registry.FUSION_EVALUATION, "fitness", {"pytorch", "parquet"}))
def fusion_evaluation(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """What the fold models know of songs that they never met, beside every baseline."""
    outcomes = build_colors(context, registry.FUSION_EVALUATION, store)
    rows = _rows(store, registry.FUSION_EVALUATION.name, eval_step.SCHEMA)
    extra = {} if not rows else {
        "evaluation": dg.MetadataValue.md(tell.evaluation(rows)), "colors": dg.MetadataValue.md(tell.colors(rows)),
        "charts": dg.MetadataValue.md(pictures.markdown(pictures.evaluation(rows), "evaluation"))}
    yield from report_events(context, registry.FUSION_EVALUATION, outcomes, extra)


@dg.asset(**asset_options(registry.CHROMATIC_SCORER, "fitness", {"onnx"}))
def chromatic_scorer(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """The shipped model as one ONNX file with its contract, and whether anything should be ranked by it."""
    outcomes = build_colors(context, registry.CHROMATIC_SCORER, store)
    rows = _rows(store, scorer_step.NAME, _without(scorer_step.SCHEMA, "onnx"))
    extra = {"status": rows[0]["status"], "gates": dg.MetadataValue.md(tell.scorer(rows[0]))} if rows else {}
    yield from report_events(context, registry.CHROMATIC_SCORER, outcomes, extra)


def _without(schema: Any, name: str) -> Any:
    return schema.remove(schema.get_field_index(name))


def _rows(store: ShardStoreResource, name: str, schema: Any) -> list[dict[str, Any]]:
    shard = store.open().shard(name)
    return shard.table(schema, schema.names).to_pylist() if shard.index() is not None else []
