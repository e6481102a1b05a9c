"""Small sounds as FLAC, made from a seed."""

from __future__ import annotations

import numpy as np

from rainbow_assets.sound.flac import encode_flac


def flac(seconds: float, seed: int = 0, rate: int = 44100) -> bytes:
    """A chord with noise that changes over time."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * f * time) for f in rng.uniform(80, 4000, 4))
    sound = (tones * (0.3 + 0.2 * np.sin(time * rng.uniform(0.2, 3))) + rng.normal(0, 0.2, len(time))) / 6
    return encode_flac((np.clip(sound, -1, 1) * 32767).astype(np.int32), 16, rate)
