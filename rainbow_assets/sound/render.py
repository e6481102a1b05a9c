"""Rendering notes to PCM; only one stem at a time is in memory, plus the sum of all stems for the mix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from rainbow_assets.music.clock import SAMPLE_RATE, Clock, Note
from rainbow_assets.sound import instruments
from rainbow_assets.sound.instruments import Samples, Timbre

Pcm = NDArray[np.int16] | NDArray[np.int32]
FADE_S = 0.15
MIX_PEAK = 0.9
BLOCK = 1 << 16
LONGEST_NOTE_S = 12


def render_notes(notes: Sequence[Note], clock: Clock, timbre: Timbre, frames: int, side: int = 0) -> Samples:
    """Return ``frames`` samples with the notes in them; float32, shape (frames,), not scaled to a peak yet."""
    out = np.zeros(frames, np.float32)
    for start, length, pitch, velocity in notes:
        place = clock.samples(start)
        hundredths = max(1, min(LONGEST_NOTE_S * 100, round(clock.seconds(length) * 100)))
        sound = instruments.note(timbre, pitch, hundredths, side)[: max(0, frames - place)]
        out[place : place + sound.size] += sound * np.float32(velocity / 127)
    return out


def mute(sound: Samples, stretches: Sequence[tuple[int, int]]) -> None:
    """Fade out at the start of each span of samples and silence the rest of it, so that no tail leaks in."""
    for start, end in stretches:
        fade = min(round(FADE_S * SAMPLE_RATE), max(0, min(end, sound.shape[0]) - start))
        ramp = np.linspace(1, 0, fade, dtype=np.float32)
        sound[start : start + fade] *= ramp if sound.ndim == 1 else ramp[:, None]
        sound[start + fade : end] = 0


def end_fade(sound: Samples) -> None:
    """Fade the last moments to zero so that the file does not end with a click."""
    mute(sound, [(max(0, sound.shape[0] - round(FADE_S * SAMPLE_RATE)), sound.shape[0])])


def to_pcm(sound: Samples, peak: float, bits: int = 16) -> Pcm:
    """Scale ``sound`` to ``peak`` and round it: int16 for 16 bits, int32 with an empty low byte for 24."""
    gain = np.float32(peak / max(_peak(sound), 1e-9) * (2 ** (bits - 1) - 1))
    pcm: Pcm = np.zeros_like(sound, dtype=np.int16) if bits == 16 else np.zeros_like(sound, dtype=np.int32)
    for start in range(0, sound.shape[0], BLOCK):
        pcm[start : start + BLOCK] = np.rint(sound[start : start + BLOCK] * gain)
    return pcm if bits == 16 else pcm << 8


def _peak(sound: Samples) -> float:
    return max(float(sound.max(initial=0.0)), -float(sound.min(initial=0.0)))


def write_wav(path: Path, pcm: Pcm) -> None:
    """Write 16-bit (int16) or 24-bit (int32) PCM, mono (frames,) or stereo (frames, 2), at 44.1 kHz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm, SAMPLE_RATE, subtype="PCM_16" if pcm.dtype == np.int16 else "PCM_24", format=_kind(path))


def _kind(path: Path) -> str:
    """Return the file format of the name's extension, because a manifest may name FLAC files."""
    return "FLAC" if path.suffix.lower() == ".flac" else "WAV"


class Mix:
    """The stereo sum of stems. Left plus right of the mix is twice the sum of the stems' mono signals, scaled once."""

    def __init__(self, frames: int) -> None:
        self._left, self._right = np.zeros(frames, np.float32), np.zeros(frames, np.float32)

    def add(self, pcm: Pcm, pan: float = 0.0) -> None:
        """Add a stem as it was written; ``pan`` -1..1 places a mono stem, and the two gains always sum to 2."""
        whole = np.float32(1 / 32768 if pcm.dtype == np.int16 else 1 / 2**31)
        for start in range(0, pcm.shape[0], BLOCK):
            part = pcm[start : start + BLOCK] * whole
            left, right = (part[:, 0], part[:, 1]) if part.ndim == 2 else (part, part)
            stop = start + part.shape[0]
            gain = np.float32(0 if part.ndim == 2 else pan)
            self._left[start:stop] += (1 - gain) * left
            self._right[start:stop] += (1 + gain) * right

    def write(self, path: Path) -> None:
        """Write the mix as 16-bit stereo, turned down (never up) so that its peak is at most ``MIX_PEAK``."""
        peak = max(_peak(self._left), _peak(self._right), 1e-9)
        gain = np.float32(32767 * min(1.0, MIX_PEAK / peak))
        path.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 2, subtype="PCM_16", format=_kind(path)) as file:
            for start in range(0, self._left.size, BLOCK):
                pair = (self._left[start : start + BLOCK], self._right[start : start + BLOCK])
                file.write(np.rint(np.column_stack(pair) * gain).astype(np.int16))
