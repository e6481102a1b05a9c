"""Audio: exact where the source allows it, within one step elsewhere, and typed where it is no audio."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.sound.stems import FULL_24, Stem, UnreadableAudio, probe, read_stem
from rainbow_assets_tests.counts import examples

RATE = 44100


def save(path: Path, samples: npt.NDArray[np.generic], subtype: str, rate: int = RATE) -> Path:
    sf.write(path, samples, rate, subtype=subtype, format="FLAC" if path.suffix == ".flac" else "WAV")
    return path


def noise(shape: tuple[int, ...], low: int, high: int, seed: int = 1) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(low, high, shape)


def test_mono_16_bit_is_bit_exact(tmp_path: Path) -> None:
    samples = noise((5000,), -32768, 32768).astype(np.int16)
    samples[:2] = -32768, 32767
    stem = read_stem(save(tmp_path / "a.wav", samples, "PCM_16"), block_frames=999)
    assert (stem.bits, stem.channels, stem.sample_rate, stem.source_rate) == (16, 1, RATE, RATE)
    assert (stem.gain_db, stem.resampled, stem.samples.dtype, stem.samples.ndim) == (0.0, False, np.int32, 1)
    assert np.array_equal(stem.samples, samples)


def test_stereo_16_bit_is_the_exact_mean_in_24_bits(tmp_path: Path) -> None:
    samples = noise((5000, 2), -32768, 32768).astype(np.int16)
    samples[:2] = [[-32768, -32768], [32767, 32767]]
    stem = read_stem(save(tmp_path / "a.wav", samples, "PCM_16"), block_frames=777)
    assert stem.bits == 24 and np.array_equal(stem.samples, samples.astype(np.int64).sum(axis=1) * 128)


def test_mono_24_bit_is_bit_exact(tmp_path: Path) -> None:
    samples = noise((5000,), -FULL_24, FULL_24)
    stem = read_stem(save(tmp_path / "a.wav", (samples << 8).astype(np.int32), "PCM_24"))
    assert stem.bits == 24 and np.array_equal(stem.samples, samples)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_stereo_24_bit_is_the_mean_within_half_a_step(suffix: str, tmp_path: Path) -> None:
    samples = noise((5000, 2), -FULL_24, FULL_24)
    stem = read_stem(save(tmp_path / f"a{suffix}", (samples << 8).astype(np.int32), "PCM_24"))
    assert stem.bits == 24 and np.abs(stem.samples - samples.mean(axis=1)).max() <= 0.5


@pytest.mark.parametrize(("subtype", "channels"), [("PCM_32", 1), ("PCM_32", 2), ("FLOAT", 1), ("FLOAT", 2), ("DOUBLE", 3)])
def test_more_than_24_bits_are_rounded_to_one_step(subtype: str, channels: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, (5000, channels))
    samples[:2] = [[-1.0] * channels, [1.0] * channels]
    path = save(tmp_path / "a.wav", samples, subtype)
    stem = read_stem(path)
    wanted = sf.read(path, dtype="float64", always_2d=True)[0].mean(axis=1) * FULL_24
    assert stem.bits == 24 and stem.gain_db == 0.0
    assert np.abs(stem.samples - wanted).max() <= 1.0 and stem.samples.max() == FULL_24 - 1


def test_three_channels_and_eight_bits(tmp_path: Path) -> None:
    samples = noise((600, 3), -32768, 32768).astype(np.int16)
    stem = read_stem(save(tmp_path / "a.wav", samples, "PCM_16"))
    assert np.abs(stem.samples - samples.astype(float).mean(axis=1) * 256).max() <= 0.5
    eight = noise((600,), -128, 128)
    stem = read_stem(save(tmp_path / "b.wav", (eight << 8).astype(np.int16), "PCM_U8"))
    assert stem.bits == 16 and np.array_equal(stem.samples, eight << 8)


def test_a_peak_above_full_scale_lowers_the_whole_stem(tmp_path: Path) -> None:
    samples = np.linspace(-2.0, 2.0, 4001)
    stem = read_stem(save(tmp_path / "a.wav", samples, "FLOAT"))
    assert stem.gain_db == pytest.approx(-6.0206, abs=1e-3)
    assert np.abs(stem.samples).max() == FULL_24 - 1
    assert np.abs(stem.samples - samples * 10 ** (stem.gain_db / 20) * FULL_24).max() <= 1.0


def test_other_rates_are_resampled_and_flagged(tmp_path: Path) -> None:
    seconds = np.arange(48000) / 48000
    path = save(tmp_path / "a.wav", np.round(20000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16), "PCM_16", 48000)
    stem = read_stem(path, block_frames=5000)
    assert (stem.resampled, stem.source_rate, stem.sample_rate, stem.bits) == (True, 48000, RATE, 24)
    assert abs(len(stem.samples) - RATE) <= 1
    middle = slice(2000, 40000)
    wanted = 20000 * 256 * np.sin(2 * np.pi * 440 * np.arange(len(stem.samples)) / RATE)
    assert np.abs(stem.samples - wanted)[middle].max() < 200  # -92 dB
    assert np.array_equal(stem.samples, read_stem(path, block_frames=5000).samples)
    assert np.abs(stem.samples - read_stem(path, block_frames=1 << 18).samples).max() <= 1


def test_probe(tmp_path: Path) -> None:
    info = probe(save(tmp_path / "a.wav", np.zeros((1234, 2), np.int16), "PCM_24", 48000))
    assert (info.frames, info.sample_rate, info.channels, info.subtype) == (1234, 48000, 2, "PCM_24")
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.wav")
    with pytest.raises(FileNotFoundError):
        read_stem(tmp_path / "none.wav")


@settings(max_examples=examples(60), deadline=None)
@given(st.integers(1, 3), st.integers(1, 400), st.integers(1, 97), st.sampled_from(["PCM_16", "PCM_24"]))
def test_blocks_do_not_matter(tmp_path_factory: pytest.TempPathFactory, channels: int, frames: int, block: int,
                              subtype: str) -> None:
    path = tmp_path_factory.mktemp("stem") / "a.wav"
    save(path, (noise((frames, channels), -FULL_24, FULL_24) << 8).astype(np.int32), subtype)
    one, other = read_stem(path, block_frames=block), read_stem(path)
    assert np.array_equal(one.samples, other.samples) and len(one.samples) == frames


def wav(data: bytes, *, fmt: int = 1, channels: int = 1, bits: int = 16, rate: int = RATE, promised: int | None = None,
        riff: int | None = None) -> bytes:
    """A WAV by hand, with whatever header."""
    align = max(1, channels * bits // 8)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, fmt, channels, rate, (rate * align) & 0xFFFFFFFF, align, bits)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data) if promised is None else promised) + data
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def encoded(samples: npt.NDArray[np.generic], subtype: str, kind: str = "WAV") -> bytes:
    stream = io.BytesIO()
    sf.write(stream, samples, RATE, subtype=subtype, format=kind)
    return stream.getvalue()


SOUND = noise((2000,), -9999, 9999).astype(np.int16)
RAW = SOUND.tobytes()
MALFORMED: dict[str, bytes] = {
    "empty file": b"",
    "four bytes": b"RIFF",
    "a header and nothing else": wav(RAW)[:12],
    "cut in the format": wav(RAW)[:30],
    "no data chunk": wav(RAW)[:36],
    "data chunk cut after its name": wav(RAW)[:40],
    "half of the data": wav(RAW)[:2000],
    "one byte short": wav(RAW)[:-1],
    "promises a gigabyte": wav(RAW, promised=1 << 30, riff=(1 << 30) + 36),
    "promises three gigabytes": wav(RAW, promised=0xC0000000),
    "no samples": wav(b""),
    "text": b"this is not audio at all, it is a sentence that somebody saved under a wrong name",
    "zeros": bytes(4096),
    "random bytes": noise((4096,), 0, 256).astype(np.uint8).tobytes(),
    "MIDI": b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x01\xe0MTrk\x00\x00\x00\x04\x00\xff\x2f\x00",
    "an MP3 tag": b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(64),
    "RIFF of something else": b"RIFF\x10\x00\x00\x00AVI LIST\x00\x00\x00\x00",
    "no channels": wav(RAW, channels=0),
    "no rate": wav(RAW, rate=0),
    "unknown encoding": wav(RAW, fmt=0x7777),
    "NaN": encoded(np.array([0.1, np.nan, 0.2]), "FLOAT"),
    "infinite": encoded(np.array([[0.1, np.inf], [0.2, -np.inf]]), "FLOAT"),
    "NaN in 64 bits": encoded(np.array([0.1, np.nan]), "DOUBLE"),
    "FLAC cut in the middle": encoded(noise((90000,), -32768, 32768).astype(np.int16), "PCM_16", "FLAC")[:60000],
    "FLAC magic only": b"fLaC",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_audio_is_a_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / "stem.wav"
    path.write_bytes(MALFORMED[name])
    with warnings.catch_warnings(), pytest.raises(UnreadableAudio) as caught:
        warnings.simplefilter("error")
        read_stem(path)
    said = str(caught.value)
    assert said.startswith("stem.wav") and "export it again" in said and str(tmp_path) not in said


def test_a_folder_is_no_audio(tmp_path: Path) -> None:
    (tmp_path / "stem.wav").mkdir()
    with pytest.raises(UnreadableAudio):
        read_stem(tmp_path / "stem.wav")


def test_chunks_around_the_data_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    body = wav(RAW)
    extra = struct.pack("<4sI", b"LIST", 5) + b"hello\0"
    path.write_bytes(body[:4] + struct.pack("<I", len(body) - 8 + 2 * len(extra)) + body[8:36] + extra + body[36:] + extra)
    assert np.array_equal(read_stem(path).samples, SOUND)


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_any_damage_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([wav(RAW), encoded(SOUND, "PCM_16", "FLAC"), encoded(SOUND / 32768, "FLOAT")])))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, min(80, len(content) - 1)))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("stem") / "a.wav"
    path.write_bytes(content[:data.draw(st.integers(0, len(content)))])
    try:
        stem = read_stem(path)
    except UnreadableAudio as error:
        assert str(error)
    else:
        assert isinstance(stem, Stem) and stem.bits in (16, 24) and len(stem.samples)
        assert np.abs(stem.samples).max(initial=0) <= 1 << (stem.bits - 1)
