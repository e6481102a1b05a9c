"""Draw a transition graph as a PNG, and list its most likely cadences as a Markdown table."""

from __future__ import annotations

import math

import networkx as nx

from rainbow_assets import figures
from rainbow_assets.harmony.graphs import cadences
from rainbow_assets.markdown import Markdown, table
from rainbow_assets.music.keys import MODES

MAX_NODES = 14
"""Only the most frequent nodes of a mode are drawn, because the labels of more nodes overlap."""
MIN_PROBABILITY = 0.08
"""Edges below this are not drawn."""


def draw_graph(graph: nx.DiGraph, max_nodes: int = MAX_NODES) -> bytes:
    """Return a PNG of ``graph``: one circle per mode, node area by frequency, edge width by probability.

    Nodes are on the circle in order of frequency, so the picture is the same in every run.
    """
    figure = figures.new_figure(12, 6, dpi=100, layout=None)
    for column, mode in enumerate(MODES):
        axes = figure.add_subplot(1, 2, column + 1)
        axes.set_title(f"{graph.graph.get('name', 'graph')}: {mode}")
        axes.set_axis_off()
        nodes = [node for node, data in graph.nodes(data=True) if data["mode"] == mode]
        shown = sorted(nodes, key=lambda node: (-graph.nodes[node]["count"], node))[:max_nodes]
        if not shown:
            continue
        most = max(1, *(graph.nodes[node]["count"] for node in shown))
        turn = 2 * math.pi / len(shown)
        places = {node: (math.sin(n * turn), math.cos(n * turn)) for n, node in enumerate(shown)}
        part = graph.subgraph(shown)
        edges = sorted((source, target, data["probability"]) for source, target, data in part.edges(data=True)
                       if data["count"] and data["probability"] >= MIN_PROBABILITY and source != target)
        nx.draw_networkx_nodes(part, places, nodelist=shown, ax=axes, node_color="#cfe3f7", edgecolors="#335577",
                               node_size=[400 + 1200 * graph.nodes[node]["count"] / most for node in shown])
        nx.draw_networkx_labels(part, places, {node: graph.nodes[node]["label"] for node in shown}, 9, ax=axes)
        nx.draw_networkx_edges(part, places, [(a, b) for a, b, _ in edges], ax=axes, edge_color="#335577", alpha=0.6,
                               width=[6 * p for _, _, p in edges], connectionstyle="arc3,rad=0.12", node_size=1100)
    return figures.png(figure)


def cadence_table(graph: nx.DiGraph, top: int = 5) -> Markdown:
    """Return a table of the most likely transitions to each mode's tonic."""
    return table(("mode", "cadence", "probability", "seen"), [
        (mode, name, f"{share:.3f}", count) for mode in MODES for name, share, count in cadences(graph, mode, top)])
