"""The library in the store: the built assets ``chord_library`` and ``function_graph``."""

from __future__ import annotations

from rainbow_assets.harmony.graphs import graph_of
from rainbow_assets.harmony.library import Library
from rainbow_assets.harmony.tables import chords_of
from rainbow_assets.storage.store import ShardStore


def stored_library(store: ShardStore) -> Library:
    """Return the built library; raise ``MissingShard``, which names the command, if it has not been built."""
    shard = store.shard("chord_library")
    chords = chords_of(shard.rows())
    version = shard.require_index().data_version
    return Library("library", version, chords, graph_of(store.shard("function_graph")))
