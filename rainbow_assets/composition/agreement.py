"""Does a score agree with people? The share of pairs that it orders as they do, within a song, with an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rainbow_assets.composition import review

DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Agreement:
    """``auc``: share of (approved, rejected) pairs of one group in which the approved one scores higher, ties half.

    0.5 is chance. ``low`` and ``high``: 95 % interval over resampled groups; None where there is only one group.
    """

    auc: float | None
    low: float | None
    high: float | None
    pairs: int
    groups: int
    approved: int
    decided: int


def agreement(
    rows: Iterable[tuple[Hashable, float, bool]], seed: int = 7, pieces: Sequence[Hashable] | None = None
) -> Agreement:
    """Measure ``rows`` of (group, score, approved). Groups without both verdicts have no pair.

    ``pieces``, one per row, name what is resampled together for the interval (default: the groups).
    """
    every = list(rows)
    units = list(pieces) if pieces is not None else [group for group, _, _ in every]
    groups: defaultdict[Hashable, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    unit_of: dict[Hashable, Hashable] = {}
    for (group, score, approved), unit in zip(every, units, strict=True):
        groups[group][0 if approved else 1].append(score)
        unit_of[group] = unit
    won: defaultdict[Hashable, float] = defaultdict(float)
    counted: defaultdict[Hashable, int] = defaultdict(int)
    for group, (good, bad) in groups.items():
        if good and bad:
            above = np.array(good)[:, None] - np.array(bad)[None, :]
            won[unit_of[group]] += float((above > 0).sum() + 0.5 * (above == 0).sum())
            counted[unit_of[group]] += above.size
    approved = sum(1 for _, _, good in every if good)
    pairs = sum(counted.values())
    if not pairs:
        return Agreement(None, None, None, 0, 0, approved, len(every))
    names = sorted(counted, key=str)
    wins, totals = np.array([won[name] for name in names]), np.array([counted[name] for name in names])
    low = high = None
    if len(names) > 1:
        bits = np.random.PCG64(seed).random_raw(DRAWS * len(names))
        drawn = (bits % np.uint64(len(names))).astype(np.int64).reshape(DRAWS, len(names))
        shares = wins[drawn].sum(axis=1) / totals[drawn].sum(axis=1)
        low, high = (float(value) for value in np.quantile(shares, [0.025, 0.975]))
    return Agreement(float(wins.sum() / pairs), low, high, int(pairs), len(names), approved, len(every))


def measured(rows: list[dict[str, Any]], score: str) -> Agreement:
    """Return how well ``score`` (total, theory, fitness) orders approved before rejected pieces within a song."""
    return agreement((row["song_id"], row[score], row["status"] == review.APPROVED) for row in rows
                     if row[score] is not None and row["status"] != review.PENDING)
