"""Diversity of a set of proposals: entropy, spread, clusters and shares, with bootstrap confidence intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rainbow_assets.stats import Interval, bounds, resampled_sums


@dataclass(frozen=True, slots=True)
class Share:
    """How many of ``n`` threads show something, and the 95 % bootstrap interval of that share."""

    name: str
    count: int
    share: Interval


def _entropy(counts: np.ndarray) -> float:
    """Return the Shannon entropy of a distribution in bits (Shannon 1948)."""
    shares = counts[counts > 0] / counts.sum()
    return float(max(0.0, -(shares * np.log2(shares)).sum()))


def spread(values: Sequence[int]) -> dict[str, float]:
    """Return mean, population standard deviation and variance, minimum and maximum; an empty dictionary for none."""
    if not values:
        return {}
    array = np.asarray(values, dtype=np.float64)
    return {"mean": float(array.mean()), "std": float(array.std()), "variance": float(array.var()),
            "min": float(array.min()), "max": float(array.max())}


def entropy_interval(labels: Sequence[Sequence[str]], seed: int) -> Interval | None:
    """Return the entropy in bits with its interval; ``labels`` holds each thread's labels. None where there are none.

    Small samples are biased low, and so is the interval.
    """
    names = {name: column for column, name in enumerate(sorted({name for thread in labels for name in thread}))}
    if not names:
        return None
    counts = np.zeros((len(labels), len(names)))
    for row, thread in enumerate(labels):
        for name in thread:
            counts[row, names[name]] += 1
    sums = resampled_sums(counts, seed)
    totals = sums.sum(axis=1, keepdims=True)
    shares = sums[totals[:, 0] > 0] / totals[totals[:, 0] > 0]
    logs = np.log2(np.where(shares > 0, shares, 1.0))
    low, high = bounds(-(shares * logs).sum(axis=1))
    return Interval(_entropy(counts.sum(axis=0)), max(0.0, low), max(0.0, high))


def std_interval(values: Sequence[Sequence[int]], seed: int) -> Interval | None:
    """Return the population standard deviation with its interval; ``values`` holds each thread's. None for none."""
    flat = np.asarray([value for thread in values for value in thread], dtype=np.float64)
    if not flat.size:
        return None
    # Around the mean, so that the difference of squares below keeps its digits.
    center = flat.mean()
    moments = np.asarray([[len(thread), sum(v - center for v in thread), sum((v - center) ** 2 for v in thread)]
                          for thread in values])
    sums = resampled_sums(moments, seed)
    sums = sums[sums[:, 0] > 0]
    variance = sums[:, 2] / sums[:, 0] - (sums[:, 1] / sums[:, 0]) ** 2
    low, high = bounds(np.sqrt(np.maximum(variance, 0.0)))
    return Interval(float(flat.std()), low, high)


def shares(hits: Sequence[Sequence[str]], units: Sequence[int], seed: int, least: float = 0.0) -> list[Share]:
    """Return the share of every name of at least ``least``, the most frequent first, then by name.

    ``hits`` holds, per thread, the names that its units (proposals, answers) show, once per unit; ``units`` how many
    units each thread has.
    """
    total = sum(units)
    counts = Counter(name for thread in hits for name in thread)
    chosen = [name for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
              if total and count / total >= least]
    if not chosen:
        return []
    column = {name: index for index, name in enumerate(chosen)}
    matrix = np.zeros((len(hits), len(chosen) + 1))
    for row, thread in enumerate(hits):
        matrix[row, -1] = units[row]
        for name in thread:
            if name in column:
                matrix[row, column[name]] += 1
    sums = resampled_sums(matrix, seed)
    sums = sums[sums[:, -1] > 0]
    found = []
    for name in chosen:
        low, high = bounds(sums[:, column[name]] / sums[:, -1])
        found.append(Share(name, counts[name], Interval(counts[name] / total, low, high)))
    return found


@dataclass(frozen=True, slots=True)
class BpmCluster:
    """A range of tempi that many threads have: ``low`` to ``high`` beats per minute around ``center``."""

    low: int
    center: int
    high: int
    count: int
    share: float


def bpm_clusters(values: Sequence[int], reach: int, least: float) -> list[BpmCluster]:
    """Return clusters of at least ``least`` of all values within ``reach`` of a center, the largest first.

    Centers are values that occur; a value belongs to one cluster only, so that no thread is counted twice.
    """
    left, total, found = list(values), len(values), []
    while left:
        ranked = sorted(set(left), key=lambda center: (-sum(abs(v - center) <= reach for v in left), center))
        center = ranked[0]
        members = [value for value in left if abs(value - center) <= reach]
        if len(members) / total < least:
            break
        found.append(BpmCluster(center - reach, center, center + reach, len(members), len(members) / total))
        left = [value for value in left if abs(value - center) > reach]
    return found


def original_bpm_clusters(values: Sequence[int], reach: int, least: float) -> list[BpmCluster]:
    """Return the clusters of the original rule, of which the published history was made.

    Values are taken in rising order; one in the range of an earlier cluster opens none. Ranges may overlap, so
    that a thread can be counted twice; ``center`` is the rounded mean of the members.
    """
    found: list[BpmCluster] = []
    for value in sorted(set(values)):
        if found and value <= found[-1].high:
            continue
        members = [other for other in values if abs(other - value) <= reach]
        if len(members) / len(values) >= least:
            center = round(sum(members) / len(members))
            found.append(BpmCluster(value - reach, center, value + reach, len(members), len(members) / len(values)))
    return found
