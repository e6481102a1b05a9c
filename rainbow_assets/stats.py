"""Statistics by resampling: 95 % intervals, balanced accuracy against shuffled labels, how well a score orders pairs.

Published numbers rest on the draws below, and those of scipy.stats (``bootstrap``, ``permutation_test``) are others;
so numpy draws, from a seed that the caller gives, and equal input gives equal numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BOOTSTRAP = 2000
"""Resamples per interval: the 2.5 % and 97.5 % points then rest on 50 draws each side."""
ACCURACY_RESAMPLES, PERMUTATIONS = 1_000, 10_000
Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Labels = tuple[Ints, Ints]
"""(true, predicted) classes, int64[n] each; a true class of -1 has no right answer and does not count."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds of its 95 % bootstrap confidence interval (percentile method)."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Plain dictionary, for YAML and JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def bounds(drawn: Array | list[float]) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % points of resampled values; NaN, a resample without a value, does not count."""
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def resampled_sums(per_unit: Array, seed: int) -> Array:
    """Return column sums over ``BOOTSTRAP`` resamples of whole units, float64[BOOTSTRAP, columns].

    ``per_unit`` has one row per unit, such as a thread, whose values resemble each other: whole ones are drawn.
    """
    size = len(per_unit)
    rng = np.random.default_rng([seed, size])
    return rng.multinomial(size, np.full(size, 1.0 / size), BOOTSTRAP).astype(np.float64) @ per_unit


def balanced_accuracy(truth: Ints, found: Ints) -> float:
    """Return the mean over the true classes of the share that was found; NaN if nothing has a true class.

    >>> balanced_accuracy(np.array([0, 0, 0, 1, -1]), np.array([0, 0, 1, 1, 1]))
    0.8333333333333333
    """
    shares = [float((found[truth == label] == label).mean()) for label in np.unique(truth[truth >= 0])]
    return float(np.mean(shares)) if shares else float("nan")


def accuracy_interval(questions: Sequence[Labels], rng: np.random.Generator) -> tuple[float, float]:
    """Return the bounds of the mean balanced accuracy over ``questions``, which all ask about the same n items."""
    count, drawn = len(questions[0][0]), []
    for _ in range(ACCURACY_RESAMPLES):
        at = rng.integers(0, count, count)
        drawn.append(float(np.nanmean([balanced_accuracy(truth[at], found[at]) for truth, found in questions])))
    return bounds(drawn)


def accuracy_p_value(questions: Sequence[Labels], value: float, rng: np.random.Generator) -> float:
    """Return the share of permutations of the items' true classes under which the predictions reach ``value``.

    One permutation serves all questions: an item keeps its classes together. The data as it is counts as one of them.
    """
    orders = np.argsort(rng.random((PERMUTATIONS, len(questions[0][0]))), axis=1)
    total = np.zeros(PERMUTATIONS)
    for truth, found in questions:
        labels, counts = np.unique(truth[truth >= 0], return_counts=True)
        weight = np.zeros(max(int(truth.max()), 0) + 2)  # the last place is that of class -1 and weighs nothing
        weight[labels] = 1 / (counts * len(labels))
        dealt = truth[orders]
        total += ((dealt == found[None, :]) * weight[dealt]).sum(axis=1)
    return float((1 + (total / len(questions) >= value - 1e-12).sum()) / (PERMUTATIONS + 1))


@dataclass(frozen=True, slots=True)
class PairAuc:
    """``auc``: share of (approved, rejected) pairs of one group in which the approved one scores higher, ties half.

    0.5 is chance. ``low`` and ``high``: 95 % interval over resampled groups; None if there is only one group.
    """

    auc: float | None
    low: float | None
    high: float | None
    pairs: int
    groups: int
    approved: int
    decided: int


def pair_auc(
    rows: Iterable[tuple[Hashable, float, bool]], seed: int = 7, units: Sequence[Hashable] | None = None
) -> PairAuc:
    """Measure ``rows`` of (group, score, approved). Groups without both verdicts have no pair.

    ``units``, one per row, name what is resampled together for the interval (default: the groups).

    >>> pair_auc([("a", 0.9, True), ("a", 0.1, False), ("b", 0.2, True), ("b", 0.4, False)]).auc
    0.5
    """
    every = list(rows)
    unit_of = dict(zip((group for group, _, _ in every), units, strict=True)) if units is not None else {}
    counted: defaultdict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0])
    for group, (good, bad) in _scores(every).items():
        if good and bad:
            above = np.subtract.outer(good, bad)
            so_far = counted[unit_of.get(group, group)]
            so_far[0] += float((above > 0).sum() + 0.5 * (above == 0).sum())
            so_far[1] += above.size
    approved = sum(good for _, _, good in every)
    if not counted:
        return PairAuc(None, None, None, 0, 0, approved, len(every))
    wins, pairs = np.array([counted[unit] for unit in sorted(counted, key=str)]).T
    low, high = _auc_bounds(wins, pairs, seed) if len(pairs) > 1 else (None, None)
    return PairAuc(float(wins.sum() / pairs.sum()), low, high, int(pairs.sum()), len(pairs), approved, len(every))


def _scores(rows: Iterable[tuple[Hashable, float, bool]]) -> dict[Hashable, tuple[list[float], list[float]]]:
    """Return the scores of each group: those of approved rows, and those of rejected ones."""
    found: dict[Hashable, tuple[list[float], list[float]]] = {}
    for group, score, approved in rows:
        found.setdefault(group, ([], []))[0 if approved else 1].append(score)
    return found


def _auc_bounds(wins: Array, pairs: Array, seed: int) -> tuple[float, float]:
    bits = np.random.PCG64(seed).random_raw(BOOTSTRAP * len(pairs))
    drawn = (bits % np.uint64(len(pairs))).astype(np.int64).reshape(BOOTSTRAP, len(pairs))
    return bounds(wins[drawn].sum(axis=1) / pairs[drawn].sum(axis=1))
