"""FLAC bytes to the fixed windows of an encoder: decode, resample with soxr, cut. Equal bytes give equal windows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rainbow_assets.sound.flac import decode_flac

Samples = npt.NDArray[np.float32]


def decode(flac: bytes, rate: int) -> Samples:
    """Return mono float32 samples [frames] at ``rate`` Hz, full scale 1.0; raise ``FlacMismatch``."""
    import soxr

    samples, bits, source = decode_flac(flac)
    sound = samples.astype(np.float32) / np.float32(2 ** (bits - 1))
    return sound if source == rate else np.asarray(soxr.resample(sound, source, rate, quality="HQ"), np.float32)


def weighted_windows(samples: Samples, rate: int, window_ms: int) -> tuple[list[Samples], npt.NDArray[np.float32]]:
    """Return consecutive windows of ``window_ms`` from the start, and their weights [windows].

    The last window may be shorter; weights are proportional to length, so that a short one does not count in full.
    """
    length = rate * window_ms // 1000
    cut = [samples[start:start + length] for start in range(0, max(len(samples), 1), length)]
    weights = np.array([len(window) for window in cut], np.float32)
    total = weights.sum()
    share = weights / total if total else np.ones_like(weights) / len(weights)
    return cut, share.astype(np.float32)


def window_count(frames: int, rate: int, window_ms: int) -> int:
    """Return the number of windows in ``frames`` samples at ``rate`` Hz; nothing is decoded."""
    length = rate * window_ms
    return max(1, -(-frames * 1000 // length))


def pooled(vectors: npt.NDArray[np.float32], weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the weighted mean of raw window vectors [windows, dims] with an L2 norm of 1."""
    mean = (vectors.astype(np.float64) * weights[:, None]).sum(axis=0)
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
