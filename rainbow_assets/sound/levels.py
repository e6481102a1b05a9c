"""The level of a window, the digest of its samples, and which samples belong to it.

Samples are int32, shape [frames], mono, at their own scale: full scale is 2 ** (bits - 1). An RMS level leaves out the
constant part, which has no sound. Squares are summed as integers, so that a level is the same number on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rainbow_assets.digests import digest

FLOOR_DB = -120.0
"""Level of digital silence, and the lowest level that is returned."""
_BLOCK = 1 << 16
"""Squares that are summed as int64: 2 ** 16 of at most 2 ** 46 (24 bit) stay below 2 ** 63."""

Samples = npt.NDArray[np.int32]


def span_frames(start_ms: int, end_ms: int, rate: int) -> tuple[int, int]:
    """Return the first sample of a span and the one after its last, each end rounded (half up) on its own.

    Each time is one sample, as a start and as an end, so neighbors have no gap and share no sample.
    """
    return (start_ms * rate + 500) // 1000, (end_ms * rate + 500) // 1000


def rms_db(samples: Samples, bits: int) -> float:
    """Return the RMS level in dB: 0 is full scale (a square wave at the limit), at least :data:`FLOOR_DB`."""
    return _db(_power(samples, len(samples)) / _full_scale(bits) ** 2, 10.0)


def peak_db(samples: Samples, bits: int) -> float:
    """Return the level of the largest sample in dB: 0 is full scale, at least :data:`FLOOR_DB`."""
    top = max(int(samples.max()), -int(samples.min())) if len(samples) else 0
    return _db(top / _full_scale(bits), 20.0)


def window_levels(
    samples: Samples, bits: int, spans: Sequence[tuple[int, int]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return RMS and peak levels, each float64 [spans], of the sample spans of one stem.

    If a span ends after the last sample, the missing samples count as silence; a span without samples is silent.
    """
    scale = _full_scale(bits) ** 2
    rms, peak = np.full(len(spans), FLOOR_DB), np.full(len(spans), FLOOR_DB)
    for number, (first, last) in enumerate(spans):
        window = samples[first:last]
        if len(window):
            rms[number] = _db(_power(window, last - first) / scale, 10.0)
            peak[number] = peak_db(window, bits)
    return rms, peak


def window_digest(samples: Samples, bits: int, rate: int) -> str:
    """Return the digest of the sound itself: rate, bits and little-endian int32 samples, not any file's bytes."""
    return digest("pcm", rate, bits, np.ascontiguousarray(samples, dtype="<i4").tobytes())


def _power(samples: Samples, length: int) -> float:
    """Return the sum of squares around the mean of the samples, divided by ``length``."""
    if not len(samples):
        return 0.0
    wide = samples.astype(np.int64)
    total = int(wide.sum())
    wide *= wide
    squares = sum(np.add.reduceat(wide, np.arange(0, len(wide), _BLOCK)).tolist())
    return (squares * len(samples) - total * total) / (len(samples) * length)


def _full_scale(bits: int) -> int:
    if bits not in (16, 24):
        raise ValueError(f"{bits} bits per sample; stems are kept as 16 or 24")
    return 1 << (bits - 1)


def _db(ratio: float, factor: float) -> float:
    return max(factor * math.log10(ratio), FLOOR_DB) if ratio > 0 else FLOOR_DB
