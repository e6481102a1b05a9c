"""How loud each channel of a file is, window by window, before mean, gain and resampling, and which one is kept.

The mean of two opposed channels is silence, the gain that one spike asks for lowers everything else, and a constant
part of the samples has energy but no sound. So levels are of the channels in the file, without their constant part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rainbow_assets.sound.levels import FLOOR_DB

CLIPPED_RUN = 3
"""This many neighbors at full scale are a cut top; one or two are a peak that reaches it."""
OPPOSED_DB = 12.0
"""Most that a mean may be softer than the loudest channel. The mean of one channel that sounds and one that is silent
loses 6 dB, and with three silent ones 12 dB; a larger loss is that of opposed channels, or of one channel of many."""
MEAN = "mean"
_PIECE = 1 << 16
"""Samples that are measured at once: those of a few channels fit into a processor's cache."""
_LARGEST = 1e100
"""Squares of larger samples, which a damaged file of 64-bit floats may have, would overflow."""

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowLevels:
    """What the channels of a file hold in one window. Levels are in dB (full scale = 0), rounded to 3 decimals.

    ``rms_db``: per channel, without its constant part; ``mean_rms_db``: the same of the mean of all channels.
    ``uncentered_db``: RMS of the loudest channel with its constant part. ``peak_db``: largest sample of any channel.
    ``offset``: largest constant part of a channel, as a share of full scale. ``clipped_runs``: how many runs of at
    least :data:`CLIPPED_RUN` samples at full scale begin in the window, in all channels.
    """

    rms_db: tuple[float, ...]
    mean_rms_db: float
    uncentered_db: float
    peak_db: float
    offset: float
    clipped_runs: int

    @property
    def loudest_db(self) -> float:
        """RMS level of the loudest channel, without its constant part."""
        return max(self.rms_db)


def kept_channel(levels: WindowLevels, silence_db: float) -> int | None:
    """Return the channel that is kept of a window, from 0, or None for the mean of all channels.

    It is the mean, unless a channel sounds and the mean is silent or more than :data:`OPPOSED_DB` softer. Then it is
    the loudest channel, of equal ones the first.

    >>> opposed = WindowLevels((-13.0, -13.0), -120.0, -13.0, -10.0, 0.0, 0)
    >>> kept_channel(opposed, silence_db=-40.0)
    0
    """
    loudest = levels.loudest_db
    if len(levels.rms_db) == 1 or loudest < silence_db:
        return None
    if levels.mean_rms_db >= silence_db and levels.mean_rms_db >= loudest - OPPOSED_DB:
        return None
    return levels.rms_db.index(loudest)


def mono_name(channel: int | None, channels: int) -> str:
    """Return the name of a choice: "channel 1" is the first channel, and the only one of a mono file."""
    return f"channel {(channel or 0) + 1}" if channels == 1 or channel is not None else MEAN


def mono_channel(name: str) -> int | None:
    """Return the choice that :func:`mono_name` named."""
    return None if name == MEAN else int(name.removeprefix("channel ")) - 1


class ChannelMeter:
    """Measures a file as its blocks pass, so that it is decoded once.

    ``spans`` are windows in samples of the file, half open. ``bits`` is the width of its samples: the largest value of
    8 bits is less than that of 16.
    """

    def __init__(self, channels: int, spans: Sequence[tuple[int, int]], bits: int = 16) -> None:
        self._channels, self._frames = channels, 0
        self._full = 1.0 - 2.0 ** (1 - min(bits, 16))
        self._firsts = np.array([first for first, _ in spans], np.int64)
        self._lasts = np.array([last for _, last in spans], np.int64)
        # The last row is the mean of all channels; a mono file has only one row.
        shape = (len(spans), channels + (channels > 1))
        self._means, self._squares, self._peaks = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self._counts, self._clipped = np.zeros(len(spans), np.int64), np.zeros(len(spans), np.int64)
        self._before = np.zeros((channels, CLIPPED_RUN), np.bool_)

    def take(self, block: npt.NDArray[Any]) -> None:
        """Measure the next samples, shape [frames, channels]: float64 (full scale 1.0), or int32 (2 ** 31)."""
        for start in range(0, len(block), _PIECE):
            self._take(self._rows(block[start:start + _PIECE]))

    def _rows(self, block: npt.NDArray[Any]) -> Rows:
        rows = np.empty((self._means.shape[1], len(block)))
        own = rows[:self._channels]
        np.multiply(block.T, 2.0 ** -31 if block.dtype == np.int32 else 1.0, out=own)
        if block.dtype != np.int32:
            np.clip(own, -_LARGEST, _LARGEST, out=own)
        if len(rows) > len(own):
            np.mean(own, axis=0, out=rows[-1])
        return rows

    def _take(self, rows: Rows) -> None:
        first, last = self._frames, self._frames + rows.shape[1]
        self._count_clips(rows[:self._channels], first)
        for number in np.flatnonzero((self._firsts < last) & (self._lasts > np.maximum(first, self._firsts))):
            self._add(number, rows[:, max(self._firsts[number] - first, 0):self._lasts[number] - first])
        self._frames = last

    def _add(self, number: np.int64, own: Rows) -> None:
        """Add samples to a window: their mean and their squares around it (Chan, Golub and LeVeque, 1979).

        A plain sum of squares would lose a soft sound beside a large constant part.
        """
        count, before = own.shape[1], int(self._counts[number])
        mean = own.mean(axis=1)
        centered = own - mean[:, None]
        change = mean - self._means[number]
        total = before + count
        self._means[number] += change * (count / total)
        self._squares[number] += np.einsum("ij,ij->i", centered, centered) + change ** 2 * (before * count / total)
        self._counts[number] = total
        self._peaks[number] = np.maximum(self._peaks[number], np.maximum(own.max(axis=1), -own.min(axis=1)))

    def _count_clips(self, rows: Rows, first: int) -> None:
        """Count a run when its third sample is seen: the three before the block are remembered."""
        full = (rows >= self._full) | (rows <= -self._full)
        if not full.any() and not self._before.any():
            return
        full = np.concatenate([self._before, full], axis=1)
        _, places = np.nonzero(~full[:, :-3] & full[:, 1:-2] & full[:, 2:-1] & full[:, 3:])
        starts = np.sort(places) + (first - CLIPPED_RUN + 1)
        self._clipped += np.searchsorted(starts, self._lasts) - np.searchsorted(starts, self._firsts)
        self._before = full[:, -CLIPPED_RUN:]

    def levels(self) -> tuple[WindowLevels, ...]:
        """Return what was measured, per window. Samples that a window has after the file's end count as silence."""
        counts = self._counts[:, None]
        lengths = np.maximum(self._lasts - self._firsts, 1)[:, None]
        rms = _db(self._squares / lengths)
        uncentered = _db((self._squares + counts * self._means ** 2) / lengths)[:, :self._channels].max(axis=1)
        peaks = _db(self._peaks[:, :self._channels].max(axis=1) ** 2)
        offsets = np.round(self._means[:, :self._channels], 6) + 0.0
        return tuple(
            WindowLevels(tuple(rms[number, :self._channels].tolist()), float(rms[number, -1]),
                         float(uncentered[number]), float(peaks[number]),
                         float(offsets[number, np.abs(offsets[number]).argmax()]), int(self._clipped[number]))
            for number in range(len(counts)))


def _db(power: Rows) -> Rows:
    floor = 10.0 ** (FLOOR_DB / 10)
    return np.round(10 * np.log10(np.maximum(power, floor)), 3).astype(np.float64) + 0.0
