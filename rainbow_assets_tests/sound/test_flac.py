"""FLAC gives back every sample, in any thread, and says so where it does not."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.sound import flac
from rainbow_assets.sound.flac import FlacMismatch, decode_flac, encode_checked, encode_flac
from rainbow_assets_tests.counts import examples


@st.composite
def stems(draw: st.DrawFn) -> tuple[np.ndarray, int, int]:
    """Noise, steps between the extremes, silence or few samples, at 16 or 24 bits."""
    bits = draw(st.sampled_from([16, 24]))
    top = 1 << (bits - 1)
    frames = draw(st.integers(1, 6000))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["noise", "extremes", "silence", "quiet", "few"]))
    samples = {
        "noise": lambda: random.integers(-top, top, frames),
        "extremes": lambda: random.choice([-top, top - 1, 0, -1, 1], frames),
        "silence": lambda: np.zeros(frames),
        "quiet": lambda: random.integers(-3, 4, frames),
        "few": lambda: np.array(draw(st.lists(st.integers(-top, top - 1), min_size=1, max_size=20))),
    }[kind]().astype(np.int32)
    return samples, bits, draw(st.sampled_from([8000, 44100, 48000, 96000]))


@settings(max_examples=examples(200), deadline=None)
@given(stems())
def test_every_sample_comes_back(stem: tuple[np.ndarray, int, int]) -> None:
    samples, bits, rate = stem
    data = encode_checked(samples, bits, rate)
    back, back_bits, back_rate = decode_flac(data)
    assert back.dtype == np.int32 and (back_bits, back_rate) == (bits, rate)
    np.testing.assert_array_equal(back, samples)
    assert encode_flac(samples, bits, rate) == data, "equal samples give equal bytes"


def test_threads_share_the_encoder() -> None:
    random = np.random.default_rng(7)
    stems = [random.integers(-(1 << 15), 1 << 15, 20_000).astype(np.int32) for _ in range(16)]
    alone = [encode_checked(one, 16, 44100) for one in stems]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: encode_checked(one, 16, 44100), stems)) == alone


def test_a_sample_wider_than_its_bits_is_found() -> None:
    samples = np.array([0, 1, 40_000, 2], dtype=np.int32)
    with pytest.raises(FlacMismatch, match=r"1 samples differ.*first at 2: 40000 became -25536.*16 bits"):
        encode_checked(samples, 16, 44100)


def test_an_encoder_that_loses_samples_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encode_flac(np.arange(100, dtype=np.int32), 16, 44100)
    monkeypatch.setattr(flac, "encode_flac", lambda *_: whole)
    with pytest.raises(FlacMismatch, match="wrote 90 samples of 16 bits at 44100 Hz, read back 100"):
        encode_checked(np.arange(90, dtype=np.int32), 16, 44100)


@pytest.mark.parametrize(("frames", "bits", "rate", "said"), [
    (0, 16, 44100, "without samples"), (5, 32, 44100, "not 32"), (5, 16, 700_000, "cannot be written"),
])
def test_what_flac_cannot_hold_is_refused(frames: int, bits: int, rate: int, said: str) -> None:
    with pytest.raises(FlacMismatch, match=said):
        encode_flac(np.zeros(frames, np.int32), bits, rate)


def test_broken_and_foreign_data_is_refused() -> None:
    import io

    import soundfile

    good = encode_flac(np.arange(5000, dtype=np.int32), 16, 44100)
    stereo, wav = io.BytesIO(), io.BytesIO()
    soundfile.write(stereo, np.zeros((50, 2), np.int16), 44100, format="FLAC", subtype="PCM_16")
    soundfile.write(wav, np.zeros(50, np.int16), 44100, format="WAV", subtype="PCM_16")
    for data in (b"", b"fLaC", b"nothing at all", good[:40], stereo.getvalue(), wav.getvalue()):
        with pytest.raises(FlacMismatch):
            decode_flac(data)


def test_a_flac_cut_short_is_not_taken_for_whole() -> None:
    samples = np.random.default_rng(3).integers(-9000, 9000, 50_000).astype(np.int32)
    data = encode_flac(samples, 16, 44100)
    with pytest.raises(FlacMismatch):
        decode_flac(data[: len(data) // 2])
