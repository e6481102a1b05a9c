"""Samples to FLAC and back, bit for bit.

libsndfile takes and gives int32 samples with the value in the upper bits, whatever the width, so samples are shifted
up by 32 - bits before writing and down after reading. Its encoder has no clock and no random choice: equal samples
give equal bytes. Each call has its own handle and works outside the interpreter's lock, so threads may share this
module and run in parallel.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt

from rainbow_assets.errors import RainbowError

_SUBTYPES = {16: "PCM_16", 24: "PCM_24"}
_BITS = {subtype: bits for bits, subtype in _SUBTYPES.items()}

Samples = npt.NDArray[np.int32]


class FlacMismatch(RainbowError):
    """A FLAC that cannot be made or read, or that does not hold the samples it was made from."""


def encode_flac(samples: Samples, bits: int, rate: int) -> bytes:
    """Return FLAC of int32 ``samples`` at their own scale (16 or 24 ``bits``), ``rate`` in Hz.

    ``samples`` are [frames] for mono, or [frames, channels].

    Raises :class:`FlacMismatch` where FLAC cannot hold them: no samples, another width, a rate over 655,350 Hz.
    A sample that is too large for ``bits`` loses its upper bits; :func:`encode_checked` finds that.

    >>> samples = np.array([0, 1000, -1000, 32767], np.int32)
    >>> back, bits, rate = decode_flac(encode_flac(samples, 16, 44100))
    >>> back.tolist(), bits, rate
    ([0, 1000, -1000, 32767], 16, 44100)
    """
    import soundfile

    if bits not in _SUBTYPES:
        raise FlacMismatch(f"FLAC is written with 16 or 24 bits per sample, not {bits}")
    if not len(samples):
        raise FlacMismatch("a window without samples cannot be written as FLAC")
    out = io.BytesIO()
    try:
        soundfile.write(out, samples << (32 - bits), rate, format="FLAC", subtype=_SUBTYPES[bits])
    except (soundfile.LibsndfileError, OverflowError) as error:
        raise FlacMismatch(f"{len(samples)} samples at {rate} Hz cannot be written as FLAC: {error}") from error
    return out.getvalue()


def decode_flac(data: bytes) -> tuple[Samples, int, int]:
    """Return (int32 samples [frames], bits, rate in Hz) of mono FLAC; raise :class:`FlacMismatch` for anything else."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            bits = _BITS.get(file.subtype)
            if file.format != "FLAC" or bits is None or file.channels != 1:
                raise FlacMismatch(
                    f"expected mono FLAC of 16 or 24 bits; the data is {file.format} {file.subtype} "
                    f"with {file.channels} channels"
                )
            return np.right_shift(file.read(dtype="int32"), 32 - bits), bits, file.samplerate
    except soundfile.LibsndfileError as error:
        raise FlacMismatch(f"{len(data)} bytes cannot be decoded as FLAC: {error}") from error


def flac_seconds(data: bytes) -> float:
    """Return the length of FLAC of any number of channels; raise :class:`FlacMismatch`."""
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return file.frames / file.samplerate
    except soundfile.LibsndfileError as error:
        raise FlacMismatch(f"{len(data)} bytes cannot be decoded as FLAC: {error}") from error


def encode_checked(samples: Samples, bits: int, rate: int) -> bytes:
    """Encode, decode again and compare; return the FLAC or raise :class:`FlacMismatch` at the first difference."""
    data = encode_flac(samples, bits, rate)
    back, back_bits, back_rate = decode_flac(data)
    if (back_bits, back_rate, len(back)) != (bits, rate, len(samples)):
        raise FlacMismatch(
            f"wrote {len(samples)} samples of {bits} bits at {rate} Hz, "
            f"read back {len(back)} of {back_bits} bits at {back_rate} Hz"
        )
    wrong = np.flatnonzero(back != samples)
    if len(wrong):
        at = int(wrong[0])
        raise FlacMismatch(f"{len(wrong)} samples differ after decoding, the first at {at}: "
                           f"{int(samples[at])} became {int(back[at])}; is it wider than {bits} bits?")
    return data
