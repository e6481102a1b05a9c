"""Diversity of a set of proposals: entropy, spread, clusters and shares, with bootstrap confidence intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BOOTSTRAP = 2000
"""Resamples per interval: the 2.5 % and 97.5 % points then rest on 50 draws each side."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds of its 95 % bootstrap confidence interval (percentile method)."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Plain dictionary, for YAML and JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of ``n`` threads something stands in, and the 95 % bootstrap interval of that share."""

    name: str
    count: int
    share: Interval

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary, for YAML and JSON."""
        return {"name": self.name, "count": self.count, "share": self.share.value, "low": self.share.low,
                "high": self.share.high}


def entropy_bits(labels: Sequence[str]) -> float:
    """Return the Shannon entropy of the labels' distribution in bits; 0 for none (Shannon 1948)."""
    counts = np.asarray(sorted(Counter(labels).values()), dtype=np.float64)
    return _entropy(counts) if len(labels) else 0.0


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(max(0.0, -(shares * np.log2(shares)).sum()))


def spread(values: Sequence[int]) -> dict[str, float]:
    """Return mean, population standard deviation and variance, minimum and maximum; an empty dictionary for none."""
    if not values:
        return {}
    array = np.asarray(values, dtype=np.float64)
    return {"mean": float(array.mean()), "std": float(array.std()), "variance": float(array.var()),
            "min": float(array.min()), "max": float(array.max())}


def bootstrap(values: Sequence[Any], statistic: Callable[[np.ndarray], np.ndarray], seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over whole threads drawn with replacement.

    ``statistic`` maps index draws of shape (BOOTSTRAP, n) to BOOTSTRAP values. Seeded, so that a report is repeatable.
    """
    size = len(values)
    draws = np.random.default_rng([seed, size]).integers(0, size, (BOOTSTRAP, size))
    low, high = np.percentile(statistic(draws), (2.5, 97.5))
    return float(low), float(high)


def entropy_interval(labels: Sequence[str], seed: int) -> Interval | None:
    """Return the entropy with its interval, or None for no labels. Small samples are biased low; so is the interval."""
    if not labels:
        return None
    names = sorted(set(labels))
    codes = np.asarray([names.index(label) for label in labels])

    def statistic(draws: np.ndarray) -> np.ndarray:
        drawn = codes[draws]
        counts = np.stack([(drawn == code).sum(axis=1) for code in range(len(names))], axis=1)
        shares = counts / counts.sum(axis=1, keepdims=True)
        return -np.where(shares > 0, shares * np.log2(np.where(shares > 0, shares, 1.0)), 0.0).sum(axis=1)

    low, high = bootstrap(labels, statistic, seed)
    return Interval(entropy_bits(labels), max(0.0, low), max(0.0, high))


def std_interval(values: Sequence[int], seed: int) -> Interval | None:
    """Return the population standard deviation with its interval, or None for no values."""
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    low, high = bootstrap(values, lambda draws: array[draws].std(axis=1), seed)
    return Interval(float(array.std()), low, high)


def share(name: str, hits: Sequence[bool], seed: int) -> Share:
    """Return how many of the threads are hit, with the share's interval; ``hits`` has one entry per thread."""
    array = np.asarray(hits, dtype=np.float64)
    if not array.size:
        return Share(name, 0, Interval(0.0, 0.0, 0.0))
    low, high = bootstrap(hits, lambda draws: array[draws].mean(axis=1), seed)
    return Share(name, int(array.sum()), Interval(float(array.mean()), low, high))


def label_shares(labels: Sequence[str], seed: int) -> list[Share]:
    """Return the share of every label, the most frequent first, then by name."""
    ordered = sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))
    return [share(name, [label == name for label in labels], seed) for name, _ in ordered]


@dataclass(frozen=True, slots=True)
class BpmCluster:
    """A stretch of tempi that holds many threads: ``low`` to ``high`` beats per minute around ``center``."""

    low: int
    center: int
    high: int
    count: int
    share: float

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary, for YAML and JSON."""
        return asdict(self)


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
    """Return the clusters of the original rule: one per distinct value, overlapping ranges counted again each time.

    As there, a range whose members are those of an earlier one is not reported again.
    """
    found: list[BpmCluster] = []
    seen: set[tuple[int, ...]] = set()
    for center in sorted(set(values)):
        members = tuple(sorted(value for value in values if abs(value - center) <= reach))
        if len(members) / len(values) >= least and members not in seen:
            seen.add(members)
            found.append(BpmCluster(center - reach, center, center + reach, len(members), len(members) / len(values)))
    return found


def rounded(value: float, digits: int) -> float:
    """Round half away from zero, as a person reads it, and never to minus zero."""
    scale = 10**digits
    return math.copysign(math.floor(abs(value) * scale + 0.5) / scale, value) + 0.0
