"""Segment ids: written, read back, and refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.segments.ids import BadSegmentId, SegmentId, parse_segment_id, positional_id, segment_id
from rainbow_assets_tests.counts import examples

SONGS = st.from_regex(r"[A-Za-z0-9_\-]{1,12}", fullmatch=True)


def test_the_documented_forms() -> None:
    assert segment_id("01_01", 5, 14027) == "01_01_t05_0014027"
    assert segment_id("01_01", 0, 0) == "01_01_t00_0000000"
    assert positional_id("01_01", 28, 20) == "01_01_seg_0028_track_20"


def test_large_tracks_and_starts_take_more_digits() -> None:
    assert segment_id("a", 100, 10_000_000) == "a_t100_10000000"
    assert parse_segment_id("a_t100_10000000") == SegmentId("a", 100, 10_000_000)


@settings(max_examples=examples(200), deadline=None)
@given(SONGS, st.integers(0, 1000), st.integers(0, 10**9))
def test_parsing_undoes_writing(song: str, track: int, start: int) -> None:
    text = segment_id(song, track, start)
    parts = parse_segment_id(text)
    assert parts == SegmentId(song, track, start)
    assert str(parts) == text


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(SONGS, st.integers(0, 200), st.integers(0, 10**8)), unique=True))
def test_different_parts_give_different_ids(parts: list[tuple[str, int, int]]) -> None:
    assert len({segment_id(*one) for one in parts}) == len(parts)


@pytest.mark.parametrize("text", [
    "", "01_01", "01_01_t05", "01_01_t5_0014027", "01_01_t05_14027", "01_01_t005_0014027", "01_01_t05_00014027",
    "_t05_0014027", "01_01_t05_0014027 ", "01_01_t05_-014027", "01_01_seg_0028_track_20", "01_01_t٠٥_0014027",
])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadSegmentId, match="is not a segment id"):
        parse_segment_id(text)


@pytest.mark.parametrize("parts", [("", 1, 0), ("a", -1, 0), ("a", 1, -1)])
def test_impossible_parts_are_refused(parts: tuple[str, int, int]) -> None:
    with pytest.raises(BadSegmentId, match="cannot form a segment id"):
        segment_id(*parts)
