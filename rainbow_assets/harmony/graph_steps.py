"""`function_graph` and `chord_graph` as ledger steps: one row per mode, the graph as node-link JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.harmony.graphs import GRAPHS, from_json, graph_of_rows, to_json
from rainbow_assets.harmony.library_steps import PROGRESSION_LIBRARY
from rainbow_assets.harmony.tables import PROGRESSION_SCHEMA
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.music.keys import MODES
from rainbow_assets.storage.shard import Shard

if TYPE_CHECKING:
    import networkx as nx

GRAPH_SCHEMA = pa.schema([
    ("mode", pa.string()), ("nodes", pa.int32()), ("edges", pa.int32()), ("progressions", pa.int32()),
    ("node_link", pa.string()),
])
"""One row per mode. ``node_link``: JSON that ``networkx.node_link_graph(json.loads(text), edges="links")`` reads."""


def _candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Both modes depend on the functions and romans of all progressions, and on nothing else of them."""
    rows = outputs(shard.store.shard(PROGRESSION_LIBRARY.name), PROGRESSION_LIBRARY.name, ("music",)).sort("key")
    name = f"in:{PROGRESSION_LIBRARY.name}.music"
    music = digest(rows[name].to_list())
    return pl.DataFrame({"key": sorted(MODES), "part": sorted(MODES), name: [music] * len(MODES)})


def _step(name: str, labels: str) -> Step:
    def compute(work: Work) -> Iterator[Batch]:
        library = work.upstream(PROGRESSION_LIBRARY.name)
        songs = library.table(PROGRESSION_SCHEMA, ["mode", labels]).to_pylist()
        for mode, _ in work.parts():
            own = [(mode, song[labels]) for song in songs if song["mode"] == mode]
            graph = part_of(graph_of_rows(name, own), mode)
            row = {"mode": mode, "nodes": graph.number_of_nodes(), "edges": graph.number_of_edges(),
                   "progressions": len(own), "node_link": to_json(graph)}
            yield Batch(mode, pa.Table.from_pylist([row], schema=GRAPH_SCHEMA))

    return Step(
        name=name, inputs={PROGRESSION_LIBRARY.name: ("music",)}, compute=compute, schema=GRAPH_SCHEMA,
        fields={"graph": ("nodes", "edges", "progressions", "node_link")}, key="mode",
        candidates=_candidates, colored=False, unit="mode", cheap=True,
    )


def part_of(graph: nx.DiGraph, mode: str) -> nx.DiGraph:
    """Return the part of ``graph`` that belongs to ``mode``."""
    import networkx as nx

    nodes = [node for node, data in graph.nodes(data=True) if data["mode"] == mode]
    return nx.DiGraph(graph.subgraph(nodes))


def graph_of(table: pa.Table) -> nx.DiGraph:
    """Return the graph that the rows of a graph asset hold, both modes in one."""
    import networkx as nx

    parts = [from_json(row["node_link"]) for row in sorted(table.to_pylist(), key=lambda row: row["mode"])]
    return nx.compose_all(parts) if parts else nx.DiGraph()


FUNCTION_GRAPH = _step(GRAPHS[0], "functions")
CHORD_GRAPH = _step(GRAPHS[1], "romans")
