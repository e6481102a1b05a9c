"""A deterministic descriptor of audio for machines without torch: spectrum, timbre, harmony and dynamics statistics.

Plain formulas on numpy and scipy (light audio libraries need numba or compiled extras):
power spectrum (Hann, 2048 samples, hop 512, at 22,050 Hz); mel bands after O'Shaughnessy, 2595 log10(1 + f/700);
cepstrum as orthonormal DCT-II of log mel (Davis and Mermelstein 1980); chroma by pitch class of each bin between
55 and 4,186 Hz (Fujishima 1999); spectral shape after Peeters (2004). A group with an offset is centered, and each
group is scaled to a fixed share of the vector, so that no group, such as loudness, dominates the others.
The vectors separate instruments, registers, harmonies and densities; they are not learned and ignore genre.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft

from rainbow_assets.sound import waveform

FRAME, HOP, MELS, CEPSTRA = 2048, 512, 64, 20
FLOOR = 1e-10
"""Power below this (-100 dB) counts as silence."""
Array = npt.NDArray[np.float64]


class SignalDescriptor:
    """Audio encoder: ``prepare`` does the work, because it runs in threads; ``forward`` only stacks."""

    def __init__(self, sample_rate: int, window_ms: int) -> None:
        self.sample_rate, self.window_ms = sample_rate, window_ms

    def prepare(self, payload: bytes) -> npt.NDArray[np.float32]:
        """Return the vector [256] of a FLAC file; raise ``FlacMismatch`` if it does not decode."""
        rate = self.sample_rate
        cut, weights = waveform.weighted_windows(waveform.decode(payload, rate), rate, self.window_ms)
        found = np.stack([describe(window, rate) for window in cut]).astype(np.float32)
        return waveform.pooled(found, weights)

    def forward(self, prepared: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Return the vectors [n, 256]."""
        return np.stack(prepared)


def describe(window: waveform.Samples, rate: int) -> Array:
    """Return the 256 numbers of one window: log mel 128, cepstrum 60, chroma 36, shape and dynamics 32."""
    power = _power(window)
    mel = np.log10(np.maximum(power @ _mel_filters(rate).T, FLOOR))
    cepstrum = np.asarray(scipy.fft.dct(mel, axis=1, norm="ortho"))[:, 1:CEPSTRA + 1]
    chroma = power @ _chroma_map(rate).T
    chroma = chroma / np.maximum(chroma.sum(axis=1, keepdims=True), FLOOR)
    shape = _shape(power, rate)
    return np.concatenate([
        _share(_centered(mel.mean(axis=0)), 1.0), _share(_centered(mel.std(axis=0)), 0.6),
        _share(cepstrum.mean(axis=0), 0.8), _share(cepstrum.std(axis=0), 0.5), _share(_steps(cepstrum), 0.5),
        _share(chroma.mean(axis=0) - 1 / 12, 0.7), _share(_centered(chroma.std(axis=0)), 0.4),
        _share(_steps(chroma), 0.3), _share(_centered(shape), 0.8), _share(_rhythm(mel), 0.8),
    ])


def _power(window: waveform.Samples) -> Array:
    """Return the power spectrum [frames, FRAME / 2 + 1]; a window shorter than a frame is padded with silence."""
    padded = np.pad(window, (0, max(0, FRAME - len(window)))).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    spectrum = np.asarray(scipy.fft.rfft(frames * _hann(), axis=1))
    return np.square(np.abs(spectrum)).astype(np.float64) / FRAME


@lru_cache(maxsize=1)
def _hann() -> npt.NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


@lru_cache(maxsize=4)
def _mel_filters(rate: int) -> Array:
    """Return triangles [MELS, bins] of unit area between 30 Hz and half the rate."""
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(2595 * np.log10(1 + 30 / 700), top, MELS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FRAME, 1 / rate)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rise, fall))
    return filters / np.maximum(filters.sum(axis=1, keepdims=True), FLOOR)


@lru_cache(maxsize=4)
def _chroma_map(rate: int) -> Array:
    """Return a 0/1 map [12, bins] of each bin between 55 and 4,186 Hz to its nearest pitch class."""
    bins = np.fft.rfftfreq(FRAME, 1 / rate)
    heard = (bins >= 55) & (bins <= 4186)
    pitch = np.round(12 * np.log2(np.where(heard, bins, 440.0) / 440.0)).astype(int) % 12
    return ((pitch[None, :] == np.arange(12)[:, None]) & heard).astype(np.float64)


def _shape(power: Array, rate: int) -> Array:
    """Return mean and spread of level, centroid, bandwidth, flatness, roll-off, slope, flux and crest: 16 numbers."""
    bins = np.fft.rfftfreq(FRAME, 1 / rate) / (rate / 2)
    total = np.maximum(power.sum(axis=1), FLOOR)
    share = power / total[:, None]
    centroid = share @ bins
    width = np.sqrt(np.maximum(share @ bins ** 2 - centroid ** 2, 0))
    flat = np.log10(np.maximum(power, FLOOR)).mean(axis=1) - np.log10(total / power.shape[1])
    rolloff = (np.cumsum(share, axis=1) < 0.85).sum(axis=1) / power.shape[1]
    low = share[:, : power.shape[1] // 16].sum(axis=1)
    flux = np.sqrt((np.diff(share, axis=0, prepend=share[:1]) ** 2).sum(axis=1))
    crest = np.log10(np.maximum(power.max(axis=1), FLOOR) / (total / power.shape[1]))
    level = np.log10(total)
    curves = np.stack([level / 4, centroid * 4, width * 4, flat / 4, rolloff * 2, low * 2, flux * 2, crest])
    return np.concatenate([curves.mean(axis=1), curves.std(axis=1)])


def _rhythm(mel: Array) -> Array:
    """Return the autocorrelation of onsets at 16 lags from 93 ms to 1.5 s: density and regularity of events."""
    onset = np.maximum(np.diff(mel, axis=0, prepend=mel[:1]), 0).sum(axis=1)
    onset = onset - onset.mean()
    energy = max(float(onset @ onset), FLOOR)
    return np.array([float(onset[lag:] @ onset[:-lag]) / energy if lag < len(onset) else 0.0
                     for lag in range(4, 68, 4)])


def _steps(curves: Array) -> Array:
    """Return the mean absolute change from frame to frame."""
    return np.abs(np.diff(curves, axis=0, prepend=curves[:1])).mean(axis=0)


def _centered(values: Array) -> Array:
    return values - values.mean()


def _share(values: Array, weight: float) -> Array:
    """Return a group scaled to the length ``weight``; a silent group stays 0."""
    length = float(np.linalg.norm(values))
    return values * (weight / length) if length > 1e-9 else np.zeros_like(values)
