"""A synthesizer: one additive voice with a few parameters, and some drums. Notes are cached: songs repeat them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from rainbow_assets.music.clock import SAMPLE_RATE
from rainbow_assets.music.draws import generator

Samples = NDArray[np.float32]
VOWELS = ((800, 1150, 2900), (400, 1700, 2600), (350, 1900, 2800), (450, 800, 2830))
"""Formant centers in hertz of the sung vowels a, e, i and o (alto), from the usual table of speech synthesis."""
TOP_HZ = 12000.0
MAX_PARTIALS = 24


@dataclass(frozen=True, slots=True)
class Timbre:
    """The parameters of a voice. Times are in seconds.

    ``slope``: partial k has amplitude k**-slope (large is dull); ``decay_s``: None sustains; ``wobble_cents`` at
    ``wobble_hz``: tape flutter or vibrato; ``fm_index``: brightness of a frequency-modulated attack; ``vowel``: sing;
    ``breath``: share of noise; ``room_s``: reverberation time; ``drum``: pitches are General MIDI percussion keys.
    """

    program: int = 0
    slope: float = 1.2
    attack_s: float = 0.005
    decay_s: float | None = None
    release_s: float = 0.08
    wobble_cents: float = 0.0
    wobble_hz: float = 0.6
    fm_index: float = 0.0
    vowel: bool = False
    breath: float = 0.0
    room_s: float = 0.0
    drum: bool = False


@lru_cache(maxsize=128)
def note(timbre: Timbre, pitch: int, hundredths: int, side: int = 0) -> Samples:
    """Return one note of ``hundredths`` of a second, plus its release and room; float32, peak 1.

    ``side`` 0 is mono; 1 and 2 are the left and right of a wide stereo pair, detuned by a few cents.
    """
    dry = _drum(timbre, pitch) if timbre.drum else _voice(timbre, pitch, hundredths / 100, side)
    if timbre.room_s:
        dry = _in_room(dry, timbre.room_s, side)
    peak = float(np.max(np.abs(dry), initial=1e-9))
    sound = (dry / peak).astype(np.float32)
    sound.flags.writeable = False
    return sound


def _voice(timbre: Timbre, pitch: int, seconds: float, side: int) -> NDArray[np.float64]:
    time = np.arange(round((seconds + timbre.release_s) * SAMPLE_RATE)) / SAMPLE_RATE
    cents = (0.0, -5.0, 5.0)[side]
    hertz = 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)
    phase = 2 * np.pi * hertz * time
    if timbre.wobble_cents:
        depth = hertz * (2 ** (timbre.wobble_cents / 1200) - 1) / timbre.wobble_hz
        phase += depth * np.sin(2 * np.pi * timbre.wobble_hz * time + pitch)
    if timbre.fm_index:
        phase += timbre.fm_index * np.exp(-time * 3.0) * np.sin(2.0 * phase)
    sound = _partials(phase, _amplitudes(timbre, pitch, hertz))
    if timbre.breath:
        sound += timbre.breath * np.max(np.abs(sound)) * generator("breath", pitch, side).uniform(-1, 1, time.size)
    return sound * _envelope(timbre, time, seconds)


def _amplitudes(timbre: Timbre, pitch: int, hertz: float) -> NDArray[np.float64]:
    number = np.arange(1, max(2, min(MAX_PARTIALS, int(TOP_HZ / hertz)) + 1), dtype=np.float64)
    amplitudes: NDArray[np.float64] = number ** -timbre.slope
    if timbre.vowel:
        centers = np.array(VOWELS[pitch % len(VOWELS)], np.float64)[:, None]
        strength = np.array([1.0, 0.6, 0.25])[:, None]
        amplitudes = amplitudes * (0.04 + (strength / (1 + ((number * hertz - centers) / 110.0) ** 2)).sum(0))
    return amplitudes


def _partials(phase: NDArray[np.float64], amplitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of a[k] sin(k phase) by the Chebyshev recurrence: two products per partial instead of a sine."""
    twice = 2 * np.cos(phase)
    before, current = np.zeros_like(phase), np.sin(phase)
    total = amplitudes[0] * current
    for amplitude in amplitudes[1:]:
        before, current = current, twice * current - before
        total += amplitude * current
    return total


def _envelope(timbre: Timbre, time: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
    rise = np.clip(time / max(timbre.attack_s, 1e-3), 0, 1)
    shape = np.sin(rise * np.pi / 2) ** 2
    if timbre.decay_s is not None:
        shape *= np.exp(-time / timbre.decay_s)
    return shape * np.clip((seconds + timbre.release_s - time) / max(timbre.release_s, 1e-3), 0, 1)


@lru_cache(maxsize=16)
def _impulse(room_s: float, side: int) -> NDArray[np.float64]:
    size = round(room_s * SAMPLE_RATE)
    tail = generator("room", side).standard_normal(size) * 10 ** (-3 * np.arange(size) / size)
    return tail / np.sqrt(np.sum(tail**2))


def _in_room(dry: NDArray[np.float64], room_s: float, side: int) -> NDArray[np.float64]:
    wet = np.asarray(fftconvolve(dry, _impulse(room_s, side)), np.float64)
    level = np.sqrt(np.mean(dry**2) / max(float(np.mean(wet[: dry.size] ** 2)), 1e-12))
    wet *= 0.6 * level
    wet[: dry.size] += dry
    return wet


KICK, SNARE, CLAP, CLOSED_HAT, OPEN_HAT, TOM, CRASH, RIDE, TAMBOURINE, SHAKER = 36, 38, 39, 42, 46, 45, 49, 51, 54, 70
_NOISE_DECAY = {SNARE: 0.09, CLAP: 0.06, CLOSED_HAT: 0.035, OPEN_HAT: 0.18, CRASH: 0.7, RIDE: 0.35, TAMBOURINE: 0.06,
                SHAKER: 0.05}
"""Decay constants in seconds of the drums that are mostly noise."""


def _drum(timbre: Timbre, key: int) -> NDArray[np.float64]:
    """Return a drum hit; ``timbre.slope`` over 1.2 dulls it, ``timbre.decay_s`` scales its length (1: unchanged)."""
    stretch = timbre.decay_s or 1.0
    decay = _NOISE_DECAY.get(key, 0.13) * stretch
    time = np.arange(round(min(decay * 7, 2.0) * SAMPLE_RATE)) / SAMPLE_RATE
    low, drop = {KICK: (48.0, 90.0), SNARE: (185.0, 40.0)}.get(key, (70.0 + 2 * (key % 12), 70.0))
    body = np.sin(2 * np.pi * (low * time - drop * 0.035 * np.exp(-time / 0.035))) * np.exp(-time / decay)
    if key not in _NOISE_DECAY:
        return body
    hiss = generator("drum", key).standard_normal(time.size)
    if key != SNARE:
        hiss = np.diff(hiss, n=2, prepend=(0.0, 0.0))
    if timbre.slope > 1.2:
        pole = min(0.9, (timbre.slope - 1.2) * 1.2)
        hiss = lfilter([1 - pole], [1, -pole], hiss)
    noise = hiss / np.max(np.abs(hiss)) * np.exp(-time / decay)
    return noise + (0.7 * body if key == SNARE else 0.0)
