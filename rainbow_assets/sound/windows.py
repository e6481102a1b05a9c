"""Cutting a window out of a decoded stem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rainbow_assets.sound.levels import span_frames
from rainbow_assets.sound.stems import Stem


@dataclass(frozen=True, slots=True)
class Window:
    """Samples of one window (int32, shape [frames]) and how many milliseconds of silence were added at its end."""

    samples: npt.NDArray[np.int32]
    padding_ms: int


def window_of(stem: Stem, start_ms: int, end_ms: int) -> Window:
    """Return the samples from ``start_ms`` to ``end_ms``; if the stem's file ends inside, silence fills the rest."""
    first, last = span_frames(start_ms, end_ms, stem.sample_rate)
    samples = stem.samples[first:last]
    missing = (last - first) - len(samples)
    if missing > 0:
        samples = np.concatenate([samples, np.zeros(missing, dtype=np.int32)])
    return Window(samples, round(missing * 1000 / stem.sample_rate))
