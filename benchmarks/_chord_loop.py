"""The original's way of finding progressions, as a baseline: a frame filter per step and Python loops to score."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx as nx
import polars as pl

from rainbow_assets.harmony.library import Library
from rainbow_assets.harmony.tables import chord_rows
from rainbow_assets.music.keys import Key


def loop_candidates(library: Library, key: Key, length: int, count: int, seed: int) -> list[tuple[float, list[dict]]]:
    """Draw and score ``count`` progressions one by one from the whole library, best first, as the original did."""
    frame, graph, draw = pl.DataFrame(chord_rows(library.chords, {})), library.graph, random.Random(seed)
    found = []
    for _ in range(count):
        row, function = [], "I" if key.mode == "major" else "i"
        for place in range(length):
            if place:
                edges = list(graph.out_edges(f"{key.mode}:{function}", data=True))
                chosen = draw.choices(edges, [data["probability"] for *_, data in edges])[0]
                function = graph.nodes[chosen[1]]["label"]
            own = frame.filter((pl.col("tonic_pc") == key.pc) & (pl.col("mode") == key.mode))
            same = own.filter(pl.col("function") == function)
            row.append((same if len(same) else own).sample(1, seed=draw.randrange(2**31)).to_dicts()[0])
        found.append((_score(graph, key.mode, row), row))
    return sorted(found, key=lambda item: -item[0])


def _score(graph: nx.DiGraph, mode: str, row: list[dict]) -> float:
    melody = leading = likely = 0.0
    for first, second in pairwise(row):
        jump = abs(first["voicing"][-1] - second["voicing"][-1])
        melody += 1.0 if jump <= 2 else 0.5 if jump <= 5 else 0.0
        moved = sum(min(abs(note - other) for other in second["voicing"]) for note in first["voicing"])
        leading += min(1.0, max(0.0, 1 - (moved - 3) / 12))
        edge = (f"{mode}:{first['function']}", f"{mode}:{second['function']}")
        likely += graph.edges[edge]["probability"] if graph.has_edge(*edge) else 0.0
    steps, variety = len(row) - 1, len({chord["chord_id"] for chord in row}) / len(row)
    return 0.25 * melody / steps + 0.3 * leading / steps + 0.15 * variety + 0.3 * likely / steps
