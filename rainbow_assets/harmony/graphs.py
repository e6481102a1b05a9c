"""Transition graphs: how often one function, or one chord, follows another, in major and in minor.

Nodes are relative to the key (``minor:V``, ``minor:V7``), so the progressions of all keys are counted together.
Probabilities are smoothed by adding ``alpha`` to every count (Lidstone; Manning and Schuetze 1999, section 6.2.2), so
each node has an edge to every node of its mode, and its probabilities sum to 1. Graphs are written in open formats:
node-link JSON and GraphML.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from rainbow_assets.harmony.model import Progression
from rainbow_assets.music.errors import PackError
from rainbow_assets.music.functions import DIATONIC, TONIC
from rainbow_assets.music.keys import MODES
from rainbow_assets.storage.shard import Shard

if TYPE_CHECKING:
    import networkx as nx

ALPHA = 0.05
"""Added to every count. Small, so that seen transitions keep most of the probability and unseen ones stay possible."""
GRAPHS = ("function_graph", "chord_graph")


def graph_of_rows(name: str, rows: Iterable[tuple[str, Sequence[str]]], alpha: float = ALPHA) -> nx.DiGraph:
    """Return the graph ``name``, one of ``GRAPHS``, of rows of (mode, functions or romans in order).

    Nodes have ``mode``, ``label``, ``count`` and ``starts``; edges have ``count`` and ``probability``. The function
    graph has a node for every diatonic function of both modes, seen or not; the nodes of the chord graph are romans
    with their chord types.
    """
    import networkx as nx

    counts: dict[str, Counter[tuple[str, str]]] = {mode: Counter() for mode in MODES}
    seen: dict[str, Counter[str]] = {mode: Counter() for mode in MODES}
    starts: dict[str, Counter[str]] = {mode: Counter() for mode in MODES}
    for mode, row in rows:
        counts[mode].update(pairwise(row))
        seen[mode].update(row)
        starts[mode].update(row[:1])
    graph = nx.DiGraph(name=name, alpha=alpha)
    for mode in MODES:
        base = DIATONIC[mode] if name == GRAPHS[0] else ()
        nodes = sorted({*seen[mode], *base})
        out = Counter({node: sum(counts[mode][node, other] for other in nodes) for node in nodes})
        for node in nodes:
            graph.add_node(f"{mode}:{node}", mode=mode, label=node, count=seen[mode][node], starts=starts[mode][node])
        for node in nodes:
            whole = out[node] + alpha * len(nodes)
            for other in nodes:
                count = counts[mode][node, other]
                # Without smoothing, a node that nothing follows has no edges; ``whole`` is 0 for it.
                if count or alpha:
                    graph.add_edge(f"{mode}:{node}", f"{mode}:{other}", count=count,
                                   probability=(count + alpha) / whole)
    return graph


def function_graph(progressions: Iterable[Progression], alpha: float = ALPHA) -> nx.DiGraph:
    """Return the graph of the functions of ``progressions``."""
    return graph_of_rows(GRAPHS[0], ((item.key.mode, item.functions) for item in progressions), alpha)


def to_json(graph: nx.DiGraph) -> str:
    """Return ``graph`` as node-link JSON, byte-equal for equal graphs."""
    import networkx as nx

    return json.dumps(nx.node_link_data(graph, edges="links"), ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def from_json(text: str) -> nx.DiGraph:
    """Return the graph in node-link JSON; raise ``PackError`` if the text is not such a graph."""
    import networkx as nx

    try:
        graph = nx.node_link_graph(json.loads(text), edges="links")
    except (ValueError, KeyError, TypeError, AttributeError, nx.NetworkXError) as error:
        raise PackError(f"this is not a graph in node-link JSON: {error}; materialize the graph again") from error
    if not isinstance(graph, nx.DiGraph):
        raise PackError("the graph in this JSON is undirected; materialize the graph again")
    return graph


def to_graphml(graph: nx.DiGraph) -> bytes:
    """Return ``graph`` as GraphML."""
    import networkx as nx

    sink = io.BytesIO()
    nx.write_graphml(graph, sink, prettyprint=True)
    return sink.getvalue()


@dataclass(frozen=True, slots=True)
class Transitions:
    """One mode of a graph as a matrix: ``probability[i, j]`` is that of ``labels[j]`` after ``labels[i]``."""

    labels: tuple[str, ...]
    probability: np.ndarray
    starts: np.ndarray


def transitions(graph: nx.DiGraph, mode: str) -> Transitions:
    """Return ``mode``'s part of ``graph`` as a matrix of float64 [n, n] and start shares [n]; an absent edge is 0."""
    nodes = sorted(node for node, data in graph.nodes(data=True) if data["mode"] == mode)
    place = {node: number for number, node in enumerate(nodes)}
    matrix = np.zeros((len(nodes), len(nodes)))
    for source, target, data in graph.edges(data=True):
        if source in place and target in place:
            matrix[place[source], place[target]] = data["probability"]
    begun = np.array([float(graph.nodes[node]["starts"]) for node in nodes])
    total = begun.sum()
    return Transitions(tuple(graph.nodes[node]["label"] for node in nodes), matrix, begun / total if total else begun)


def row_sums(graph: nx.DiGraph) -> dict[str, float]:
    """Return the sum of the outgoing probabilities of every node."""
    return {node: sum(data["probability"] for _, _, data in graph.out_edges(node, data=True)) for node in graph.nodes}


def cadences(graph: nx.DiGraph, mode: str, top: int = 5) -> list[tuple[str, float, int]]:
    """Return the transitions to the tonic of ``mode``: (``V → I``, probability, count), the most likely first."""
    tonic = TONIC[mode]
    target = f"{mode}:{tonic}"
    if target not in graph:
        return []
    found = [(f"{graph.nodes[source]['label']} → {tonic}", float(data["probability"]), int(data["count"]))
             for source, _, data in graph.in_edges(target, data=True) if source != target and data["count"]]
    return sorted(found, key=lambda item: (-item[1], item[0]))[:top]


def graph_of(shard: Shard) -> nx.DiGraph:
    """Return the graph in the rows of a graph asset, with both modes."""
    import networkx as nx

    parts = [from_json(row["node_link"]) for row in sorted(shard.rows(), key=lambda row: row["mode"])]
    return nx.compose_all(parts) if parts else nx.DiGraph()
