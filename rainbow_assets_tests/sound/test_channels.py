"""Levels of channels against a plain calculation; block borders, gaps and huge samples do not matter."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.sound.channels import (
    CLIPPED_RUN,
    MEAN,
    ChannelMeter,
    WindowLevels,
    kept_channel,
    mono_channel,
    mono_name,
)
from rainbow_assets.sound.levels import FLOOR_DB
from rainbow_assets.sound.stems import UnreadableAudio, read_stem
from rainbow_assets_tests.counts import examples

Sound = npt.NDArray[np.float64]
SPANS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 300)), min_size=1, max_size=6).map(
    lambda pairs: [(first, first + length) for first, length in pairs])


def measured(sound: Sound, spans: list[tuple[int, int]], cuts: list[int] | None = None) -> tuple[WindowLevels, ...]:
    meter = ChannelMeter(sound.shape[1], spans)
    for block in np.split(sound, sorted(cuts or [])):
        meter.take(block)
    return meter.levels()


def made(seed: int, frames: int, channels: int, offset: float) -> Sound:
    """Noise with a constant part, and runs at full scale."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(offset, 10.0 ** rng.uniform(-5, -1), (frames, channels))
    for _ in range(rng.integers(0, 12)):
        start = int(rng.integers(0, frames))
        sound[start:start + int(rng.integers(1, 9)), rng.integers(0, channels)] = rng.choice([-1.0, 1.0])
    return sound


def plain(sound: Sound, first: int, last: int) -> tuple[float, float, int]:
    """Return the loudest RMS without constant part, the largest constant part, and the runs at full scale."""
    loudest, offset, runs = 0.0, 0.0, 0
    for values in sound.T.tolist():
        own = values[first:last]
        mean = math.fsum(own) / max(len(own), 1)
        loudest = max(loudest, math.fsum((value - mean) ** 2 for value in own) / max(last - first, 1))
        offset = max(offset, mean, key=abs)
        full = [abs(value) >= 1 - 2 ** -15 for value in values]
        runs += sum(1 for at in range(first, min(last, len(full)))
                    if all(full[at:at + CLIPPED_RUN]) and at + CLIPPED_RUN <= len(full) and not (at and full[at - 1]))
    return max(10 * math.log10(loudest), FLOOR_DB) if loudest > 0 else FLOOR_DB, offset, runs


@settings(max_examples=examples(200), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 500), st.integers(1, 3), st.sampled_from([0.0, 0.3, -0.9]), SPANS,
       st.lists(st.integers(0, 500), max_size=8))
def test_random_blocks_measure_as_one_and_as_a_plain_calculation(
    seed: int, frames: int, channels: int, offset: float, spans: list[tuple[int, int]], cuts: list[int]
) -> None:
    sound = made(seed, frames, channels, offset)
    whole = measured(sound, spans)
    blocks = measured(sound, spans, [min(cut, frames) for cut in cuts])
    for one, other, (first, last) in zip(whole, blocks, spans, strict=True):
        assert one.clipped_runs == other.clipped_runs and one.peak_db == other.peak_db
        assert [*other.rms_db, other.mean_rms_db, other.uncentered_db, other.offset] == pytest.approx(
            [*one.rms_db, one.mean_rms_db, one.uncentered_db, one.offset], abs=0.00101)
        rms, constant, runs = plain(sound, first, last)
        assert one.clipped_runs == runs
        assert one.loudest_db == pytest.approx(rms, abs=0.001)
        assert abs(one.offset) == pytest.approx(abs(constant), abs=1e-6)


def test_integers_and_floats_of_one_sound_have_the_same_levels(tmp_path: Path) -> None:
    sound = np.round(made(3, 5000, 2, 0.1).clip(-1, 1 - 2**-15) * 2**15) / 2**15
    found = []
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        sf.write(tmp_path / f"{subtype}.wav", sound, 44100, subtype=subtype)
        found.append(read_stem(tmp_path / f"{subtype}.wav", windows_ms=[(0, 50), (20, 200), (300, 400)]).levels)
        assert found[-1] == read_stem(tmp_path / f"{subtype}.wav", windows_ms=[(0, 50), (20, 200), (300, 400)]).levels
    assert found[0] == found[1] == found[2]
    assert found[0][2] == WindowLevels((FLOOR_DB, FLOOR_DB), FLOOR_DB, FLOOR_DB, FLOOR_DB, 0.0, 0)


def test_samples_after_the_end_count_as_silence() -> None:
    sound = np.tile([[0.5], [-0.5]], (50, 1)) + 0.25
    whole, half, after = measured(sound, [(0, 100), (0, 200), (150, 300)])
    assert (whole.loudest_db, half.loudest_db, after.loudest_db) == (-6.021, -9.031, FLOOR_DB)
    assert (whole.offset, half.offset, after.offset) == (0.25, 0.25, 0.0)
    assert half.peak_db == pytest.approx(20 * math.log10(0.75), abs=0.001)


def test_a_soft_sound_beside_a_large_constant_part_keeps_its_level() -> None:
    soft = 1e-5 * np.sin(np.arange(441_000) / 7)[:, None]
    alone, beside = (measured(sound, [(0, 441_000)])[0] for sound in (soft, soft + 0.9))
    assert alone.loudest_db == beside.loudest_db == pytest.approx(-103.01, abs=0.001)
    assert beside.uncentered_db == pytest.approx(-0.915, abs=0.001)


@pytest.mark.parametrize(("subtype", "top"), [("PCM_U8", 127 / 128), ("PCM_16", 32767 / 32768), ("FLOAT", 1.5)])
def test_runs_at_full_scale_count_where_they_begin(tmp_path: Path, subtype: str, top: float) -> None:
    sound = np.zeros(44100)
    for at, length in ((100, 2), (200, 3), (4409, 50), (10_000, 3)):
        sound[at:at + length] = top * (-1) ** at
    sf.write(tmp_path / "a.wav", sound, 44100, subtype=subtype)
    stem = read_stem(tmp_path / "a.wav", windows_ms=[(0, 100), (100, 200), (200, 1000)], block_frames=4411)
    assert [levels.clipped_runs for levels in stem.levels] == [2, 0, 1]


def test_samples_of_any_size_have_a_level() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (levels,) = measured(np.array([[1e308, -1e308], [-1e308, 1e308]] * 40), [(0, 80)])
    assert levels.loudest_db == levels.peak_db == 2000.0 and levels.mean_rms_db == FLOOR_DB


@pytest.mark.parametrize(("rms", "mean", "kept"), [
    ((-13.0, -13.0), FLOOR_DB, 0),
    ((-37.0, FLOOR_DB), -43.021, 0),
    ((FLOOR_DB, -37.0), -43.021, 1),
    ((-20.0, FLOOR_DB), -26.021, None),
    ((-20.0, -19.0), -31.0, None),
    ((-20.0, -19.0), -31.001, 1),
    ((-40.001, -50.0), FLOOR_DB, None),
    ((-40.0, -50.0), -40.001, 0),
    ((-13.0,), -13.0, None),
    ((FLOOR_DB,) * 5 + (-20.0,), -35.563, 5),
])
def test_what_is_kept_of_the_channels(rms: tuple[float, ...], mean: float, kept: int | None) -> None:
    assert kept_channel(WindowLevels(rms, mean, 0.0, 0.0, 0.0, 0), -40.0) == kept


@pytest.mark.parametrize(("channel", "channels", "name"), [
    (None, 2, MEAN), (None, 1, "channel 1"), (0, 2, "channel 1"), (5, 6, "channel 6")])
def test_the_name_of_a_choice_reads_the_same_samples(
    tmp_path: Path, channel: int | None, channels: int, name: str
) -> None:
    assert mono_name(channel, channels) == name
    sf.write(tmp_path / "a.wav", made(1, 500, channels, 0.0), 44100, subtype="FLOAT")
    chosen, named = (read_stem(tmp_path / "a.wav", 48000, channel=one) for one in (channel, mono_channel(name)))
    assert np.array_equal(chosen.samples, named.samples) and chosen.mono == named.mono == name


@pytest.mark.parametrize(("subtype", "bits", "steps"), [("PCM_16", 16, 0), ("PCM_24", 24, 0), ("FLOAT", 24, 0.5)])
def test_one_channel_is_read_exactly(tmp_path: Path, subtype: str, bits: int, steps: float) -> None:
    sound = made(2, 4000, 3, 0.0).clip(-0.9, 0.9)
    sf.write(tmp_path / "a.wav", sound, 44100, subtype=subtype)
    stem = read_stem(tmp_path / "a.wav", channel=1, block_frames=999)
    wanted = sf.read(tmp_path / "a.wav", dtype="float64")[0][:, 1] * 2 ** (bits - 1)
    assert stem.bits == bits and np.abs(stem.samples - wanted).max() <= steps


def test_a_channel_that_a_file_lacks_is_a_sentence(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", made(2, 400, 2, 0.0), 44100)
    with pytest.raises(UnreadableAudio, match=r"a\.wav has no channel 3, only 2; export it again"):
        read_stem(tmp_path / "a.wav", channel=2)


def test_samples_that_are_no_numbers_are_counted_and_placed(tmp_path: Path) -> None:
    sound = np.zeros((88_200, 2))
    sound[55_125, 1], sound[60_000:60_004, 0], sound[80_000, 1] = np.nan, np.nan, np.inf
    sf.write(tmp_path / "a.wav", sound, 44100, subtype="FLOAT")
    for size in (1000, 1 << 18):
        with pytest.raises(UnreadableAudio) as caught:
            read_stem(tmp_path / "a.wav", block_frames=size)
        assert str(caught.value) == ("a.wav holds NaN (5) or infinite samples (1), the first in channel 2 at 1.250 s; "
                                     "export it again")
