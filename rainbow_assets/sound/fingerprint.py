"""A print of a sound that survives another export: other gain, rate or format, or a start that moved a little.

Like Haitsma and Kalker's (ISMIR 2002) it holds how levels change and not the levels. A word is a pattern of changes,
and a print is a fixed share of the hashes of all words, as in sourmash's scaled MinHash (Irber et al. 2022): prints of
parts can be united, and the share that two prints have in common is that of their sounds. It describes levels alone:
sounds whose levels change in the same way have the same print.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import numpy.typing as npt

from rainbow_assets.sound.levels import Samples

_BLOCKS_PER_S = 100
_FRAME, _STEP = 20, 10
"""A level is that of 200 ms, and a change is one over 100 ms; both in blocks of 10 ms."""
_CHANGES, _FEWEST = 20, 8
"""Changes in a word, which is 2 s, and how many of them must rise or fall: a long tone has no words."""
_RISE, _FLOOR = 1.5, 1e-4
"""A level rises if its power is 1.5 times that of before. Levels 40 dB below the loudest are all alike."""
_KEPT = 16
"""One word of this many is kept."""


def sound_print(samples: Samples, rate: int) -> list[int]:
    """Return the print of a sound (int32 samples, shape [frames], ``rate`` in Hz): hashes of 32 bits, ascending.

    >>> sound_print(np.zeros(441_000, np.int32), 44100)
    []
    """
    size = rate // _BLOCKS_PER_S
    blocks = len(samples) // size
    if blocks < _FRAME + _STEP * _CHANGES:
        return []
    # Sums are of integers, and a level is compared without a logarithm, so that a print is the same on every machine.
    wide = samples[:blocks * size].astype(np.int64).reshape(blocks, size)
    sums, squares = wide.sum(axis=1), np.einsum("ij,ij->i", wide, wide)
    mean = float(sums.sum()) / wide.size
    power = squares - 2.0 * mean * sums + size * mean * mean
    levels = np.zeros(blocks - _FRAME + 1)
    for first in range(_FRAME):
        levels += power[first:first + len(levels)]
    levels = np.maximum(levels, levels.max() * _FLOOR)
    before, after = levels[:-_STEP], levels[_STEP:]
    changes = (after > before * _RISE).astype(np.int64) - (after * _RISE < before)
    count = len(changes) - _STEP * (_CHANGES - 1)
    words, moves = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for number in range(_CHANGES):
        own = changes[_STEP * number:_STEP * number + count]
        words = words * 3 + own + 1
        moves += np.abs(own)
    hashes = _hashes(words[moves >= _FEWEST])
    return np.unique(hashes[hashes < 2 ** 32 // _KEPT]).tolist()


def _hashes(words: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    mixed = words.astype(np.uint64)
    for factor in (0x7FEB352D, 0x846CA68B):
        mixed = ((mixed ^ (mixed >> np.uint64(16))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return mixed


def alike(one: Set[int], other: Set[int]) -> float:
    """Return which share of the words of two sounds both have, 0 to 1, by their prints."""
    return len(one & other) / len(one | other) if one or other else 0.0
