"""Convert an audio file to the FLAC that the encoders read: mono, at the sample rate of the corpus."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets.sound.flac import encode_checked
from rainbow_assets.sound.stems import read_stem

RATE = 44100


def as_flac(path: Path) -> bytes:
    """Return the WAV or FLAC file at ``path`` as a mono FLAC; raise the reader's error if it cannot be decoded."""
    stem = read_stem(path, RATE)
    return encode_checked(stem.samples, stem.bits, stem.sample_rate)
