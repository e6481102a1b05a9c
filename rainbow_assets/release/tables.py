"""The tables of a version: their shards and columns, and the condition for publishing them."""

from __future__ import annotations

import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus.splits import splits_of
from rainbow_assets.lineage import gates
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.release.bundle import PartFile, ReleaseTable, shard_parts
from rainbow_assets.release.features import AUDIO
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.human_table import human_table
from rainbow_assets.release.music_tables import audio_table, midi_table
from rainbow_assets.release.previews import INTERNAL, RANK
from rainbow_assets.release.threads_table import threads_table
from rainbow_assets.release.vectors import embeddings_table
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

CAUSES = 3
"""Number of causes in the message of a refusal."""
SECTIONS = {
    "preview": "Playable stems: up to {samples} windows per color, chosen by hash rank, spread over songs. It is made "
               "to be looked at: its only split, train, has windows of songs of every split.",
    "preview_mix": "The same slices of the main mix, with all stems together; its only split has songs of every split.",
    "base_manifest": "One row per stem: the facts of its song's manifest and lyrics, typed.",
    "training_segments": "One row per stem and time slice in which something sounds.",
    "training_full": "Each segment with its stem's manifest row and its song's split, joined by key, 1:1.",
}


class ReleaseRefused(HubError):
    """Something is out of date or a gate failed; nothing was published."""


def extras() -> set[str]:
    """Return the names of the assets without colors that the settings add to a version."""
    rules = settings.default_rules().release
    return {name for name, wanted in (("thread_manifests", rules.threads),
                                      ("human_evaluation", rules.human_evaluation)) if wanted}


def published(graph: Graph) -> dict[str, RowAsset]:
    """Return the assets that a version publishes or checks: those with colors, and those that the settings add."""
    asked = extras()
    return {name: step for name, step in graph.items() if step.colored or name in asked}


def require_all(graph: Graph, store: ShardStore) -> None:
    """Raise ``ReleaseRefused`` with the first causes if a build would have anything to do for this version.

    A version is made from the published assets and everything that they read. An asset that is built only when named,
    such as a model, counts only if it is published itself.
    """
    wanted = published(graph)
    above = graph.followed(wanted)
    planned = plan({name: step for name, step in graph.items() if name in above}, store, COLOR_NAMES)
    causes = [f"{entry.asset}/{entry.partition} is out of date: {entry.reasons[0]}" if entry.state == STALE
              and not entry.asks else entry.reasons[0] for entry in planned
              if entry.state != FRESH and (entry.asset in wanted or not graph[entry.asset].on_request)]
    there = {entry.asset for entry in planned}
    causes += [sentence for name, step in wanted.items() for partition in step.partitions
               if name not in there and (sentence := gates.blocked(store, step, partition))]
    if causes:
        more = f" ({len(causes) - CAUSES} more)" if len(causes) > CAUSES else ""
        raise ReleaseRefused(f"nothing was published: {'; '.join(dict.fromkeys(causes[:CAUSES]))}{more}; "
                             "run: rainbow build, and see rainbow plan")


def song_splits(store: ShardStore) -> dict[str, str]:
    """Return {song: split} of all colors."""
    return {song: split for color in COLOR_NAMES
            for song, split in splits_of(store.shard("song_splits", color)).items()}


def _shards(store: ShardStore, step: RowAsset) -> dict[str, list[PartFile]]:
    return {color: shard_parts(store.shard(step.name, color)) for color in COLOR_NAMES}


def _preview(store: ShardStore, step: RowAsset, samples: int, default: bool = False) -> ReleaseTable:
    schema = pa.schema([item for item in step.schema if item.name not in INTERNAL])
    media = tuple(item.name for item in schema if item.type == AUDIO)
    return ReleaseTable(step.name, _shards(store, step), schema, SECTIONS[step.name].format(samples=samples), media,
                        default, (RANK.name, samples))


def release_tables(graph: Graph, store: ShardStore, samples: int, include_preview: bool = True) -> list[ReleaseTable]:
    """Return the tables of a version in the order of the card; the preview is the default config."""
    splits = song_splits(store)
    previews = [_preview(store, graph["preview"], samples, True), _preview(store, graph["preview_mix"], samples)]
    others = [ReleaseTable(name, _shards(store, graph[name]), graph[name].schema, SECTIONS[name],
                           default=not include_preview and name == "training_full", key=graph[name].key, splits=splits)
              for name in ("base_manifest", "training_segments", "training_full")]
    asked = extras()
    threads = [threads_table(store)] if "thread_manifests" in asked else []
    verdicts = [human_table(graph["human_evaluation"].schema, store)] if "human_evaluation" in asked else []
    return [*(previews if include_preview else []), audio_table(graph, store, splits), midi_table(graph, store, splits),
            *others, embeddings_table(store, splits), *threads, *verdicts]
