"""`published_dataset`: one immutable version on a hub."""

from typing import Any

import dagster as dg

from rainbow_assets.assets import GRAPH
from rainbow_assets.markdown import bullets
from rainbow_assets.orchestration import leases
from rainbow_assets.orchestration.events import as_metadata
from rainbow_assets.orchestration.resources import ShardStoreResource
from rainbow_assets.orchestration.row_assets import OWNERS
from rainbow_assets.release import publish


class ReleaseConfig(dg.Config):
    """What to publish. ``version`` None: the latest version if nothing changed, else the next one."""

    version: str | None = None
    push: bool = False
    public: bool = False
    preview_samples: int = 20
    include_preview: bool = True
    demo_music: bool = False


@dg.asset(
    group_name="release", kinds={"huggingface", "parquet"}, owners=OWNERS,
    deps=["preview", "preview_mix", "base_manifest", "training_segments", "training_full", "concept_embeddings",
          "lyric_embeddings", "audio_embeddings", "taxonomy", "segment_media", "song_splits", "audio"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def published_dataset(
    context: dg.AssetExecutionContext, config: ReleaseConfig, store: ShardStoreResource
) -> dg.MaterializeResult[Any]:
    """One immutable version of all colors: every config, the card, the manifest and the listening page."""
    leases.hold(context.instance, context.run.run_id)
    try:
        done = publish.publish(
            GRAPH, store.open(), version=config.version, push=config.push, public=config.public,
            samples=config.preview_samples, include_preview=config.include_preview,
            demo_music=config.demo_music, say=context.log.info,
        )
    except publish.RainbowError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    return dg.MaterializeResult(data_version=dg.DataVersion(done.manifest.digest[:32]), metadata={
        "version": str(done.result.version), "outcome": done.result.outcome, "location": done.result.location,
        "files": len(done.manifest.files), "bytes": done.manifest.bytes, "bytes_sent": done.result.bytes_sent,
        "dagster/row_count": sum(entry.rows for entry in done.manifest.configs.values()),
        "why_this_version": as_metadata(bullets(done.reasons)),
        "card": as_metadata(done.card),
    })
