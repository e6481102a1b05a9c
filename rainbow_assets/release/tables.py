"""The tables that a version publishes: which shards, which columns, and what must hold of them first."""

from __future__ import annotations

import pyarrow as pa

from rainbow_assets.corpus import split_step
from rainbow_assets.corpus.steps import BASE_MANIFEST
from rainbow_assets.lineage import catalog, gates
from rainbow_assets.lineage.materialize import problem
from rainbow_assets.lineage.step import Step
from rainbow_assets.release.bundle import ReleaseTable, shard_parts
from rainbow_assets.release.features import AUDIO
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.preview_step import PREVIEW, PREVIEW_MIX
from rainbow_assets.release.vectors import embeddings_table
from rainbow_assets.segments.media_step import SEGMENT_MEDIA
from rainbow_assets.segments.training_step import TRAINING_FULL, TRAINING_SEGMENTS
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

RANK = "preview_rank"
SECTIONS = {
    "preview": "Stems one can play: up to {samples} windows per color, chosen by hash rank, spread over songs.",
    "preview_mix": "The same slices of the main mix, so that one hears what a color sounds like.",
    "base_manifest": "One row per stem: what its song's manifest and lyrics say, typed.",
    "training_segments": "One row per stem and time slice in which something sounds.",
    "audio": "Every segment that sounds, stems and mixes, as FLAC one can play; `split` is its song's.",
    "training_full": "Each segment with its stem's manifest row and its song's split, joined by key, 1:1.",
}

AUDIO_SCHEMA = pa.schema([
    SEGMENT_MEDIA.schema.field("segment_id"), SEGMENT_MEDIA.schema.field("song_id"),
    pa.field("rainbow_color", pa.string(), metadata={"doc": "full color name"}),
    pa.field("split", pa.string(), metadata={"doc": "train, validation or test; by song, so that no song leaks"}),
    *(SEGMENT_MEDIA.schema.field(name) for name in ("is_mix", "audio_frames", "bits", "audio_digest", "audio")),
])
"""The published columns of ``audio``; a row is joined to its text by ``segment_id``."""


class ReleaseRefused(HubError):
    """A gate says no; nothing was published."""


def require_all(store: ShardStore) -> None:
    """Pass where every color of every asset is built, checked and current; raise ``ReleaseRefused`` naming them all."""
    problems = []
    for name, step in catalog.steps().items():
        if not step.colored:
            continue
        for color in COLOR_NAMES:
            sentence = gates.blocked(store, name, color) or problem(store.shard(name, color))
            if sentence:
                problems.append(sentence)
    if problems:
        more = f" ({len(problems) - 5} more)" if len(problems) > 5 else ""
        raise ReleaseRefused(f"nothing was published: {' '.join(dict.fromkeys(problems[:5]))}{more}")


def _table(
    store: ShardStore, step: Step, samples: int, default: bool = False, below: tuple[str, int] | None = None
) -> ReleaseTable:
    shards = {color: shard_parts(store.shard(step.name, color)) for color in COLOR_NAMES}
    schema = pa.schema([item for item in step.schema if item.name != RANK])
    media = tuple(item.name for item in schema if item.type == AUDIO)
    return ReleaseTable(step.name, shards, schema, SECTIONS[step.name].format(samples=samples), media, default, below)


def audio_table(store: ShardStore) -> ReleaseTable:
    """Offer all audible windows straight from the shards of ``segment_media``: no second copy of the sound is kept."""
    shards, color_of, split_of = {}, {}, {}
    for color in COLOR_NAMES:
        parts = shard_parts(store.shard(SEGMENT_MEDIA.name, color), lambda stem: stem.rsplit("_t", 1)[0])
        shards[color] = sorted(parts, key=lambda part: part.group)
        color_of.update({part.group: color for part in parts})
        for row in store.shard("song_splits", color).table(split_step.SCHEMA, ["song_id", "split"]).to_pylist():
            split_of[row["song_id"]] = row["split"]
    return ReleaseTable("audio", shards, AUDIO_SCHEMA, SECTIONS["audio"], ("audio",), filled="audio",
                        of_group={"rainbow_color": color_of, "split": split_of})


def release_tables(store: ShardStore, samples: int, include_preview: bool = True) -> list[ReleaseTable]:
    """Return the tables of a version in the order of the card; the preview is the default config."""
    below = (RANK, samples)
    previews = [_table(store, PREVIEW, samples, True, below), _table(store, PREVIEW_MIX, samples, False, below)]
    others = [_table(store, step, samples, not include_preview and step is TRAINING_FULL)
              for step in (BASE_MANIFEST, TRAINING_SEGMENTS, TRAINING_FULL)]
    return [*(previews if include_preview else []), audio_table(store), *others, embeddings_table(store)]
