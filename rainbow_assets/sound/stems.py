"""The one audio reader: WAV stems as mono integers, exact if the source allows it, and file probing.

Several channels become their mean, or one of them is kept. A mean of two 16-bit samples needs 17 bits, so it is kept in
24 (sum x 128); values with more than 24 bits are rounded to the nearest 24-bit step. Files are read in blocks, so that
only one mono stem is in memory; windows are measured as the blocks pass.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from rainbow_assets.digests import digest
from rainbow_assets.door import RefusedFile, opened
from rainbow_assets.sound.channels import ChannelMeter, WindowLevels, mono_name
from rainbow_assets.sound.container import Corrected, Layout, UnreadableAudio, walk
from rainbow_assets.sound.levels import span_frames

if TYPE_CHECKING:
    import soundfile as sf

BLOCK_FRAMES = 1 << 18
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
FULL_24 = 1 << 23
MOST_FRAMES_PER_BYTE = 1 << 14
"""No compression of sound puts more frames into a byte: a FLAC frame has at most 65,535, and at least 11 bytes."""

RATES, MOST_CHANNELS, MOST_HOURS = (8_000, 384_000), 64, 3
"""What people export. A few bytes at 1 Hz would become hours at 44.1 kHz."""
PLACES, PLACE_FRAMES, FEWEST_PLACES = 48, 64, 3
"""Where two files are compared: places, samples of each, and places that must have sound."""
REST_BYTES = 256 << 20
"""Memory that must be left beside a decoded stem. Without any, libraries in Rust and C++ abort the program."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file holds: frames per channel, Hz, channels, libsndfile subtype (``PCM_16``, ``FLOAT`` ...).

    ``remarks`` are sentences about a header that differs from the file. ``reference``: the sample at which the file
    begins on the time line of the program that wrote it; None if it does not say.
    """

    frames: int
    sample_rate: int
    channels: int
    subtype: str
    remarks: tuple[str, ...] = ()
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class Stem:
    """A decoded stem. ``samples``: int32, shape [frames], mono, in units of the ``bits``-bit grid (16 or 24).

    ``mono``: what was kept of the channels, "mean" or "channel 1" ... ``levels``: of the windows that were asked for.
    """

    samples: npt.NDArray[np.int32]
    bits: int
    sample_rate: int
    channels: int
    source_rate: int
    gain_db: float
    resampled: bool
    mono: str
    levels: tuple[WindowLevels, ...] = ()


@contextmanager
def _opened(path: Path, data: bytes | None = None) -> Iterator[tuple[sf.SoundFile, AudioInfo]]:
    """Open the file (``data``: its content, if it was read) the one way that all callers use.

    Raises ``FileNotFoundError``, and ``UnreadableAudio`` for everything that is no whole sound.
    """
    import soundfile as sf

    with _stream(path, data) as stream:
        layout, size = walk(stream, path.name), stream.seek(0, 2)
        stream.seek(0)
        try:
            source: Any = Corrected(stream, layout) if layout.patches else stream
            file = sf.SoundFile(source)
        except (sf.LibsndfileError, OSError, RuntimeError, TypeError) as error:
            raise UnreadableAudio(f"{path.name} cannot be read as audio ({_short(error)}); export it again as "
                                  "WAV") from None
        with file:
            yield file, _info(file, layout, path.name, size)


def _info(file: sf.SoundFile, layout: Layout, name: str, size: int) -> AudioInfo:
    """Return what the file holds, after comparing the two counts of its frames."""
    frames = file.frames
    if layout.kind == "other":
        raise UnreadableAudio(f"{name} holds {file.format}, and does not begin as WAV, AIFF, RF64, W64 and FLAC files "
                              "do, so nothing proves that it is whole; export it again as WAV")
    if layout.frames is not None and frames != layout.frames:
        raise UnreadableAudio(f"{name} is damaged: its header describes {frames} frames, and its bytes hold "
                              f"{layout.frames}; export it again")
    if not 0 <= frames <= size * MOST_FRAMES_PER_BYTE:
        raise UnreadableAudio(f"{name} is damaged: its header promises {frames} frames in {size} bytes; export it "
                              "again")
    if frames == 0:
        raise UnreadableAudio(f"{name} holds no samples; export it again")
    rate, channels = file.samplerate, file.channels
    if not RATES[0] <= rate <= RATES[1]:
        raise UnreadableAudio(f"{name} has a sample rate of {rate:,} Hz, and {RATES[0]:,} to {RATES[1]:,} are read; "
                              "export it again")
    if channels > MOST_CHANNELS:
        raise UnreadableAudio(f"{name} has {channels:,} channels, and at most {MOST_CHANNELS} are read; export it "
                              "again")
    if frames > MOST_HOURS * 3600 * rate:
        raise UnreadableAudio(f"{name} lasts {frames / rate / 3600:.1f} hours, and at most {MOST_HOURS} are read; cut "
                              "it")
    return AudioInfo(frames, file.samplerate, file.channels, file.subtype, layout.remarks, layout.reference)


def _stream(path: Path, data: bytes | None) -> BinaryIO:
    try:
        return opened(path) if data is None else io.BytesIO(data)
    except RefusedFile as error:
        raise UnreadableAudio(f"{path.name}: {error}") from None


def _short(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rsplit(": ", 1)[-1].rstrip(".")


def probe(path: Path) -> AudioInfo:
    """Return what the file holds, without decoding it; raise ``UnreadableAudio`` or ``FileNotFoundError``."""
    with _opened(path) as (_, info):
        return info


def sampled(path: Path) -> tuple[AudioInfo, str]:
    """Return what :func:`probe` does, and a digest of a few samples: files of equal sound have equal ones.

    The samples are those of :data:`PLACES` places of the file, so equal digests make equal sounds very likely, and
    prove nothing. The digest is empty if too few of the places sound, or if they cannot be decoded.
    """
    import soundfile as sf

    with _opened(path) as (file, info):
        blocks, sounding = [], 0
        try:
            for number in range(PLACES):
                file.seek(number * max(info.frames - PLACE_FRAMES, 0) // (PLACES - 1))
                block = file.read(PLACE_FRAMES, dtype="float64", always_2d=True)
                sounding += len(block) > 0 and bool((block != block[0]).any())
                blocks.append(block.tobytes())
        except (sf.LibsndfileError, RuntimeError):
            return info, ""
        if sounding < FEWEST_PLACES:
            return info, ""
        return info, digest("sampled", info.frames, info.sample_rate, info.channels, *blocks)


def examine(path: Path) -> AudioInfo:
    """Return what the file holds after reading it as :func:`read_stem` does; raise what that raises.

    Integer samples in a whole container cannot be wrong; all others are decoded, block by block, and dropped.
    """
    with _opened(path) as (file, info):
        if info.subtype not in _BITS or file.format == "FLAC":
            for _ in _blocks(file, path.name, "float64", BLOCK_FRAMES):
                pass
        return info


def read_channels(path: Path, data: bytes | None = None) -> npt.NDArray[np.float32]:
    """Return the samples of ``path``, or of its content ``data``, float32 [frames, channels].

    Raises ``UnreadableAudio`` or ``FileNotFoundError``.
    """
    import soundfile as sf

    with _opened(path, data) as (file, _):
        try:
            return np.asarray(file.read(dtype="float32", always_2d=True), np.float32)
        except sf.LibsndfileError as error:
            raise UnreadableAudio(f"{path.name} breaks off while decoding ({_short(error)}); export it again") from None


def read_stem(
    path: Path, target_rate: int = 44100, block_frames: int = BLOCK_FRAMES, data: bytes | None = None,
    channel: int | None = None, windows_ms: Sequence[tuple[int, int]] = (),
) -> Stem:
    """Decode ``path``, or its content ``data``, once and in blocks, to mono at ``target_rate``.

    ``channel`` (from 0) is kept, or the mean of all. One channel of 16 bits stays 16 bits, bit for bit; everything else
    becomes 24 bits. A mean of 16 bits, and a channel of 24, are exact; a mean of 24 bits, 32-bit and float are rounded
    (error at most 1 LSB). A float peak above full scale gives the whole stem a ``gain_db``, so that
    nothing clips. Other rates are resampled with soxr (VHQ). ``windows_ms`` (start and end of each) are measured before
    all that. Raises ``UnreadableAudio`` (not audio, cut, empty, NaN, no such channel) or ``FileNotFoundError``.
    """
    with _opened(path, data) as (file, info):
        if channel is not None and channel >= info.channels:
            raise UnreadableAudio(f"{path.name} has no channel {channel + 1}, only {info.channels}; export it again")
        width = _BITS.get(info.subtype, 64)
        exact = width <= 24 and info.sample_rate == target_rate
        bits = 16 if exact and width <= 16 and (info.channels == 1 or channel is not None) else 24
        _require_memory(path.name, info.frames * target_rate // info.sample_rate * (8 if exact else 16))
        meter = ChannelMeter(info.channels, [span_frames(*window, info.sample_rate) for window in windows_ms], width)
        blocks = _blocks(file, path.name, "int32" if exact else "float64", block_frames)
        if windows_ms:
            blocks = _measured(blocks, meter)
        if exact:
            samples, gain_db = np.concatenate([_integers(block, bits, channel) for block in blocks]), 0.0
        else:
            samples, gain_db = _floats(blocks, file, target_rate, channel)
        return Stem(samples, bits, target_rate, info.channels, info.sample_rate, gain_db,
                    info.sample_rate != target_rate, mono_name(channel, info.channels), meter.levels())


def _require_memory(name: str, size: int) -> None:
    """Raise ``MemoryError`` unless ``size`` bytes for the file ``name`` and :data:`REST_BYTES` are free."""
    try:
        np.empty(size + REST_BYTES, np.uint8)
    except MemoryError:
        raise MemoryError(f"{name} needs {size / 1e6:,.0f} MB") from None


def _measured(blocks: Iterator[npt.NDArray[Any]], meter: ChannelMeter) -> Iterator[npt.NDArray[Any]]:
    for block in blocks:
        meter.take(block)
        yield block


def _blocks(file: sf.SoundFile, name: str, kind: Literal["int32", "float64"], size: int) -> Iterator[npt.NDArray[Any]]:
    """Yield arrays of shape [frames, channels]; raise ``UnreadableAudio`` if the sound breaks off or is no number."""
    import soundfile as sf

    left = file.frames
    while left > 0:
        try:
            block = file.read(min(size, left), dtype=kind, always_2d=True)
        except sf.LibsndfileError as error:
            raise UnreadableAudio(f"{name} breaks off while decoding ({_short(error)}); export it again") from None
        if not len(block):
            raise UnreadableAudio(f"{name} is cut: {left} of {file.frames} frames are missing; export it again")
        if kind == "float64" and not np.isfinite(block).all():
            raise UnreadableAudio(_no_numbers(file, name, block, file.frames - left, size))
        left -= len(block)
        yield block


def _no_numbers(file: sf.SoundFile, name: str, block: npt.NDArray[Any], first: int, size: int) -> str:
    """Return the sentence on a file that has NaN or infinite samples, the first ones in ``block``; read the rest."""
    import soundfile as sf

    frame, channel = np.argwhere(~np.isfinite(block))[0].tolist()
    nan = infinite = 0
    while len(block):
        nan, infinite = nan + int(np.isnan(block).sum()), infinite + int(np.isinf(block).sum())
        try:
            block = file.read(size, dtype="float64", always_2d=True)
        except sf.LibsndfileError:
            break
    where = f"channel {channel + 1} at {(first + frame) / file.samplerate:.3f} s"
    return f"{name} holds NaN ({nan}) or infinite samples ({infinite}), the first in {where}; export it again"


def _integers(block: npt.NDArray[np.int32], bits: int, channel: int | None) -> npt.NDArray[np.int32]:
    """Return one channel, or the mean. soundfile returns int32 left-justified: 16-bit samples are in the upper half."""
    channels = block.shape[1]
    if channels == 1 or channel is not None:
        return block[:, channel or 0] >> (32 - bits)
    total = block.astype(np.int64).sum(axis=1)
    step = channels << (32 - bits)
    # Rounded to the nearest step, halves up: exact if the mean is on the grid, as for 16-bit stereo in 24 bits.
    return ((total + step // 2) // step).astype(np.int32)


def _floats(
    blocks: Iterator[npt.NDArray[np.float64]], file: sf.SoundFile, target_rate: int, channel: int | None
) -> tuple[npt.NDArray[np.int32], float]:
    import soxr

    resampler = None
    if file.samplerate != target_rate:
        resampler = soxr.ResampleStream(file.samplerate, target_rate, 1, dtype="float64", quality="VHQ")
    pieces, seen = [], 0
    for block in blocks:
        seen += len(block)
        # Each channel is divided first: the sum of two huge samples would overflow.
        mono = (block / block.shape[1]).sum(axis=1) if channel is None else np.ascontiguousarray(block[:, channel])
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
