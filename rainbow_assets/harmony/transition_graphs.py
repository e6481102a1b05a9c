"""`function_graph` and `chord_graph`: one row per mode, the graph as node-link JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.harmony.graphs import (
    GRAPHS,
    cadences,
    graph_of,
    graph_of_rows,
    row_sums,
    to_json,
)
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.markdown import picture
from rainbow_assets.music.functions import TONIC
from rainbow_assets.music.keys import MODES
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

if TYPE_CHECKING:
    import networkx as nx

GRAPH_SCHEMA = pa.schema([
    ("mode", pa.string()), ("nodes", pa.int32()), ("edges", pa.int32()), ("progressions", pa.int32()),
    ("node_link", pa.string()),
])
"""One row per mode. ``node_link``: JSON that ``networkx.node_link_graph(json.loads(text), edges="links")`` reads."""


def _candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return both modes; each depends only on the functions and romans of all progressions."""
    rows = outputs(shard.store.shard("progression_library"), "progression_library", ("music",)).sort("key")
    name = "in:progression_library.music"
    music = digest(rows[name].to_list())
    return pl.DataFrame({"key": sorted(MODES), "part": sorted(MODES), name: [music] * len(MODES)})


SUM_TOLERANCE = 1e-9


def rows_sum_to_one(step: RowAsset) -> Check:
    """Return the check that the probabilities after each node sum to 1."""
    def evaluate(shard: Shard) -> Finding:
        sums = row_sums(graph_of(shard))
        wrong = sorted(node for node, total in sums.items() if abs(total - 1) > SUM_TOLERANCE)
        numbers = {"nodes": len(sums), "wrong": len(wrong)}
        if wrong:
            return Finding(False, f"the probabilities after {len(wrong)} nodes do not sum to 1: {some(wrong)}",
                           numbers)
        return Finding(True, f"the probabilities after each of {len(sums)} nodes sum to 1", numbers)

    return Check("rows_sum_to_one", evaluate, "The probabilities after each node sum to 1.")


def both_modes(step: RowAsset) -> Check:
    """Return the check that major and minor have transitions, some of which lead to the tonic."""
    def evaluate(shard: Shard) -> Finding:
        graph = graph_of(shard)
        seen = {mode: sum(int(data["count"]) for source, _, data in graph.edges(data=True)
                          if graph.nodes[source]["mode"] == mode) for mode in MODES}
        lacking = [mode for mode in MODES if not seen[mode] or not cadences(graph, mode)]
        numbers = {f"{mode}_transitions": count for mode, count in seen.items()}
        if lacking:
            return Finding(False, f"the {' and '.join(lacking)} graph has no transition to its tonic "
                                  f"({', '.join(TONIC[mode] for mode in lacking)}); see progression_library", numbers)
        return Finding(True, f"{seen['major']} transitions in major and {seen['minor']} in minor", numbers)

    return Check("both_modes", evaluate, "Major and minor have transitions, some of them to the tonic.")


def shown(built: Built) -> Mapping[str, Any]:
    """Return the graph as a picture, and its most likely transitions to the tonic."""
    from rainbow_assets.harmony.drawing import cadence_table, draw_graph  # drawing is slow to load

    found = {}
    for shard in built.shards():
        graph = graph_of(shard)
        found = {"graph": picture(draw_graph(graph), built.asset.name),
                 "cadences": cadence_table(graph)}
    return found


def compute(name: str, labels: str, work: Work) -> Iterator[Batch]:
    """Yield the graph of each requested mode."""
    songs = work.upstream("progression_library").rows("mode", labels)
    for mode, _ in work.parts():
        own = [(mode, song[labels]) for song in songs if song["mode"] == mode]
        graph = part_of(graph_of_rows(name, own), mode)
        yield work.batch(mode, [{"mode": mode, "nodes": graph.number_of_nodes(), "edges": graph.number_of_edges(),
                                 "progressions": len(own), "node_link": to_json(graph)}])


def part_of(graph: nx.DiGraph, mode: str) -> nx.DiGraph:
    """Return the part of ``graph`` that belongs to ``mode``."""
    import networkx as nx

    nodes = [node for node, data in graph.nodes(data=True) if data["mode"] == mode]
    return nx.DiGraph(graph.subgraph(nodes))


def _asset(name: str, labels: str, description: str) -> RowAsset:
    return RowAsset(
        name=name, group="harmony", kinds={"networkx", "parquet"}, description=description,
        reads={"progression_library": ("music",)}, compute=partial(compute, name, labels), columns=GRAPH_SCHEMA,
        fields={"graph": ("nodes", "edges", "progressions", "node_link")}, key="mode",
        candidates=_candidates, colored=False, unit="mode", cheap=True,
        checks=[unique_keys, rows_sum_to_one, both_modes], shows=[shown],
    )


FUNCTION_GRAPH = _asset(GRAPHS[0], "functions", (
    "How often one roman function follows another, in major and in minor: counts and smoothed probabilities."))
CHORD_GRAPH = _asset(GRAPHS[1], "romans", (
    "How often one chord, a roman with its type, follows another, in major and in minor: counts and smoothed "
    "probabilities."))
