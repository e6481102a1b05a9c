"""Seeded choices. Uniform numbers come from the raw stream of PCG64, which numpy guarantees for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rainbow_assets.digests import digest
from rainbow_assets.harmony.draws import Stream

T = TypeVar("T")
_AT_ONCE = 256


class Chance:
    """Choices that follow from ``parts`` alone: the same on every machine."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts
        self._stream = Stream(int(digest(*parts)[:15], 16))
        self._drawn: list[float] = []

    def child(self, *parts: object) -> Chance:
        """Return the choices of a part, which do not depend on how many were made before."""
        return Chance(*self._parts, *parts)

    @property
    def seed(self) -> int:
        """A seed of 32 bits for a library that wants one."""
        return int(digest(*self._parts, "seed")[:8], 16)

    def uniform(self) -> float:
        """Return the next number 0 <= u < 1."""
        if not self._drawn:
            self._drawn = self._stream.take(_AT_ONCE).tolist()[::-1]
        return self._drawn.pop()

    def below(self, count: int) -> int:
        """Return a whole number 0 <= n < ``count``."""
        return min(count - 1, int(self.uniform() * count))

    def between(self, low: int, high: int) -> int:
        """Return a whole number ``low`` <= n <= ``high``."""
        return low + self.below(high - low + 1)

    def yes(self, share: float) -> bool:
        """Return True in ``share`` of the cases."""
        return self.uniform() < share

    def pick(self, values: Sequence[T]) -> T:
        """Return one of ``values``."""
        return values[self.below(len(values))]

    def weighted(self, values: Sequence[T], weights: Sequence[float]) -> T:
        """Return one of ``values`` in proportion to its weight."""
        at = self.uniform() * sum(weights)
        for value, weight in zip(values, weights, strict=True):
            at -= weight
            if at < 0:
                return value
        return values[-1]
