"""The one audio reader: WAV stems as mono integers, exactly where the source allows it, and file probing.

Several channels become their mean. A mean of two 16-bit samples needs 17 bits, so it is kept in 24 (sum x 128); what
has more bits than 24 is rounded to the nearest 24-bit step. Reading goes in blocks: memory is one mono stem.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from rainbow_assets.errors import RainbowError

if TYPE_CHECKING:
    import soundfile as sf

BLOCK_FRAMES = 1 << 18
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
FULL_24 = 1 << 23


class UnreadableAudio(RainbowError):
    """An audio file that cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header says: frames per channel, Hz, channels, libsndfile subtype (``PCM_16``, ``FLOAT`` ...)."""

    frames: int
    sample_rate: int
    channels: int
    subtype: str


@dataclass(frozen=True, slots=True)
class Stem:
    """A decoded stem. ``samples``: int32, shape [frames], mono, in units of the ``bits``-bit grid (16 or 24)."""

    samples: npt.NDArray[np.int32]
    bits: int
    sample_rate: int
    channels: int
    source_rate: int
    gain_db: float
    resampled: bool


def _open(path: Path, stream: BinaryIO | None = None) -> sf.SoundFile:
    import soundfile as sf

    try:
        return sf.SoundFile(str(path) if stream is None else stream)
    except (sf.LibsndfileError, OSError, RuntimeError, TypeError) as error:
        if stream is None and not path.exists():
            raise FileNotFoundError(path) from None
        raise UnreadableAudio(f"{path.name} cannot be read as audio ({_short(error)}); export it again as "
                              f"WAV") from None


def _stream(path: Path, data: bytes | None) -> BinaryIO:
    try:
        return open(path, "rb") if data is None else io.BytesIO(data)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableAudio(f"{path.name} cannot be read as audio ({error.strerror}); export it again as "
                              f"WAV") from None


def _short(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rsplit(": ", 1)[-1].rstrip(".")


def probe(path: Path) -> AudioInfo:
    """Return what the header of ``path`` says; raise ``UnreadableAudio`` or ``FileNotFoundError``."""
    with _open(path) as file, open(path, "rb") as stream:
        _require_whole(path, stream)
        return AudioInfo(file.frames, file.samplerate, file.channels, file.subtype)


def read_channels(path: Path) -> npt.NDArray[np.float32]:
    """Return float32 samples [frames, channels] of ``path``; raise ``UnreadableAudio`` or ``FileNotFoundError``."""
    import soundfile as sf

    with _open(path) as file:
        try:
            return np.asarray(file.read(dtype="float32", always_2d=True), np.float32)
        except sf.LibsndfileError as error:
            raise UnreadableAudio(f"{path.name} breaks off while decoding ({_short(error)}); export it again") from None


def _require_whole(path: Path, stream: BinaryIO) -> None:
    """A WAV whose header promises more data than the file holds was cut; libsndfile would read what is left."""
    size, at = stream.seek(0, 2), 12
    stream.seek(0)
    head = stream.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return
    while at + 8 <= size:
        stream.seek(at)
        chunk = stream.read(8)
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            if at + 8 + length > size and length not in (0, 0xFFFFFFFF):
                raise UnreadableAudio(f"{path.name} is cut: its header promises {length} bytes of audio and "
                                      f"{size - at - 8} are there; export it again")
            return
        at += 8 + length + (length & 1)


def read_stem(
    path: Path, target_rate: int = 44100, block_frames: int = BLOCK_FRAMES, data: bytes | None = None
) -> Stem:
    """Decode ``path`` once, in blocks, to mono at ``target_rate``; of ``data``, its content, where that was read.

    16-bit mono stays 16 bits, bit for bit; all else is 24 bits: 16-bit with several channels and 24-bit mono exact,
    24-bit with several channels, 32-bit and float rounded (error at most 1 LSB). A float peak above full scale gives
    the whole stem a ``gain_db``, so that nothing clips. Other rates go through soxr (VHQ). Raises ``UnreadableAudio``
    (not audio, cut, empty, NaN) or ``FileNotFoundError``.
    """
    import soundfile as sf

    with _stream(path, data) as stream, _open(path, stream) as file:
        at = stream.tell()
        _require_whole(path, stream)
        stream.seek(at)
        if file.frames <= 0:
            raise UnreadableAudio(f"{path.name} holds no samples; export it again")
        exact = _BITS.get(file.subtype, 64) <= 24 and file.samplerate == target_rate
        bits = 16 if exact and _BITS[file.subtype] <= 16 and file.channels == 1 else 24
        try:
            if exact:
                samples, gain_db = _integers(file, path.name, bits, block_frames), 0.0
            else:
                samples, gain_db = _floats(file, path.name, target_rate, block_frames)
        except sf.LibsndfileError as error:
            raise UnreadableAudio(f"{path.name} breaks off while decoding ({_short(error)}); export it again") from None
        return Stem(samples, bits, target_rate, file.channels, file.samplerate, gain_db, file.samplerate != target_rate)


def _blocks(file: sf.SoundFile, name: str, kind: Literal["int32", "float64"], size: int) -> Iterator[npt.NDArray[Any]]:
    """Yield arrays of shape [frames, channels]; the header's count is not believed beyond what is there."""
    left = file.frames
    while left > 0:
        block = file.read(min(size, left), dtype=kind, always_2d=True)
        if not len(block):
            raise UnreadableAudio(f"{name} is cut: {left} of {file.frames} frames are missing; export it again")
        left -= len(block)
        yield block


def _integers(file: sf.SoundFile, name: str, bits: int, block_frames: int) -> npt.NDArray[np.int32]:
    """Mean of the channels. soundfile gives int32 left-justified: a 16-bit sample sits 16 bits up."""
    return np.concatenate([_mean(block, bits) for block in _blocks(file, name, "int32", block_frames)])


def _mean(block: npt.NDArray[np.int32], bits: int) -> npt.NDArray[np.int32]:
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0] >> (32 - bits)
    total = block.astype(np.int64).sum(axis=1)
    step = channels << (32 - bits)
    # To the nearest step, halves up: exact where the mean lies on the grid, as for 16-bit stereo in 24 bits.
    return ((total + step // 2) // step).astype(np.int32)


def _floats(
    file: sf.SoundFile, name: str, target_rate: int, block_frames: int
) -> tuple[npt.NDArray[np.int32], float]:
    import soxr

    resampler = None
    if file.samplerate != target_rate:
        resampler = soxr.ResampleStream(file.samplerate, target_rate, 1, dtype="float64", quality="VHQ")
    pieces, seen = [], 0
    for block in _blocks(file, name, "float64", block_frames):
        if not np.isfinite(block).all():
            raise UnreadableAudio(f"{name} holds NaN or infinite samples; export it again")
        seen += len(block)
        # Each channel is divided first: the sum of two huge samples would overflow.
        mono = (block / block.shape[1]).sum(axis=1)
        pieces.append(mono if resampler is None else resampler.resample_chunk(mono, last=seen == file.frames))
    samples = np.concatenate(pieces)
    pieces.clear()
    peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    top = (FULL_24 - 1) / FULL_24
    gain = 1.0 if peak <= 1.0 else top / peak
    samples *= gain * FULL_24
    np.rint(samples, out=samples)
    np.clip(samples, -FULL_24, FULL_24 - 1, out=samples)
    return samples.astype(np.int32), 0.0 if gain == 1.0 else round(20 * float(np.log10(gain)), 6)
