"""Search a pool for progressions with high scores. All four strategies return their k best, without duplicates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rainbow_assets.harmony.best import EFFORT, NEVER, Ranking, best, order
from rainbow_assets.harmony.limits import PlaceLimits, SearchLimits, limits
from rainbow_assets.harmony.model import Chord
from rainbow_assets.harmony.pool import Pool, Progressions, Rows
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, Scorer, Weighted, share_out, totals, weighted
from rainbow_assets.harmony.walks import graph_starts, graph_weights, walks
from rainbow_assets.music.errors import HarmonyUsageError, NoProgression
from rainbow_assets.music.functions import TONIC

STRATEGIES = {
    "best": "the highest scores of all progressions, with a proof or an upper bound",
    "brute_force": "the best of N walks over the graph from the tonic, or of all progressions if there are at most N",
    "graph": "the best of N walks over the graph",
    "random": "the best of N uniform draws",
}
MAX_CANDIDATES, MAX_TOP = 5_000_000, 10_000


class Found(NamedTuple):
    """A progression with its score; it unpacks like a result of the original generator."""

    score: float
    progression: tuple[Chord, ...]
    breakdown: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The progressions that a search found, best first.

    ``candidates`` different progressions were scored. ``exact`` is True if no other progression has a higher score. No
    progression has a score above ``upper_bound``. ``weights`` are the weights that were used; ``note`` is the reason if
    they differ from the requested ones.
    """

    found: tuple[Found, ...]
    strategy: str
    candidates: int
    exact: bool
    upper_bound: float
    weights: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def gap(self) -> float:
        """``upper_bound`` minus the best score: the most that a better progression could gain."""
        return max(0.0, self.upper_bound - self.found[0].score)


def search(
    pool: Pool, length: int, *, strategy: str = "best", top: int = 10, weights: Mapping[str, float] | None = None,
    scorers: Mapping[str, Scorer] | None = None, candidates: int = 1000, seed: int = 0,
    constraints: SearchLimits | None = None, effort: int = EFFORT, unscored: str = "",
) -> SearchResult:
    """Return the ``top`` best progressions of ``length`` chords that the strategy finds.

    ``candidates`` and ``seed`` are for the drawing strategies, ``effort`` (beginnings kept per layer) is for ``best``;
    ``unscored`` is the reason why ``chromatic_fitness`` has no scorer.
    Raises ``HarmonyUsageError`` for invalid arguments and ``NoProgression`` if the constraints leave no progression.
    """
    for name, value, most in (("top", top, MAX_TOP), ("candidates", candidates, MAX_CANDIDATES),
                              ("effort", effort, MAX_CANDIDATES)):
        if not 1 <= value <= most:
            raise HarmonyUsageError(f"{name} is {value}; write a number from 1 to {most}")
    if seed < 0:
        raise HarmonyUsageError(f"the seed {seed} is negative; write 0 or more")
    used, note = share_out(DEFAULT_WEIGHTS if weights is None else weights, scorers, unscored)
    items = weighted(used, scorers)
    allowed = limits(pool, length, constraints or SearchLimits())
    if strategy == "best":
        ranking = best(pool, allowed, items, top, effort)
        if not len(ranking.rows):
            raise NoProgression("the constraints leave no progression; allow repeats, a larger leap or another chord")
        return _result(pool, items, ranking, strategy, ranking.exact(top), used, note)
    rows, whole = _drawn(pool, allowed, strategy, candidates, seed)
    if not len(rows):
        raise NoProgression(f"{candidates} draws found no progression within the constraints; draw more candidates, or "
                            "use the strategy best")
    scores, _ = totals(items, Progressions(pool, rows))
    chosen = order(rows, scores, top)
    # Draws give no bound on the progressions that were not drawn; all that is known is that no score is above 1.
    unseen = NEVER if whole else 1.0
    return _result(pool, items, Ranking(rows[chosen], scores[chosen], unseen, len(rows)), strategy, whole, used, note)


def _drawn(pool: Pool, allowed: PlaceLimits, strategy: str, count: int, seed: int) -> tuple[Rows, bool]:
    """Return the rows of a drawing strategy, and True if there are no others."""
    flat, even = np.ones(len(pool)), np.ones((len(pool), len(pool)))
    if strategy == "random":
        return walks(pool, allowed, count, seed, flat, even), False
    if strategy == "graph":
        return walks(pool, allowed, count, seed, graph_starts(pool), graph_weights(pool)), False
    if strategy != "brute_force":
        names = ", ".join(STRATEGIES)
        raise HarmonyUsageError(f"no strategy is called {strategy!r}; known: {names}")
    if math.prod(int(mask.sum()) for mask in allowed.places) <= count:
        return _whole_space(allowed), True
    tonic = np.array([chord.function == TONIC[pool.key.mode] for chord in pool.chords], np.float64)
    return walks(pool, allowed, count, seed, tonic, graph_weights(pool)), False


def _whole_space(allowed: PlaceLimits) -> Rows:
    """Return every progression within the limits, int32[m, length]."""
    grid = np.meshgrid(*(np.flatnonzero(mask) for mask in allowed.places), indexing="ij")
    rows = np.stack([axis.ravel() for axis in grid], axis=1).astype(np.int32)
    fine = np.ones(len(rows), bool)
    for place in range(1, allowed.length):
        fine &= allowed.steps[rows[:, place - 1], rows[:, place]]
    if allowed.no_repeats:
        ordered = np.sort(rows, axis=1)
        fine &= (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
    return rows[fine]


def _result(
    pool: Pool, items: list[Weighted], ranking: Ranking, strategy: str, exact: bool, used: Mapping[str, float],
    note: str,
) -> SearchResult:
    chosen = Progressions(pool, ranking.rows)
    scores, parts = totals(items, chosen)
    found = tuple(Found(float(scores[n]), chosen.chords(n), {name: float(part[n]) for name, part in parts.items()})
                  for n in range(len(scores)))
    return SearchResult(found, strategy, ranking.ranked, exact, max(ranking.dropped, found[0].score), used, note)
