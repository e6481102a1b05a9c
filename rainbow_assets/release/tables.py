"""The tables that a version publishes: which shards, which columns, and what must hold of them first."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.composition.evaluation_step import HUMAN_EVALUATION
from rainbow_assets.corpus.steps import BASE_MANIFEST
from rainbow_assets.lineage import catalog, gates
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.lineage.step import Step
from rainbow_assets.release.audio_step import AUDIO as AUDIO_ROWS
from rainbow_assets.release.bundle import ReleaseTable, shard_parts
from rainbow_assets.release.features import AUDIO
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.human_table import human_table
from rainbow_assets.release.preview_step import INTERNAL, PREVIEW, PREVIEW_MIX, RANK
from rainbow_assets.release.threads_table import threads_table
from rainbow_assets.release.vectors import embeddings_table
from rainbow_assets.segments.media_step import SEGMENT_MEDIA
from rainbow_assets.segments.training_step import TRAINING_FULL, TRAINING_SEGMENTS
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets.threads.steps import THREAD_MANIFESTS

CAUSES = 3
"""How many causes a refusal names."""
SECTIONS = {
    "preview": "Stems one can play: up to {samples} windows per color, chosen by hash rank, spread over songs.",
    "preview_mix": "The same slices of the main mix, so that one hears what a color sounds like.",
    "base_manifest": "One row per stem: what its song's manifest and lyrics say, typed.",
    "training_segments": "One row per stem and time slice in which something sounds.",
    "audio": "Every segment that sounds, stems and mixes, as FLAC one can play; `split` is its song's.",
    "training_full": "Each segment with its stem's manifest row and its song's split, joined by key, 1:1.",
}

AUDIO_SCHEMA = AUDIO_ROWS.schema.append(SEGMENT_MEDIA.schema.field("audio"))
"""The published columns of ``audio``; a row is joined to its text by ``segment_id``."""


class ReleaseRefused(HubError):
    """A gate says no; nothing was published."""


def published_steps() -> dict[str, Step]:
    """Return the steps that a version is made from: those with colors, and threads and verdicts where it holds them."""
    rules = settings.default_rules().release
    asked = {name for name, wanted in ((THREAD_MANIFESTS.name, rules.threads),
                                       (HUMAN_EVALUATION.name, rules.human_evaluation)) if wanted}
    return {name: step for name, step in catalog.steps().items() if step.colored or name in asked}


def require_all(store: ShardStore) -> None:
    """Pass where a build would find nothing to do in anything that a version is made from.

    Raises ``ReleaseRefused`` with the first causes otherwise. A version is made from the published steps and from all
    that they read; models and what else is made on request count where they are published themselves.
    """
    published, steps = published_steps(), catalog.steps()
    above = made_from(published)
    planned = plan({name: step for name, step in steps.items() if name in above}, store, COLOR_NAMES)
    causes = [f"{entry.asset}/{entry.partition} is out of date: {entry.reasons[0]}" if entry.state == STALE
              and not entry.asks else entry.reasons[0] for entry in planned
              if entry.state != FRESH and (entry.asset in published or not steps[entry.asset].on_request)]
    there = {entry.asset for entry in planned}
    causes += [sentence for name, step in published.items() for partition in catalog.partitions(step)
               if name not in there and (sentence := gates.blocked(store, name, partition))]
    if causes:
        more = f" ({len(causes) - CAUSES} more)" if len(causes) > CAUSES else ""
        raise ReleaseRefused(f"nothing was published: {'; '.join(dict.fromkeys(causes[:CAUSES]))}{more}; "
                             "run: rainbow build, and see rainbow plan")


def made_from(steps: Mapping[str, Step]) -> set[str]:
    """Return the names of ``steps`` and of all assets that they follow from."""
    known, found, todo = catalog.steps(), set(steps), list(steps)
    while todo:
        fresh = {name for name in known[todo.pop()].inputs if name in known} - found
        found |= fresh
        todo += fresh
    return found


def _table(
    store: ShardStore, step: Step, samples: int, default: bool = False, below: tuple[str, int] | None = None
) -> ReleaseTable:
    shards = {color: shard_parts(store.shard(step.name, color)) for color in COLOR_NAMES}
    schema = pa.schema([item for item in step.schema if item.name not in INTERNAL])
    media = tuple(item.name for item in schema if item.type == AUDIO)
    return ReleaseTable(step.name, shards, schema, SECTIONS[step.name].format(samples=samples), media, default, below)


def audio_table(store: ShardStore) -> ReleaseTable:
    """Offer the rows of `audio` with their sound from the shards of `segment_media`: no second copy of it is kept."""
    shards = {}
    for color in COLOR_NAMES:
        parts = shard_parts(store.shard(SEGMENT_MEDIA.name, color), lambda stem: stem.rpartition("_t")[0])
        shards[color] = sorted(parts, key=lambda part: part.group)

    def listing(color: str, song: str) -> pa.Table:
        shard = store.shard(AUDIO_ROWS.name, color)
        own = [shard.read_part(part) for part in shard.require_index().parts if part.group == song]
        return pa.concat_tables([AUDIO_ROWS.schema.empty_table(), *(rows.cast(AUDIO_ROWS.schema) for rows in own)])

    return ReleaseTable("audio", shards, AUDIO_SCHEMA, SECTIONS["audio"], ("audio",), listing=listing)


def release_tables(store: ShardStore, samples: int, include_preview: bool = True) -> list[ReleaseTable]:
    """Return the tables of a version in the order of the card; the preview is the default config."""
    below = (RANK.name, samples)
    previews = [_table(store, PREVIEW, samples, True, below), _table(store, PREVIEW_MIX, samples, False, below)]
    others = [_table(store, step, samples, not include_preview and step is TRAINING_FULL)
              for step in (BASE_MANIFEST, TRAINING_SEGMENTS, TRAINING_FULL)]
    asked = published_steps()
    threads = [threads_table(store)] if THREAD_MANIFESTS.name in asked else []
    verdicts = [human_table(store)] if HUMAN_EVALUATION.name in asked else []
    return [*(previews if include_preview else []), audio_table(store), *others, embeddings_table(store), *threads,
            *verdicts]
