"""Voice leading between all pairs of chords at once: the shortest assignment of notes, and parallel fifths.

If two voicings have different numbers of notes, each note of the larger one moves to one note of the smaller, and every
note of the smaller is used (Tymoczko 2006, "The Geometry of Musical Chords", sets of voices with doublings). A shortest
assignment of pitches does not need voices that cross, so dynamic programming over the sorted notes finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FAR = np.int32(1 << 20)
FIFTH = 7


@dataclass(frozen=True, slots=True)
class Moves:
    """For each pair (from, to) of n chords: ``cost`` in semitones, and ``fifths``, pairs of voices in parallel fifths.

    Both are int32[n, n].
    """

    cost: NDArray[np.int32]
    fifths: NDArray[np.int32]


def moves(voicings: Sequence[tuple[int, ...]]) -> Moves:
    """Return the moves between all pairs of ``voicings`` (sorted MIDI pitches, none empty)."""
    count = len(voicings)
    sizes = np.array([len(voicing) for voicing in voicings], dtype=np.int64)
    cost, fifths = np.zeros((count, count), np.int32), np.zeros((count, count), np.int32)
    groups = {size: np.flatnonzero(sizes == size) for size in np.unique(sizes).tolist()}
    notes = {size: np.array([voicings[n] for n in members.tolist()], dtype=np.int32)
             for size, members in groups.items()}
    for large, big in groups.items():
        for small, little in groups.items():
            if small > large:
                continue
            first = np.repeat(notes[large], len(little), axis=0)
            second = np.tile(notes[small], (len(big), 1))
            total, target = _assign(first, second)
            parallels = _fifths(first, second, target)
            shape = (len(big), len(little))
            cost[np.ix_(big, little)] = total.reshape(shape)
            fifths[np.ix_(big, little)] = parallels.reshape(shape)
            if small < large:
                cost[np.ix_(little, big)] = total.reshape(shape).T
                fifths[np.ix_(little, big)] = parallels.reshape(shape).T
    return Moves(cost, fifths)


def _assign(first: NDArray[np.int32], second: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Assign each note of ``first`` int32[m, p] to one of ``second`` int32[m, q <= p]; each of these is used.

    Returns the least total distance int32[m] and the place int64[m, p] in ``second`` that each note goes to.
    """
    pairs, large = first.shape
    small = second.shape[1]
    best = np.full((large, pairs, small), FAR, np.int32)
    stayed = np.zeros((large, pairs, small), bool)
    distance = np.abs(first[:, :, None] - second[:, None, :])
    best[0, :, 0] = distance[:, 0, 0]
    for note in range(1, large):
        above = np.full((pairs, small), FAR, np.int32)
        above[:, 1:] = best[note - 1, :, :-1]
        # Of two equally short assignments, always take the one that advances, so that the result is deterministic.
        stayed[note] = best[note - 1] < above
        best[note] = np.minimum(np.minimum(best[note - 1], above) + distance[:, note, :], FAR)
    target = np.zeros((pairs, large), np.int64)
    target[:, -1] = small - 1
    row = np.arange(pairs)
    for note in range(large - 1, 0, -1):
        here = target[:, note]
        target[:, note - 1] = here - ~stayed[note, row, here]
    return best[-1, :, small - 1], target


def _fifths(first: NDArray[np.int32], second: NDArray[np.int32], target: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the number of voice pairs a perfect fifth (or twelfth) apart in both chords that move the same way."""
    there = np.take_along_axis(second, target, axis=1)
    moved = there - first
    found = np.zeros(len(first), np.int32)
    for low in range(first.shape[1]):
        for high in range(low + 1, first.shape[1]):
            same_way = (moved[:, low] != 0) & (np.sign(moved[:, low]) == np.sign(moved[:, high]))
            fifth = ((first[:, high] - first[:, low]) % 12 == FIFTH) & ((there[:, high] - there[:, low]) % 12 == FIFTH)
            found += same_way & fifth
    return found
