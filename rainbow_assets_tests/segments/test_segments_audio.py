"""The sound of a window, from the file to the row and its FLAC: channels, constant parts, spikes, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import soundfile as sf

from rainbow_assets.embeddings.encoders import as_flac
from rainbow_assets.segments import table
from rainbow_assets.segments.segment_media import encode
from rainbow_assets.segments.segments import measure
from rainbow_assets.segments.slicing import REASONS, Slice, SlicePlan
from rainbow_assets.segments.song_rows import SongRows, StemSource
from rainbow_assets.settings import Rules
from rainbow_assets.sound.flac import decode_flac
from rainbow_assets.sound.levels import rms_db
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets_tests.segments.midi_files import midi, off, on, tempo

RULES = Rules()
RATES = pytest.mark.parametrize("rate", [44100, 48000])
Sound = npt.NDArray[np.float64]


def tone(seconds: float, db: float, rate: int = 44100, hz: float = 220.0) -> Sound:
    """Return a sine with an RMS level of ``db``."""
    at = np.arange(round(seconds * rate)) / rate
    return 10 ** (db / 20) * 2**0.5 * np.sin(2 * np.pi * hz * at)


def silence(seconds: float, rate: int = 44100) -> Sound:
    return np.zeros(round(seconds * rate))


def stereo(left: Sound, right: Sound) -> Sound:
    return np.stack([left, right], axis=1)


class Cut:
    """A stem of one file, cut into slices of 2 s: rows by start, reasons by start, and the sounds that are stored."""

    def __init__(self, root: Path, sound: Sound, rate: int = 44100, subtype: str = "PCM_24", name: str = "stem.wav",
                 notes: bool = False, seconds: float | None = None) -> None:
        folder = root / "05_18"
        folder.mkdir(exist_ok=True)
        sf.write(folder / name, sound, rate, subtype=subtype)
        played = midi([(0, tempo(120)), (0, on(60)), (480 * 200, off(60))])
        (folder / "stem.mid").write_bytes(played)
        end_ms = round(1000 * (seconds or len(sound) / rate))
        slices = [Slice(start, start + 2000, start, start + 2000, "structure", "", None, None)
                  for start in range(0, end_ms, 2000)]
        source = StemSource(1, "Pad", None, None, name, sha256_bytes((folder / name).read_bytes()),
                            "stem.mid" if notes else None, sha256_bytes(played) if notes else None)
        song = SongRows("05_18", "Green", 120, end_ms, (source,), SlicePlan(tuple(slices), (), 100.0))
        rows, lost = measure(root, song, source, slices, RULES)
        dropped = {key: reason for key, (reason, _) in lost.items()}
        made = pa.Table.from_pylist(rows, schema=table.SCHEMA).to_pylist()
        self.rows: dict[int, dict[str, Any]] = {row["start_ms"]: row for row in made}
        self.reasons = {int(key.rsplit("_", 1)[1]): reason for key, reason in dropped.items()}
        assert set(self.reasons.values()) <= set(REASONS)
        with ThreadPoolExecutor(2) as pool:
            media = encode(root, RULES, made, pool).to_pylist() if made else []
        self.sounds = {row["start_ms"]: decode_flac(one["audio"]["bytes"])
                       for row, one in zip(made, media, strict=True) if one["audio"]}
        assert sorted(self.sounds) == [start for start, row in self.rows.items() if row["has_audio"]]
        for start, (samples, bits, _) in self.sounds.items():
            assert rms_db(samples, bits) == pytest.approx(self.rows[start]["rms_db"], abs=0.001)

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows.values()]


@RATES
@pytest.mark.parametrize(("subtype", "bits"), [("PCM_16", 16), ("PCM_24", 24), ("FLOAT", 24)])
def test_opposed_channels_sound(tmp_path: Path, rate: int, subtype: str, bits: int) -> None:
    wide = tone(4, -13, rate)
    cut = Cut(tmp_path, stereo(wide, -wide), rate, subtype)
    assert not cut.reasons and cut.column("mono") == ["channel 1"] * 2
    assert cut.column("source_rms_db") == pytest.approx([-13, -13], abs=0.01)
    assert cut.column("rms_db") == pytest.approx([-13, -13], abs=0.01)
    assert cut.column("bits") == [bits if rate == 44100 else 24] * 2
    assert cut.column("source_channels") == [2, 2] and cut.column("audio_problem") == [None, None]


def test_one_channel_of_16_bits_is_kept_bit_for_bit(tmp_path: Path) -> None:
    wide = np.round(tone(2, -13) * 2**15) / 2**15
    cut = Cut(tmp_path, stereo(wide, -wide), subtype="PCM_16")
    assert np.array_equal(cut.sounds[0][0], (wide * 2**15).astype(np.int32))


@RATES
@pytest.mark.parametrize("side", [0, 1])
def test_a_soft_sound_on_one_side_is_not_halved_away(tmp_path: Path, rate: int, side: int) -> None:
    pair = [tone(2, -37, rate), silence(2, rate)]
    cut = Cut(tmp_path, stereo(pair[side], pair[1 - side]), rate)
    assert not cut.reasons and cut.column("mono") == [f"channel {side + 1}"]
    assert cut.column("rms_db") == pytest.approx([-37], abs=0.01)


@RATES
def test_an_ordinary_stem_is_its_mean_whatever_one_window_needs(tmp_path: Path, rate: int) -> None:
    one, two = tone(6, -20, rate), tone(6, -23, rate, 331)
    right = one * 0.5 + two
    right[2 * rate:4 * rate] = -one[2 * rate:4 * rate]
    cut = Cut(tmp_path, stereo(one, right), rate)
    assert cut.column("mono") == ["mean", "channel 1", "mean"] and not cut.reasons
    alone = Cut(tmp_path, stereo(one, one * 0.5 + two), rate, name="alone.wav")
    if rate == 44100:
        assert [alone.rows[at]["audio_digest"] for at in (0, 4000)] == [cut.rows[at]["audio_digest"] for at in (0, 4000)]


def test_a_mean_that_is_one_sided_but_loud_stays_a_mean(tmp_path: Path) -> None:
    cut = Cut(tmp_path, stereo(tone(2, -20), silence(2)))
    assert cut.column("mono") == ["mean"] and cut.column("rms_db") == pytest.approx([-26.02], abs=0.01)
    assert cut.column("source_rms_db") == pytest.approx([-20], abs=0.01)


@RATES
@pytest.mark.parametrize("name", ["stem.wav", "stem.flac"])
def test_one_of_six_channels_sounds(tmp_path: Path, rate: int, name: str) -> None:
    sound = np.zeros((2 * rate, 6))
    sound[:, 4] = tone(2, -20, rate)
    cut = Cut(tmp_path, sound, rate, name=name)
    assert cut.column("mono") == ["channel 5"] and cut.column("rms_db") == pytest.approx([-20], abs=0.01)


def test_mono_is_its_channel(tmp_path: Path) -> None:
    cut = Cut(tmp_path, tone(2, -20), subtype="PCM_16")
    assert cut.column("mono") == ["channel 1"] and cut.column("rms_db") == cut.column("source_rms_db")


@RATES
@pytest.mark.parametrize("channels", [1, 2])
def test_a_constant_part_is_no_sound(tmp_path: Path, rate: int, channels: int) -> None:
    cut = Cut(tmp_path, np.full((4 * rate, channels), 0.25), rate)
    assert not cut.rows and cut.reasons == {0: "offset", 2000: "offset"}
    noted = Cut(tmp_path, np.full((4 * rate, channels), -0.25), rate, notes=True)
    assert noted.column("content_type") == ["midi_only"] * 2 and noted.column("audio_problem") == ["offset"] * 2
    assert noted.column("source_offset") == [-0.25, -0.25] and noted.column("mono") == [None, None]


@RATES
def test_a_soft_sound_beside_a_constant_part_stays_and_silence_beside_a_small_one_is_silent(
    tmp_path: Path, rate: int
) -> None:
    sound = np.concatenate([tone(2, -35, rate) + 0.5, silence(2, rate) + 0.005])
    cut = Cut(tmp_path, sound, rate)
    assert list(cut.rows) == [0] and cut.reasons == {2000: "silent"}
    assert cut.column("rms_db") == pytest.approx([-35], abs=0.01) and cut.column("source_offset") == [0.5]


@RATES
@pytest.mark.parametrize("channels", [1, 2])
def test_one_spike_buries_the_other_windows_and_they_are_named(tmp_path: Path, rate: int, channels: int) -> None:
    sound = np.repeat(np.concatenate([tone(4, -20, rate), silence(2, rate)])[:, None], channels, axis=1)
    sound[rate] = 100.0
    cut = Cut(tmp_path, sound, rate, "FLOAT")
    assert not cut.rows and cut.reasons == {0: "buried", 2000: "buried", 4000: "silent"}
    noted = Cut(tmp_path, sound, rate, "FLOAT", notes=True)
    assert noted.rows[2000]["content_type"] == "midi_only" and noted.rows[2000]["audio_problem"] == "buried"
    assert noted.rows[2000]["source_rms_db"] == pytest.approx(-20, abs=0.01)
    assert noted.rows[2000]["rms_db"] == pytest.approx(-60, abs=1.2)  # 48 kHz: resampling lowers the spike
    assert noted.rows[0]["source_peak_db"] == 40.0 and noted.rows[4000]["audio_problem"] is None


def test_a_small_gain_buries_nothing(tmp_path: Path) -> None:
    sound = tone(4, -20)
    sound[100] = 2.0
    cut = Cut(tmp_path, sound, subtype="FLOAT")
    assert not cut.reasons and cut.column("gain_db") == pytest.approx([-6.0206] * 2, abs=0.001)
    assert cut.rows[2000]["rms_db"] == pytest.approx(-26.02, abs=0.01)


def test_tones_that_the_stored_rate_cannot_hold_are_silent(tmp_path: Path) -> None:
    cut = Cut(tmp_path, tone(4, -20, 96000, 40_000), 96000)
    assert not cut.rows and set(cut.reasons.values()) == {"silent"}


def test_a_recording_that_is_clipped_is_reported_in_its_row(tmp_path: Path) -> None:
    sound = np.clip(tone(4, 3, hz=100), -1, 1 - 2**-15)
    sound[:88_200] *= 0.5
    cut = Cut(tmp_path, sound, subtype="PCM_16")
    assert cut.column("clipped_runs") == [0, 400] and cut.column("source_peak_db") == pytest.approx([-6.02, 0], abs=0.01)


def test_windows_over_and_after_the_end_of_the_file(tmp_path: Path) -> None:
    cut = Cut(tmp_path, stereo(tone(3, -20), -tone(3, -20)), seconds=6)
    assert cut.reasons == {4000: "past_end"} and cut.column("audio_padding_ms") == [0, 1000]
    assert cut.column("source_rms_db") == pytest.approx([-20, -23.01], abs=0.01) == cut.column("rms_db")


def test_rows_are_the_same_twice(tmp_path: Path) -> None:
    sound = np.random.default_rng(5).normal(0.01, 0.1, (96000, 3))
    assert Cut(tmp_path, sound, 48000, "FLOAT").rows == Cut(tmp_path, sound, 48000, "FLOAT").rows


def test_a_file_that_is_scored_is_heard_as_in_segments(tmp_path: Path) -> None:
    sf.write(tmp_path / "wide.wav", stereo(tone(2, -13), -tone(2, -13)), 44100, subtype="PCM_24")
    samples, bits, _ = decode_flac(as_flac(tmp_path / "wide.wav"))
    assert len(samples) == 88_200 and rms_db(samples, bits) == pytest.approx(-13, abs=0.01)
