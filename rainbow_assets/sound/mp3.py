"""FLAC to MP3, for pages: every browser plays it, and its bytes depend on the samples and the libsndfile alone."""

from __future__ import annotations

import io

import numpy as np

from rainbow_assets.sound.flac import decode_flac

_QUALITY = 0.6
"""libsndfile's ``compression_level`` of variable-rate MP3: about 60 kbit/s for one channel."""


def to_mp3(flac: bytes) -> bytes:
    """Return mono FLAC as MP3 of the same rate. Equal samples give equal bytes on one libsndfile version."""
    import soundfile

    samples, bits, rate = decode_flac(flac)
    out = io.BytesIO()
    soundfile.write(
        out, np.ldexp(samples.astype(np.float32), 1 - bits), rate, format="MP3", subtype="MPEG_LAYER_III",
        bitrate_mode="VARIABLE", compression_level=_QUALITY,
    )
    return out.getvalue()
