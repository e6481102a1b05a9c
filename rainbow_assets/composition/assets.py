"""The Dagster face of the composer. Songs are composed when somebody asks for it: rainbow compose, or the UI."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets.composition import evaluation_step, final_step, pictures, registry, steps, tell
from rainbow_assets.fitness.pictures import markdown
from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.lineage.step import Step
from rainbow_assets.storage.resources import ShardStoreResource

Results = Iterator[dg.MaterializeResult[Any]]


@dg.asset(**asset_options(steps.CHORD_CANDIDATES, "composition", {"midi"}))
def chord_candidates(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """Different chord progressions for each commissioned song, scored as the files that they are; some are kept."""
    yield from _stage(context, steps.CHORD_CANDIDATES, store)


@dg.asset(**asset_options(steps.DRUM_CANDIDATES, "composition", {"midi"}))
def drum_candidates(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """Different drum loops over each kept progression, with ghost notes and fills, in any meter."""
    yield from _stage(context, steps.DRUM_CANDIDATES, store)


@dg.asset(**asset_options(steps.BASS_CANDIDATES, "composition", {"midi"}))
def bass_candidates(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """Different bass lines over each kept pair of chords and drums: roots, fifths, approaches, with the kick."""
    yield from _stage(context, steps.BASS_CANDIDATES, store)


@dg.asset(**asset_options(steps.MELODY_CANDIDATES, "composition", {"midi"}))
def melody_candidates(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """Different melodies over each kept trio: in a singer's range, chord tones on strong beats, a contour."""
    yield from _stage(context, steps.MELODY_CANDIDATES, store)


@dg.asset(**asset_options(registry.FINAL_CANDIDATES, "composition", {"midi", "parquet"}))
def final_candidates(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """The finished pieces that a person is asked about: MIDI, a mix that plays, its stems, and where it came from."""
    outcomes = build_colors(context, registry.FINAL_CANDIDATES, store)
    shard, extra = store.open().shard(final_step.NAME), {}
    if shard.index() is not None:
        shown = [name for name in final_step.SCHEMA.names if name not in ("midi", "flac", "stems", "harmony")]
        rows = sorted(shard.table(final_step.SCHEMA, shown).to_pylist(), key=lambda row: row["final_id"])
        extra = {"finals": dg.MetadataValue.md("\n".join(tell.finals(rows))), "ranked_by": tell.status(rows)}
    yield from report_events(context, registry.FINAL_CANDIDATES, outcomes, extra)


@dg.asset(**asset_options(registry.HUMAN_EVALUATION, "composition", {"parquet"}))
def human_evaluation(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Results:
    """Every verdict of a person with its piece; approved pieces are promoted, and scores are held against verdicts."""
    outcomes = build_colors(context, registry.HUMAN_EVALUATION, store)
    shard, extra = store.open().shard(evaluation_step.NAME), {}
    if shard.index() is not None:
        rows = shard.table(evaluation_step.SCHEMA, [name for name in evaluation_step.SCHEMA.names if name != "midi"])
        extra = {"agreement": dg.MetadataValue.md("\n".join(tell.agreements(rows.to_pylist())))}
    yield from report_events(context, registry.HUMAN_EVALUATION, outcomes, extra)


def _stage(context: dg.AssetExecutionContext, step: Step, store: ShardStoreResource) -> Results:
    outcomes = build_colors(context, step, store)
    index, extra = store.open().shard(step.name).index(), {}
    facts = [part.facts for part in index.parts if "generations" in part.facts] if index else []
    if facts:
        extra = {"stage": dg.MetadataValue.md(tell.stages(facts)),
                 "evolution": dg.MetadataValue.md(markdown(pictures.evolution(facts, step.name), "evolution"))}
    yield from report_events(context, step, outcomes, extra)
