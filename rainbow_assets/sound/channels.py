"""How loud each channel of a stem is, window by window, before anything is done to it.

A mean of two opposed channels is silence, a gain that one spike asks for buries the rest, and a constant part is energy
that nobody hears. So the question "does something sound here?" is asked of the channels as they are in the file: RMS
around the mean of the window, of the loudest channel.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rainbow_assets.sound.levels import FLOOR_DB

CLIPPED_RUN = 3
"""So many neighbors at full scale are no peak but a cut top."""
OPPOSED_DB = 12.0
"""A mean that is so much softer than the loudest channel has lost the sound to cancellation."""
Block = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ChannelLevels:
    """What the channels of one stem hold. Levels are float64 in dB below full scale, per window of the loudest channel.

    ``rms``: without the constant part; ``offset``: the constant part, as a share of full scale. ``mean_loss_db``: how
    much softer the mean of the channels is than the loudest one, over the whole stem. ``clipped``: runs of
    :data:`CLIPPED_RUN` or more samples at full scale. ``loudest``: number of the loudest channel, from 0.
    """

    rms: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    peak_db: float
    clipped: int
    mean_loss_db: float
    loudest: int

    @property
    def opposed(self) -> bool:
        """True if the mean of the channels is no picture of the stem."""
        return self.mean_loss_db > OPPOSED_DB


class Meter:
    """Measures a stem as its blocks go by; ``spans`` are windows in samples of the source, sorted by start."""

    def __init__(self, channels: int, spans: Sequence[tuple[int, int]] = ()) -> None:
        self.spans, self.starts = list(spans), [first for first, _ in spans]
        self.longest = max((last - first for first, last in spans), default=0)
        self.sums = np.zeros((len(spans), channels))
        self.squares = np.zeros((len(spans), channels))
        self.energy = np.zeros(channels)
        self.total = np.zeros(channels)
        self.mean_energy = self.peak = 0.0
        self.frames = self.clipped = 0
        self._run = np.zeros(channels, np.int64)

    def take(self, block: Block) -> None:
        """Measure the next samples, shape [frames, channels], full scale 1.0."""
        first, last = self.frames, self.frames + len(block)
        self.energy += np.einsum("ij,ij->j", block, block)
        self.total += block.sum(axis=0)
        mean = block.mean(axis=1)
        self.mean_energy += float(mean @ mean)
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
        self._clips(block)
        for number in range(bisect_left(self.starts, first - self.longest), bisect_right(self.starts, last)):
            begin, end = self.spans[number]
            own = block[max(begin - first, 0):max(end - first, 0)]
            if len(own):
                self.sums[number] += own.sum(axis=0)
                self.squares[number] += np.einsum("ij,ij->j", own, own)
        self.frames = last

    def _clips(self, block: Block) -> None:
        full = np.abs(block) >= 1.0 - 2.0 ** -15
        if not full.any():
            self._run[:] = 0
            return
        for channel in range(block.shape[1]):
            edges = np.diff(np.concatenate([[0], full[:, channel].astype(np.int8), [0]]))
            starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
            lengths = ends - starts
            if len(starts) and starts[0] == 0:
                # A run that began in the block before was counted there if it was long enough already.
                before = int(self._run[channel])
                lengths[0] = 0 if before >= CLIPPED_RUN else lengths[0] + before
            self.clipped += int((lengths >= CLIPPED_RUN).sum())
            open_run = len(ends) and ends[-1] == len(block)
            self._run[channel] = (ends[-1] - starts[-1] + (self._run[channel] if starts[-1] == 0 else 0)) if open_run else 0

    def levels(self) -> ChannelLevels:
        """Return what was measured. Where a window runs past the last sample, the missing samples count as silence."""
        counts = np.array([max(min(last, self.frames) - first, 0) for first, last in self.spans], np.float64)[:, None]
        lengths = np.array([max(last - first, 1) for first, last in self.spans], np.float64)[:, None]
        means = self.sums / np.maximum(counts, 1)
        power = np.maximum(self.squares - counts * means**2, 0.0) / lengths
        rms = _db(power.max(axis=1, initial=0.0))
        offset = np.abs(means).max(axis=1, initial=0.0)
        # Around the mean here too: a constant part in one channel is not sound that the others lost.
        frames = max(self.frames, 1)
        channel = np.maximum(self.energy / frames - (self.total / frames) ** 2, 0.0)
        mean = max(self.mean_energy / frames - float((self.total / frames).mean()) ** 2, 0.0)
        loss = float(_db(channel.max(initial=0.0)[None])[0] - _db(np.array([mean]))[0])
        return ChannelLevels(rms, offset, float(_db(np.array([self.peak**2]))[0]), self.clipped, loss,
                             int(channel.argmax()) if len(channel) else 0)


def _db(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.maximum(10 * np.log10(np.maximum(power, 1e-30)), FLOOR_DB)
