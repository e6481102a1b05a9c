"""Find the best of all progressions, with a proof or an upper bound.

A backward pass of dynamic programming computes, for each chord at each place, the most that the additive scorers can
still add. A forward pass extends beginnings chord by chord and keeps those with the highest bounds. If all scorers are
additive, a beginning can reach its bound, so k beginnings per layer are enough to find the k best paths (Viterbi with
k survivors). Otherwise the bound is optimistic: variety counts all chords that may still be new, and an unknown scorer
counts as 1. Beginnings with a bound below the k-th best known score are dropped. If more than ``effort`` remain, those
with the lowest bounds are dropped too, and the highest of these bounds limits how good a missed progression can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rainbow_assets.harmony.limits import PlaceLimits
from rainbow_assets.harmony.pool import Matrix, Pool, Progressions, Rows
from rainbow_assets.harmony.scorers import PairScorer, Variety, Weighted, pair_matrix, totals

EFFORT = 1024
"""Beginnings kept per layer, unless the whole space is small."""
SCOUT = 96
"""Beginnings kept in the quick first pass; its k-th best score lets the second pass drop most beginnings."""
WHOLE_SPACE = 32768
"""If there are at most so many beginnings, the second pass keeps all."""
MAX_RANKED = 1_000_000
"""Most whole progressions that scorers score if some are not additive; the bound covers the rest."""
CHUNK = 65536
SLACK = 1e-9
"""Tolerance of comparisons: the same numbers, added in another order, differ by less."""
NEVER = -np.inf


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best rows int32[k, length] of the ``ranked`` ones that were scored, best first, with their totals.

    No progression that was not scored has a score above ``dropped`` (-inf: every one that could matter was scored).
    """

    rows: Rows
    scores: Matrix
    dropped: float
    ranked: int

    def exact(self, top: int) -> bool:
        """Return True if these are the ``top`` best of all progressions."""
        return self.dropped == NEVER or (len(self.scores) == top and self.dropped <= float(self.scores[-1]) + SLACK)


def order(rows: Rows, scores: Matrix, top: int) -> NDArray[np.int64]:
    """Return the places of the ``top`` best rows; equal scores (to 9 digits) are ordered by their chords."""
    # Rounded, so that the last bits of a sum, which differ between machines, do not decide the order.
    rounded = np.round(scores, 9)
    if len(rows) > 4 * top > 0:
        bar = np.partition(rounded, len(rounded) - top)[len(rounded) - top]
        chosen = np.flatnonzero(rounded >= bar)
    else:
        chosen = np.arange(len(rows))
    keys = [*rows[chosen].T[::-1], -rounded[chosen]]
    return chosen[np.lexsort(keys)][:top]


@dataclass(frozen=True, eq=False)
class _Task:
    pool: Pool
    limits: PlaceLimits
    items: list[Weighted]
    step: Matrix
    """Weighted additive score of each step, float64[n, n]; -inf if the step is not allowed."""
    to_go: Matrix
    """The most that the additive scorers can still add, float64[length, n]; -inf if the chord is not allowed there."""
    first: Matrix
    """Additive score of the first chord, float64[n]."""
    variety: float
    others: float


def best(pool: Pool, limits: PlaceLimits, items: list[Weighted], top: int, effort: int = EFFORT) -> Ranking:
    """Return the ``top`` best progressions and a bound on all others; no rows if the limits allow no progression."""
    task = _prepare(pool, limits, items)
    space = float(limits.places[:-1].sum(axis=1).astype(np.float64).prod())
    # A narrow pass comes first: its score is the bar that keeps the wide pass small.
    scout = _expand(task, top, max(top, SCOUT), NEVER)
    if scout.exact(top):
        return scout
    bar = float(scout.scores[-1]) if len(scout.scores) == top else NEVER
    return _expand(task, top, WHOLE_SPACE if space <= WHOLE_SPACE else max(top, effort), bar)


def _prepare(pool: Pool, limits: PlaceLimits, items: list[Weighted]) -> _Task:
    step = np.where(limits.steps, 0.0, NEVER)
    first = np.zeros(len(pool))
    variety = others = 0.0
    for item in items:
        if isinstance(item.scorer, PairScorer) and item.scorer.first is not None:
            step = step + item.share / limits.length * pair_matrix(pool, item.scorer)
            first = first + item.share / limits.length * item.scorer.first(pool)
        elif item.scorer.additive:
            step = step + item.share / (limits.length - 1) * pair_matrix(pool, item.scorer)
        elif isinstance(item.scorer, Variety):
            variety += item.share
        else:
            others += item.share
    to_go = np.where(limits.places, 0.0, NEVER)
    for place in range(limits.length - 2, -1, -1):
        to_go[place] += (step + to_go[place + 1][None, :]).max(axis=1)
    return _Task(pool, limits, items, step, to_go, first, variety, others)


def _expand(task: _Task, top: int, width: int, bar: float) -> Ranking:
    """Extend beginnings layer by layer; keep at most ``width``, and only those that can still reach ``bar``."""
    length, count = task.limits.length, len(task.pool)
    rows = np.flatnonzero(np.isfinite(task.to_go[0])).astype(np.int32)[:, None]
    flat = np.zeros(0)
    kept = np.zeros(0, np.int64)
    sums, fresh = task.first[rows[:, 0]], np.ones(len(rows), np.int64)
    dropped = NEVER
    for place in range(1, length):
        summed = sums[:, None] + task.step[rows[:, -1]]
        repeated = np.zeros(summed.shape, bool)
        for column in rows.T:
            repeated[np.arange(len(rows)), column] = True
        new = fresh[:, None] + ~repeated
        left = length - 1 - place
        most = np.minimum(new + left, min(length, count))
        bound = summed + task.to_go[place][None, :] + task.variety * most / length + task.others
        if task.limits.no_repeats:
            bound[repeated] = NEVER
        flat = bound.ravel()
        # Without a bar, every beginning that can be completed is kept.
        kept = np.flatnonzero(flat >= bar - SLACK) if bar > NEVER else np.flatnonzero(flat > NEVER)
        if place < length - 1 and len(kept) > width:
            ranked = kept[np.lexsort((kept, -flat[kept]))]
            kept, dropped = np.sort(ranked[:width]), max(dropped, float(flat[ranked[width]]))
        parent, chord = np.divmod(kept, count)
        rows = np.concatenate([rows[parent], chord[:, None].astype(np.int32)], axis=1)
        sums, fresh = summed.ravel()[kept], new.ravel()[kept]
    return _rerank(task, rows, flat[kept], top, dropped)


def _rerank(task: _Task, rows: Rows, bounds: Matrix, top: int, dropped: float) -> Ranking:
    """Score whole progressions, highest bound first, until no remaining bound reaches the ``top`` best scores."""
    sequence = np.argsort(-bounds, kind="stable")
    done, scores = np.zeros((0, task.limits.length), np.int32), np.zeros(0)
    ranked, worst = 0, NEVER
    chunk = CHUNK if task.others else 4 * top
    while ranked < len(sequence):
        following = float(bounds[sequence[ranked]])
        if len(scores) >= top and following < worst - SLACK:
            break
        if ranked >= MAX_RANKED:
            dropped = max(dropped, following)
            break
        part = rows[sequence[ranked : ranked + chunk]]
        ranked, chunk = ranked + len(part), CHUNK
        done = np.concatenate([done, part])
        scores = np.concatenate([scores, totals(task.items, Progressions(task.pool, part))[0]])
        chosen = order(done, scores, top)
        done, scores = done[chosen], scores[chosen]
        worst = float(scores[-1])
    return Ranking(done, scores, dropped, ranked)
