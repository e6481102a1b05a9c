"""The Dagster face of the segments room."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets.lineage.dagster import asset_options, build_colors, report_events
from rainbow_assets.segments import registry
from rainbow_assets.storage.resources import ShardStoreResource


@dg.asset(**asset_options(registry.SEGMENTS, "segments", {"wav", "parquet"}))
def segments(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per stem and time slice in which something sounds, with levels and digests of samples and notes."""
    yield from report_events(context, registry.SEGMENTS, build_colors(context, registry.SEGMENTS, store))


@dg.asset(**asset_options(registry.SEGMENT_MEDIA, "segments", {"flac", "midi", "parquet"}))
def segment_media(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """The sound and the notes of each segment: exact FLAC, and a standalone MIDI file with its true tempo."""
    yield from report_events(context, registry.SEGMENT_MEDIA, build_colors(context, registry.SEGMENT_MEDIA, store))


@dg.asset(**asset_options(registry.TRAINING_SEGMENTS, "segments", {"parquet"}))
def training_segments(
    context: dg.AssetExecutionContext, store: ShardStoreResource
) -> Iterator[dg.MaterializeResult[Any]]:
    """The published segment table: stems only, published column names and types."""
    outcomes = build_colors(context, registry.TRAINING_SEGMENTS, store)
    yield from report_events(context, registry.TRAINING_SEGMENTS, outcomes)


@dg.asset(**asset_options(registry.TRAINING_FULL, "segments", {"parquet"}))
def training_full(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Each segment with everything its stem and song say and its song's split; a checked 1:1 join by key."""
    yield from report_events(context, registry.TRAINING_FULL, build_colors(context, registry.TRAINING_FULL, store))
