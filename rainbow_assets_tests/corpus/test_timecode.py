"""Time code: exact conversion, and decisions from fractions and from the beat."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.corpus.lrc import RawStamp, read_stamp
from rainbow_assets.corpus.overrides import SongOverride, TimecodeOverride
from rainbow_assets.corpus.smpte import CODES, FRAMES, MS, PLAIN, SUBFRAMES, FrameCode, fits, to_ms
from rainbow_assets.corpus.timecode import decide, misfits, read_ms
from rainbow_assets_tests.counts import examples


def stamp(text: str) -> RawStamp:
    found = read_stamp(f"[{text}]")
    assert found is not None
    return found


FF25, FF30, FFS25, FFS30 = (FrameCode(unit, fps) for unit in (FRAMES, SUBFRAMES) for fps in (25, 30))
DROP = FrameCode(SUBFRAMES, 30, True)


@pytest.mark.parametrize(("text", "code", "ms"), [
    ("00:18.013", PLAIN, 18013), ("00:18.25", PLAIN, 18250), ("00:18", PLAIN, 18000), ("60:43.251", PLAIN, 3643251),
    ("00:18.013", FF25, 18520), ("00:18.013", FF30, 18433), ("00:18.024", FF25, 18960), ("00:18.13", FF25, 18520),
    ("00:38.145", FFS25, 38585), ("00:38.140", FFS25, 38560), ("00:38.145", FrameCode(SUBFRAMES, 25, subframes=10), 38580),
    ("00:38.14", FFS25, 38560), ("00:38.145", FFS30, 38488), ("00:38.099", FFS25, 38400), ("00:38.100", FFS25, 38400),
    ("00:38.999", FFS25, 38999), ("00:38.025", FF25, 38025), ("00:38.9", FF25, 38900), ("00:38", FF25, 38000),
    # Drop-frame: frame 1800 is labelled 01:00;02, and after ten minutes 17982 frames have passed.
    ("00:59.290", DROP, 60027), ("01:00.020", DROP, 60060), ("01:00.000", DROP, 60060), ("10:00.000", DROP, 599999),
])
def test_to_ms(text: str, code: FrameCode, ms: int) -> None:
    assert to_ms(stamp(text), code) == ms


raw = st.builds(RawStamp, st.integers(0, 120), st.integers(0, 59), st.integers(0, 999).map(lambda n: f"{n:03d}"))


@settings(max_examples=examples(400), deadline=None)
@given(raw, raw, st.sampled_from(CODES))
def test_time_never_runs_backwards(one: RawStamp, other: RawStamp, code: FrameCode) -> None:
    if fits(one.fraction, code) and fits(other.fraction, code):
        (a, b) = sorted((one, other), key=lambda s: (s.minutes, s.seconds, s.fraction))
        assert to_ms(a, code) <= to_ms(b, code)


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 3 * 3600 * 25 - 1), st.integers(0, 7), st.sampled_from([25, 30]))
def test_frames_written_as_a_stamp_are_read_back(total: int, eighth: int, fps: int) -> None:
    seconds, frame = divmod(total, fps)
    written = RawStamp(seconds // 60, seconds % 60, f"{frame * 10 + eighth:03d}")
    exact = (Fraction(total) + Fraction(eighth, 8)) * 1000 / fps
    assert abs(to_ms(written, FrameCode(SUBFRAMES, fps)) - exact) <= Fraction(1, 2)
    assert to_ms(RawStamp(seconds // 60, seconds % 60, f"{frame:03d}"), FrameCode(FRAMES, fps)) == round(
        Fraction(total * 1000, fps) + Fraction(1, 1000))


def drop_label(count: int) -> RawStamp:
    """SMPTE ST 12-1: skip labels 0 and 1 of each minute that ten does not divide."""
    tens, rest = divmod(count, 17982)
    count += 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 2 else 0)
    seconds, frame = divmod(count, 30)
    return RawStamp(seconds // 60, seconds % 60, f"{frame * 10:03d}")


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 3 * 107892 - 1))
def test_drop_frame_labels_are_read_back(count: int) -> None:
    assert abs(to_ms(drop_label(count), DROP) - Fraction(count * 1001, 30)) <= Fraction(1, 2)


def borders(bpm: float, code: FrameCode, count: int = 12, seed: int = 3) -> list[RawStamp]:
    """Write bar lines of a tempo as a display in ``code`` shows them: cut off, not rounded."""
    bars = sorted(Random(seed).sample(range(1, 90), count))
    return [written(Fraction(bar * 4 * 60) / Fraction(str(bpm)), code) for bar in bars]


def written(seconds: Fraction, code: FrameCode) -> RawStamp:
    if code.fps is None:
        ms = int(seconds * 1000)
        return RawStamp(ms // 60000, ms // 1000 % 60, f"{ms % 1000:03d}")
    steps = code.subframes if code.unit == SUBFRAMES else 1
    rate = Fraction(30000, 1001) if code.drop_frame else Fraction(code.fps)
    count, step = divmod(int(seconds * rate * steps), steps)
    label = drop_label(count) if code.drop_frame else RawStamp(
        count // code.fps // 60, count // code.fps % 60, f"{count % code.fps * 10:03d}")
    frame = int(label.fraction) // 10
    return RawStamp(label.minutes, label.seconds, f"{frame * 10 + step if code.unit == SUBFRAMES else frame:03d}")


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code.label}/{code.subframes}")
@pytest.mark.parametrize("bpm", [87, 113.5, 136])
def test_bar_lines_show_their_time_code(code: FrameCode, bpm: float) -> None:
    stamps = borders(bpm, code)
    found, _ = decide(stamps, (), bpm)
    assert (found.unit, found.fps, found.drop_frame) == (code.unit, code.fps, code.drop_frame)
    assert not found.ambiguous and found.source == "evidence" and misfits(stamps, found) == []
    assert "12 of 12 stamps fall on a half beat" in found.evidence or code.subframes == 10
    times = [read_ms(one, found) for one in stamps]
    grid = 30000 / bpm
    step = 1000 / code.values
    assert all((time / grid + 0.5) % 1 * grid - 0.5 * grid <= 2 for time in times)
    assert all((time / grid + 0.5) % 1 * grid - 0.5 * grid >= -step - 2 for time in times)


def test_a_rounded_tempo_still_speaks() -> None:
    found, _ = decide(borders(78.31, DROP), (), 78)
    assert (found.unit, found.fps, found.drop_frame) == (SUBFRAMES, 30, True)
    assert "78.31 bpm" in found.evidence or "78.3 bpm" in found.evidence


def test_fractions_alone_decide_where_there_are_enough() -> None:
    def some(top: int, seed: int) -> list[RawStamp]:
        draw = Random(seed)
        return [RawStamp(n // 2, draw.randrange(60), f"{draw.randrange(1, top):03d}") for n in range(20)]

    assert decide(some(1000, 1))[0].unit == MS
    assert decide(some(25, 2))[0].unit == FRAMES
    assert decide(some(250, 4))[0].unit == SUBFRAMES


def test_the_two_files_of_a_song_may_differ_and_share_their_frame_rate() -> None:
    singer = Random(5)
    loose = [written(Fraction(singer.randrange(200_000), 1000), FFS25) for _ in range(16)]
    manifest, lyrics = decide(borders(135, PLAIN), loose, 135)
    assert (manifest.unit, manifest.fps) == (MS, None)
    assert lyrics is not None and (lyrics.unit, lyrics.fps) == (SUBFRAMES, 25)
    loose = [written(Fraction(singer.randrange(200_000), 1000), DROP) for _ in range(6)]
    _, lyrics = decide(borders(135, DROP), loose, 135)
    assert lyrics is not None and lyrics.drop_frame


def test_too_little_evidence_is_ambiguous_and_read_as_milliseconds() -> None:
    found, lyrics = decide([stamp("00:00.000"), stamp("06:09.093"), stamp("06:09.093")], (), 16)
    assert (found.unit, found.ambiguous, lyrics) == (MS, True, None)


@pytest.mark.parametrize("texts", [[], ["00:00.000"], ["00:10.000", "00:20.000"], ["00:10", "00:12"], ["00:59.999"]])
def test_nothing_to_decide_is_not_ambiguous(texts: list[str]) -> None:
    found, _ = decide([stamp(text) for text in texts], (), 120)
    assert (found.unit, found.ambiguous, found.largest_shift_ms) == (MS, False, 0)


def test_a_single_stamp_typed_otherwise_does_not_change_the_reading() -> None:
    stamps = [*borders(133, FFS25, 14), stamp("01:09.933")]
    found, _ = decide(stamps, (), 133)
    assert (found.unit, found.fps) == (SUBFRAMES, 25)
    assert misfits(stamps, found) == [stamp("01:09.933")]


def test_an_override_wins_over_evidence() -> None:
    said = SongOverride(TimecodeOverride("ms"), TimecodeOverride("frames", 29.97))
    manifest, lyrics = decide(borders(133, FFS25), [stamp("00:10.07"), stamp("00:20.12")], 133, said)
    assert (manifest.unit, manifest.source, manifest.ambiguous) == (MS, "corpus.toml", False)
    assert lyrics is not None
    assert (lyrics.unit, lyrics.fps, lyrics.drop_frame, lyrics.source) == (FRAMES, 30, True, "corpus.toml")
    rate_only, _ = decide(borders(133, FFS25), (), 133, SongOverride(TimecodeOverride(fps=30)))
    assert (rate_only.unit, rate_only.fps) == (SUBFRAMES, 30)


def test_the_largest_shift_is_recorded() -> None:
    found, _ = decide([], [stamp("00:01.024"), stamp("00:02.003")], None, SongOverride(lyrics=TimecodeOverride("frames", 25)))
    assert found.largest_shift_ms == 0
    _, lyrics = decide([], [stamp("00:01.024"), stamp("00:02.003")], None, SongOverride(lyrics=TimecodeOverride("frames", 25)))
    assert lyrics is not None and lyrics.largest_shift_ms == 936


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(raw, max_size=12), st.lists(raw, max_size=12), st.none() | st.floats(0.1, 2000))
def test_any_stamps_get_a_decision(manifest: list[RawStamp], lyrics: list[RawStamp], bpm: float | None) -> None:
    found, other = decide(manifest, lyrics, bpm)
    assert found.unit in (MS, FRAMES, SUBFRAMES) and (found.fps is None) == (found.unit == MS)
    assert (other is None) == (not lyrics)
    assert found.evidence and found.largest_shift_ms >= 0
    # The order of stamps does not matter.
    assert decide(manifest[::-1], lyrics[::-1], bpm) == (found, other)
