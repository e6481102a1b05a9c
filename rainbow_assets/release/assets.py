"""The Dagster face of the release room: `audio`, the previews, and the published version."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from rainbow_assets import leases
from rainbow_assets.lineage.dagster import OWNERS, asset_options, build_colors, report_events
from rainbow_assets.release import publish, registry
from rainbow_assets.storage.resources import ShardStoreResource


class ReleaseConfig(dg.Config):
    """What to publish. ``version`` None: the latest where nothing changed, else the one that the changes call for."""

    version: str | None = None
    push: bool = False
    public: bool = False
    preview_samples: int = 20
    include_preview: bool = True


@dg.asset(**asset_options(registry.AUDIO, "release", {"parquet"}))
def audio(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """Every window that sounds, with its song's split; a release joins the FLAC to it from segment_media."""
    yield from report_events(context, registry.AUDIO, build_colors(context, registry.AUDIO, store))


@dg.asset(**asset_options(registry.PREVIEW, "release", {"flac", "parquet"}))
def preview(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """What each color sounds like, stem by stem: N playable windows per color, by hash rank, spread over songs."""
    yield from report_events(context, registry.PREVIEW, build_colors(context, registry.PREVIEW, store))


@dg.asset(**asset_options(registry.PREVIEW_MIX, "release", {"flac", "parquet"}))
def preview_mix(context: dg.AssetExecutionContext, store: ShardStoreResource) -> Iterator[dg.MaterializeResult[Any]]:
    """The previews' slices cut from the main mix, so that one hears the color and not a lone hi-hat."""
    yield from report_events(context, registry.PREVIEW_MIX, build_colors(context, registry.PREVIEW_MIX, store))


@dg.asset(
    group_name="release", kinds={"huggingface", "parquet"}, owners=OWNERS,
    deps=["preview", "preview_mix", "base_manifest", "training_segments", "training_full", "concept_embeddings",
          "lyric_embeddings", "audio_embeddings", "taxonomy", "segment_media", "song_splits", "audio"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def published_dataset(
    context: dg.AssetExecutionContext, config: ReleaseConfig, store: ShardStoreResource
) -> dg.MaterializeResult[Any]:
    """One immutable version: every config, the card, the manifest and the listening page. All colors, or nothing."""
    leases.hold(context.instance, context.run.run_id)
    try:
        done = publish.publish(
            store.open(), version=config.version, push=config.push, public=config.public,
            samples=config.preview_samples, include_preview=config.include_preview, say=context.log.info,
        )
    except publish.RainbowError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    return dg.MaterializeResult(data_version=dg.DataVersion(done.manifest.digest[:32]), metadata={
        "version": str(done.result.version), "outcome": done.result.outcome, "location": done.result.location,
        "files": len(done.manifest.files), "bytes": done.manifest.bytes, "bytes_sent": done.result.bytes_sent,
        "dagster/row_count": sum(entry.rows for entry in done.manifest.configs.values()),
        "why_this_version": dg.MetadataValue.md("\n".join(f"- {reason}" for reason in done.reasons)),
        "card": dg.MetadataValue.md(done.card),
    })
