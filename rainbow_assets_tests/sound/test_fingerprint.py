"""Another export of a sound keeps its print; another sound has another one."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
import soxr
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.release.consistency import ALIKE, FEWEST
from rainbow_assets.sound.fingerprint import alike, sound_print

RATE, SECONDS, WINDOW = 44100, 40, 20
Signal = npt.NDArray[np.float64]


def playing(seed: int) -> Signal:
    """Return notes at times of their own, as someone plays them, each with its loudness and decay."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(SECONDS * RATE)
    start = 0.0
    while start < SECONDS - 3:
        time = np.arange(int(rng.uniform(0.3, 2) * RATE)) / RATE
        note = np.sin(2 * np.pi * rng.uniform(80, 900) * time) * np.exp(-time * rng.uniform(2, 12)) * rng.uniform(0.1, 0.4)
        first = int(start * RATE)
        sound[first:first + len(note)] += note
        start += rng.choice([0.15, 0.2, 0.3, 0.45, 0.6, 0.9])
    return sound / np.abs(sound).max() * 0.8


def printed(sound: Signal) -> set[int]:
    """Return what the prints of all windows of a sound have, as two songs are compared."""
    samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int32)
    size = WINDOW * RATE
    return {value for first in range(0, len(samples), size) for value in sound_print(samples[first:first + size], RATE)}


def written(sound: Signal, kind: str) -> Signal:
    """Return what a lossy format makes of a sound."""
    file = io.BytesIO()
    sf.write(file, sound, RATE, format=kind)
    return sf.read(io.BytesIO(file.getvalue()))[0]


EXPORTS: dict[str, Callable[[Signal], Signal]] = {
    "softer": lambda sound: sound * 0.1,
    "other rate": lambda sound: soxr.resample(soxr.resample(sound, RATE, 48000), 48000, RATE),
    "8 bits": lambda sound: np.round(sound * 127) / 127,
    "MP3": lambda sound: written(sound, "MP3"),
    "Vorbis": lambda sound: written(sound, "OGG"),
    "other polarity": lambda sound: -sound,
    "constant part": lambda sound: sound * 0.8 + 0.1,
    "hiss": lambda sound: sound + np.random.default_rng(0).normal(0, 0.001, len(sound)),
    "7 ms later": lambda sound: np.concatenate([np.zeros(int(0.007 * RATE)), sound]),
    "half a second later": lambda sound: np.concatenate([np.zeros(RATE // 2), sound]),
    "without its start": lambda sound: sound[int(0.31 * RATE):],
}


@pytest.mark.parametrize("name", EXPORTS)
def test_another_export_has_nearly_the_same_print(name: str):
    sound = playing(1)
    own, other = printed(sound), printed(EXPORTS[name](sound))
    assert min(len(own), len(other)) >= FEWEST and alike(own, other) >= ALIKE + 0.05


def test_other_sounds_have_other_prints():
    prints = [printed(playing(seed)) for seed in range(8)]
    shares = [alike(one, other) for number, one in enumerate(prints) for other in prints[:number]]
    assert min(map(len, prints)) >= FEWEST and max(shares) < 0.05


@given(st.integers(0, 300_000), st.integers(-2 ** 23, 2 ** 23 - 1), st.sampled_from([8000, 44100, 96000]))
def test_a_sound_whose_level_stays_has_no_print(frames: int, value: int, rate: int):
    assert sound_print(np.full(frames, value, np.int32), rate) == []


def test_the_print_of_a_sound_is_the_same_on_every_machine():
    rng = np.random.default_rng(0)
    loudness = np.repeat(rng.integers(0, 20_000, 80), RATE // 8)
    found = sound_print((loudness * (np.arange(len(loudness)) % 100 - 50)).astype(np.int32), RATE)
    assert (len(found), found[:3]) == (32, [8976956, 9407428, 18205817])
