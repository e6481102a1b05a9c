"""Normalizing scores per stage, and choosing candidates that differ (maximal marginal relevance)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rainbow_assets.music.clock import Note

T = TypeVar("T")
Sounding = frozenset[tuple[str, int, int]]
"""The notes of a piece: (part, start in ticks, pitch)."""
LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of a stage's random draws, which make theory and fitness comparable."""

    mean: float
    spread: float

    @staticmethod
    def of(values: Sequence[float]) -> Scale:
        """Return the scale of ``values`` (at least one)."""
        mean = math.fsum(values) / len(values)
        return Scale(mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)))

    @property
    def constant(self) -> bool:
        """True if all values are the same."""
        return self.spread < LEAST_SPREAD

    def place(self, value: float) -> float:
        """Return ``value`` as 0..1: 0.5 at the mean of the draws, 0.73 one standard deviation above it."""
        if self.constant:
            return 0.5
        # A logistic curve, not a clipped line: different values stay different at both ends of the scale.
        return 1 / (1 + math.exp(-(value - self.mean) / self.spread))


def sounding(parts: Mapping[str, Iterable[Note]]) -> Sounding:
    """Return the notes of ``parts`` without length and velocity."""
    return frozenset((name, note.start, note.pitch) for name, notes in parts.items() for note in notes)


def likeness(one: Sounding, other: Sounding) -> float:
    """Return the share of notes, 0 to 1, that two pieces have in common (Jaccard index)."""
    both = len(one | other)
    return len(one & other) / both if both else 1.0


def spread_of(pieces: Sequence[Sounding]) -> float:
    """Return the mean distance between the pieces, 0 to 1: 1 if no two share a note, 0 for fewer than two pieces."""
    pairs = [1 - likeness(one, other) for n, one in enumerate(pieces) for other in pieces[n + 1:]]
    return math.fsum(pairs) / len(pairs) if pairs else 0.0


def differing(
    items: Sequence[T], count: int, score: Callable[[T], float], heard: Callable[[T], Sounding], diversity: float
) -> list[T]:
    """Return up to ``count`` of ``items``, each chosen for a high score and little likeness to those chosen before.

    Maximal marginal relevance (Carbonell and Goldstein 1998): (1 - d) score - d likeness, where the likeness is
    that to the most similar item chosen before. Of equal items the first one is chosen.

    >>> notes = {"a": {1, 2}, "b": {1, 2}, "c": {3}}
    >>> differing("abc", 2, {"a": 0.9, "b": 0.8, "c": 0.5}.get, lambda name: frozenset(notes[name]), diversity=0.5)
    ['a', 'c']
    """
    left, chosen = list(items), []
    pieces = {id(item): heard(item) for item in left}
    closest = {id(item): 0.0 for item in left}
    while left and len(chosen) < count:
        best = max(left, key=lambda item: (1 - diversity) * score(item) - diversity * closest[id(item)])
        left.remove(best)
        chosen.append(best)
        for item in left:
            closest[id(item)] = max(closest[id(item)], likeness(pieces[id(item)], pieces[id(best)]))
    return chosen
