"""Draw thousands of progressions at once with a seed, uniformly or by walks over the function graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rainbow_assets.harmony.limits import PlaceLimits
from rainbow_assets.harmony.pool import Matrix, Pool, Rows
from rainbow_assets.music.draws import SeededDraws

MAX_ROUNDS = 40
"""Most rounds of drawing; each round replaces the draws that were duplicates or repeated a chord."""

LEAST_DRAWN = 64
"""Draws per round at least; if few are missing, most draws are duplicates, and smaller rounds would be many."""


def walks(pool: Pool, limits: PlaceLimits, count: int, seed: int, first: Matrix, weights: Matrix) -> Rows:
    """Return up to ``count`` different progressions, int32[m, length], sorted.

    ``first`` float64[n] are the weights of the first chord, ``weights`` float64[n, n] those of each step. If all
    weights of a place are 0, its allowed chords are equally likely.
    """
    draws = SeededDraws.from_seed(seed)
    tables = [_table(np.where(limits.places[0], first, 0.0)[None, :], limits.places[0][None, :])]
    for place in range(1, limits.length):
        allowed = limits.steps & limits.places[place][None, :]
        tables.append(_table(np.where(allowed, weights, 0.0), allowed))
    found = np.zeros((0, limits.length), np.int32)
    for _ in range(MAX_ROUNDS):
        missing = count - len(found)
        size = max(missing, LEAST_DRAWN)
        rows = np.zeros((size, limits.length), np.int32)
        for place, table in enumerate(tables):
            before = rows[:, place - 1] if place else np.zeros(size, np.int32)
            rows[:, place] = _choose(*table, before, draws.take(size))
        if limits.no_repeats:
            ordered = np.sort(rows, axis=1)
            rows = rows[(ordered[:, 1:] != ordered[:, :-1]).all(axis=1)]
        known = len(found)
        found = _merge(found, rows, missing, len(pool))
        if len(found) >= count or (len(found) == known and not limits.no_repeats):
            break
    return found[np.lexsort(found.T[::-1])]


def _merge(found: Rows, rows: Rows, missing: int, chords: int) -> Rows:
    """Return ``found`` and up to ``missing`` new ones of ``rows``, in the order in which they were drawn."""
    both = np.concatenate([found, rows])
    if chords ** both.shape[1] < 2**62:  # a row fits in one number, which sorts faster
        keys = np.zeros(len(both), np.int64)
        for column in both.T:
            keys = keys * chords + column
        _, first = np.unique(keys, return_index=True)
    else:
        _, first = np.unique(both, axis=0, return_index=True)
    fresh = np.sort(first[first >= len(found)])[:missing]
    return np.concatenate([found, both[fresh]])


def _table(weights: Matrix, allowed: NDArray[np.bool_]) -> tuple[Matrix, NDArray[np.int64], int]:
    """Return the cumulative weights of all rows in one sorted array, each row's last possible place, and the width."""
    rows, width = weights.shape
    total = weights.sum(axis=1, keepdims=True)
    # No walk reaches a row without successors; even weights only prevent a division by zero.
    even = np.where(allowed.any(axis=1, keepdims=True), allowed, 1.0)
    chosen = np.where(total > 0, weights, even)
    summed = np.cumsum(chosen, axis=1)
    flat = (summed / summed[:, -1:] + np.arange(rows)[:, None]).ravel()
    last = width - 1 - np.argmax(chosen[:, ::-1] > 0, axis=1)
    return flat, last, width


def _choose(
    flat: Matrix, last: NDArray[np.int64], width: int, before: NDArray[np.int32], uniform: Matrix
) -> NDArray[np.int64]:
    """Return the place that ``uniform`` float64[m] picks in the rows ``before`` int32[m]."""
    picked = np.searchsorted(flat, before + uniform, side="right") - before.astype(np.int64) * width
    # before + uniform may round up to the next row.
    return np.minimum(picked, last[before])


def graph_weights(pool: Pool) -> Matrix:
    """Return the weight of each step of a graph walk: the function's probability, divided among its chords."""
    same = np.array([chord.function for chord in pool.chords])
    sharing = (same[:, None] == same[None, :]).sum(axis=1)
    return pool.transition / sharing[None, :]


def graph_starts(pool: Pool) -> Matrix:
    """Return the weight of each chord as the first one: its function's probability, divided among its chords."""
    same = np.array([chord.function for chord in pool.chords])
    return pool.starting / (same[:, None] == same[None, :]).sum(axis=1)
