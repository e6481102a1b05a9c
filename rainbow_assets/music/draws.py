"""Random draws seeded by names: the same names give the same draws on every machine and in every run.

:class:`SeededDraws` uses the raw stream of PCG64, which numpy promises never to change. :func:`generator` also offers
numpy's distributions, which may change with its version. Only sounds and the demo use them, because their bytes are
not compared between versions of numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from rainbow_assets.digests import digest

T = TypeVar("T")


class SeededDraws:
    """Draws that depend only on ``names``.

    >>> draws = SeededDraws("song", 7)
    >>> [draws.below(10), draws.pick("abc"), SeededDraws("song", 7).below(10)]
    [5, 'a', 5]
    """

    def __init__(self, *names: object) -> None:
        self._names = names
        self._bits = np.random.PCG64(int(digest(*names)[:15], 16))

    @classmethod
    def from_seed(cls, seed: int) -> SeededDraws:
        """Return the draws of numpy's own ``PCG64(seed)``, with which the published progressions were drawn."""
        draws = cls(seed)
        draws._bits = np.random.PCG64(seed)
        return draws

    def child(self, *names: object) -> SeededDraws:
        """Return the draws of a part; they do not depend on how many draws were taken before."""
        return SeededDraws(*self._names, *names)

    @property
    def seed(self) -> int:
        """A 32-bit seed for libraries that need one."""
        return int(digest(*self._names, "seed")[:8], 16)

    def take(self, count: int) -> npt.NDArray[np.float64]:
        """Return the next ``count`` numbers 0 <= u < 1, float64[count]."""
        return (self._bits.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def uniform(self) -> float:
        """Return the next number 0 <= u < 1."""
        return (int(self._bits.random_raw()) >> 11) * 2.0**-53

    def below(self, count: int) -> int:
        """Return a whole number 0 <= n < ``count``."""
        return min(count - 1, int(self.uniform() * count))

    def between(self, low: int, high: int) -> int:
        """Return a whole number ``low`` <= n <= ``high``."""
        return low + self.below(high - low + 1)

    def yes(self, share: float) -> bool:
        """Return True with the probability ``share``."""
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


def generator(*names: object) -> np.random.Generator:
    """Return a PCG64 generator seeded by the sha256 of ``names``; it depends on no global state or hash seed."""
    text = "\x1f".join(str(name) for name in names)
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")))
