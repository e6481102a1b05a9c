"""Levels against a plain calculation, digests of sound, and windows that join."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.sound.levels import FLOOR_DB, peak_db, rms_db, span_frames, window_digest, window_levels
from rainbow_assets_tests.counts import examples


def stem(seed: int, bits: int, frames: int) -> np.ndarray:
    top = 1 << (bits - 1)
    return np.random.default_rng(seed).integers(-top, top, frames).astype(np.int32)


def naive_db(samples: np.ndarray, bits: int) -> float:
    values = [int(one) / (1 << (bits - 1)) for one in samples]
    constant = math.fsum(values) / len(values)
    mean = math.fsum((value - constant) ** 2 for value in values) / len(values)
    return max(10 * math.log10(mean), FLOOR_DB) if mean > 0 else FLOOR_DB


@settings(max_examples=examples(100), deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([16, 24]), st.lists(
    st.tuples(st.integers(0, 2000), st.integers(1, 900)), min_size=1, max_size=8), st.integers(0, 14))
def test_levels_equal_the_plain_calculation(
    seed: int, bits: int, cuts: list[tuple[int, int]], softer: int
) -> None:
    samples = stem(seed, bits, 3000) >> softer
    spans = [(first, first + length) for first, length in cuts]
    rms, peak = window_levels(samples, bits, spans)
    for number, (first, last) in enumerate(spans):
        window = samples[first:last]
        assert rms[number] == pytest.approx(naive_db(window, bits), abs=1e-9)
        assert rms[number] == rms_db(window, bits)
        assert peak[number] == peak_db(window, bits)


@pytest.mark.parametrize("bits", [16, 24])
def test_known_levels(bits: int) -> None:
    top = 1 << (bits - 1)
    square = np.tile(np.array([-top, top - 1], dtype=np.int32), 100_000)
    assert rms_db(square, bits) == pytest.approx(0.0, abs=1e-3)
    assert peak_db(square, bits) == 0.0
    sine = np.round(top / 100 * np.sin(np.arange(44100) * 2 * np.pi * 441 / 44100)).astype(np.int32)
    assert rms_db(sine, bits) == pytest.approx(-40 - 10 * math.log10(2), abs=0.01)
    assert rms_db(np.zeros(10, np.int32), bits) == FLOOR_DB
    assert rms_db(np.zeros(0, np.int32), bits) == FLOOR_DB


def test_full_scale_of_a_long_window_does_not_overflow() -> None:
    long = np.tile(np.array([-(1 << 23), (1 << 23) - 1], dtype=np.int32), 22050 * 30)
    assert rms_db(long, 24) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("bits", [16, 24])
def test_a_constant_part_is_no_sound(bits: int) -> None:
    top = 1 << (bits - 1)
    assert rms_db(np.full(44100, top // 2, np.int32), bits) == FLOOR_DB
    soft = np.tile(np.array([-top // 512, top // 512], np.int32), 22050)
    assert rms_db(soft + top // 2, bits) == rms_db(soft, bits) == pytest.approx(20 * math.log10(1 / 512))


def test_the_missing_end_of_a_stem_counts_as_silence() -> None:
    loud = np.tile(np.array([1 << 14, -(1 << 14)], dtype=np.int32), 50)
    rms, peak = window_levels(loud, 16, [(0, 200), (150, 200), (0, 100)])
    assert rms.tolist() == pytest.approx([rms_db(loud, 16) - 10 * math.log10(2), FLOOR_DB, rms_db(loud, 16)])
    assert peak.tolist() == pytest.approx([peak_db(loud, 16), FLOOR_DB, peak_db(loud, 16)])


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bits per sample"):
        rms_db(np.zeros(3, np.int32), 32)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.integers(0, 10**8), min_size=3, max_size=6), st.sampled_from([8000, 11025, 44100, 48000, 96000]))
def test_neighbors_join_and_no_end_is_off_by_more_than_half_a_sample(times: list[int], rate: int) -> None:
    times.sort()
    spans = [span_frames(a, b, rate) for a, b in pairwise(times)]
    assert all(one[1] == following[0] for one, following in pairwise(spans))
    assert all(abs(first - at * rate / 1000) <= 0.5 for (first, _), at in zip(spans, times, strict=False))


def test_the_digest_is_of_the_sound() -> None:
    samples = stem(1, 16, 1000)
    told = window_digest(samples, 16, 44100)
    assert told == window_digest(samples.astype(">i4").astype(np.int32)[::1].copy(), 16, 44100)
    assert told == window_digest(np.repeat(samples, 2)[::2], 16, 44100)
    others = {window_digest(samples, 24, 44100), window_digest(samples, 16, 48000),
              window_digest(samples[1:], 16, 44100), window_digest(samples + 1, 16, 44100)}
    assert told not in others and len(others) == 4
