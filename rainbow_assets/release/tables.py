"""The tables of a version: their shards and columns, and the condition for publishing them."""

from __future__ import annotations

import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.lineage import gates
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.plan import FRESH, STALE, plan
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.release.bundle import ReleaseTable, shard_parts
from rainbow_assets.release.features import AUDIO
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.human_table import human_table
from rainbow_assets.release.previews import INTERNAL, RANK
from rainbow_assets.release.threads_table import threads_table
from rainbow_assets.release.vectors import embeddings_table
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

CAUSES = 3
"""Number of causes in the message of a refusal."""
SECTIONS = {
    "preview": "Playable stems: up to {samples} windows per color, chosen by hash rank, spread over songs.",
    "preview_mix": "The same slices of the main mix, with all stems together.",
    "base_manifest": "One row per stem: the facts of its song's manifest and lyrics, typed.",
    "training_segments": "One row per stem and time slice in which something sounds.",
    "audio": "Every audible segment, stems and mixes, as playable FLAC; `split` is that of its song.",
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


def _table(
    store: ShardStore, step: RowAsset, samples: int, default: bool = False, below: tuple[str, int] | None = None
) -> ReleaseTable:
    shards = {color: shard_parts(store.shard(step.name, color)) for color in COLOR_NAMES}
    schema = pa.schema([item for item in step.schema if item.name not in INTERNAL])
    media = tuple(item.name for item in schema if item.type == AUDIO)
    return ReleaseTable(step.name, shards, schema, SECTIONS[step.name].format(samples=samples), media, default, below)


def audio_table(graph: Graph, store: ShardStore) -> ReleaseTable:
    """Return the table of `audio` with the audio from the shards of `segment_media`, which is stored only once."""
    shards, listed = {}, graph["audio"].schema
    for color in COLOR_NAMES:
        parts = shard_parts(store.shard("segment_media", color), lambda stem: stem.rpartition("_t")[0])
        shards[color] = sorted(parts, key=lambda part: part.group)

    def listing(color: str, song: str) -> pa.Table:
        shard = store.shard("audio", color)
        own = [shard.read_part(part) for part in shard.require_index().parts if part.group == song]
        return pa.concat_tables([listed.empty_table(), *(rows.cast(listed) for rows in own)])

    # Texts are not repeated here: readers join the tables by segment_id.
    schema = listed.append(graph["segment_media"].schema.field("audio"))
    return ReleaseTable("audio", shards, schema, SECTIONS["audio"], ("audio",), listing=listing)


def release_tables(graph: Graph, store: ShardStore, samples: int, include_preview: bool = True) -> list[ReleaseTable]:
    """Return the tables of a version in the order of the card; the preview is the default config."""
    below = (RANK.name, samples)
    previews = [_table(store, graph["preview"], samples, True, below),
                _table(store, graph["preview_mix"], samples, False, below)]
    others = [_table(store, graph[name], samples, not include_preview and name == "training_full")
              for name in ("base_manifest", "training_segments", "training_full")]
    asked = extras()
    threads = [threads_table(store)] if "thread_manifests" in asked else []
    verdicts = [human_table(graph["human_evaluation"].schema, store)] if "human_evaluation" in asked else []
    return [*(previews if include_preview else []), audio_table(graph, store), *others, embeddings_table(store),
            *threads, *verdicts]
