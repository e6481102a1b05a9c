"""Slices of a whole song: covered, long enough, inside, each start once, no word lost."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.corpus.model import LyricLine, Section
from rainbow_assets.segments.raw_slices import raw_slices, whole_slices
from rainbow_assets.segments.slicing import REASONS, Slice, SlicePlan, slice_song
from rainbow_assets.settings import SliceRules
from rainbow_assets_tests.counts import examples

RULES = SliceRules()
LYRICS = SliceRules(coverage="lyrics")


def line(start: int, text: str = "la", number: int = 1) -> LyricLine:
    return LyricLine(start, text, number)


def section(name: str, start: int, end: int) -> Section:
    return Section(name, start, end, "")


def shape(plan: SlicePlan) -> list[tuple[int, int, str]]:
    return [(one.start_ms, one.end_ms, one.segment_type) for one in plan.slices]


def test_intro_gap_and_outro_are_cut_at_sections_and_in_windows() -> None:
    sections = [section("Intro", 0, 14999), section("Verse", 15000, 60000), section("Outro", 60001, 110000)]
    plan = slice_song(sections, [line(20000), line(24000)], 110000, RULES)
    assert shape(plan) == [
        (0, 15000, "intro"), (15000, 20000, "intro"), (20000, 24000, "combined"), (24000, 27000, "combined"),
        (27000, 57000, "outro"), (55000, 60001, "outro"), (60001, 90001, "outro"), (88001, 110000, "outro")]
    assert plan.coverage_pct == 100.0
    assert [one.segment_index for one in plan.slices] == [None, None, 0, 1, None, None, None, None]
    assert [one.section for one in plan.slices][:3] == ["Intro", "Verse", "Verse"]


def test_gaps_between_sections_of_an_instrumental() -> None:
    sections = [section("A", 0, 10000), section("B", 10001, 20000), section("C", 25000, 29000)]
    plan = slice_song(sections, [], 29000, RULES)
    assert shape(plan) == [
        (0, 10001, "structure"), (10001, 20000, "structure"), (20000, 25000, "gap"), (25000, 29000, "structure")]
    assert plan.slices[0].adjustments == ("end 10000 -> 10001 ms (to leave no gap)",)


def test_lyrics_coverage_adds_nothing() -> None:
    plan = slice_song([section("All", 0, 60000)], [line(20000), line(30000)], 60000, LYRICS)
    assert shape(plan) == [(20000, 30000, "combined"), (30000, 33000, "combined")]
    assert plan.coverage_pct == pytest.approx(100 * 13 / 60)


def test_equal_stamps_become_one_slice_with_all_lines() -> None:
    lines = [line(5000, "one", 3), line(5000, "two", 5), line(5000, "three", 7), line(9000, "four", 9)]
    plan = slice_song([], lines, 20000, LYRICS)
    assert [(one.start_ms, one.end_ms, one.lyric_text, one.line_number, one.segment_index) for one in plan.slices] == [
        (5000, 9000, "one\ntwo\nthree", 3, 2), (9000, 12000, "four", 9, 3)]
    assert plan.quarantined == ()


def test_a_short_line_keeps_its_start_and_takes_the_next_along() -> None:
    plan = slice_song([], [line(5000, "a", 1), line(5200, "b", 2), line(9000, "c", 3)], 20000, LYRICS)
    assert [(one.start_ms, one.end_ms, one.lyric_text) for one in plan.slices] == [
        (5000, 9000, "a\nb"), (9000, 12000, "c")]
    assert plan.slices[0].adjustments == ("joined with line 2",)


def test_a_line_just_before_the_end_joins_what_precedes() -> None:
    plan = slice_song([], [line(5000, "a", 1), line(9800, "b", 2)], 10000, RULES)
    assert [(one.start_ms, one.end_ms, one.lyric_text) for one in plan.slices] == [(0, 5000, ""), (5000, 10000, "a\nb")]


def test_a_lone_line_just_before_the_end_is_lengthened() -> None:
    plan = slice_song([], [line(9800, "b", 2)], 10000, RULES)
    assert shape(plan) == [(0, 9500, "intro"), (9500, 10000, "combined")]
    assert plan.slices[1].original_start_ms == 9800


def test_slices_past_the_end_are_set_aside_with_their_text() -> None:
    plan = slice_song([], [line(5000, "a", 1), line(10000, "late", 7)], 10000, RULES)
    (late,) = plan.quarantined
    assert (late.reason, late.text, late.line_number, late.start_ms) == ("past_end", "late", 7, 10000)
    assert shape(plan) == [(0, 5000, "intro"), (5000, 10000, "combined")]


def test_a_section_that_ends_before_it_starts_is_set_aside_and_its_time_covered() -> None:
    plan = slice_song([section("A", 0, 20000), section("B", 20000, 86)], [], 40000, RULES)
    assert [(one.reason, one.start_ms, one.end_ms) for one in plan.quarantined] == [("zero_length", 20000, 86)]
    assert shape(plan) == [(0, 20000, "structure"), (20000, 40000, "outro")]


def test_overlapping_sections_end_where_the_next_begins() -> None:
    plan = slice_song([section("All", 0, 20000), section("Solo", 5000, 8000)], [], 20000, RULES)
    assert shape(plan) == [(0, 5000, "structure"), (5000, 8000, "structure"), (8000, 20000, "outro")]


def test_a_song_without_any_structure_is_covered_all_the_same() -> None:
    assert shape(slice_song([], [], 40000, RULES)) == [(0, 30000, "gap"), (28000, 40000, "gap")]


@pytest.mark.parametrize("lines", [[], [line(10, "short")]])
def test_a_song_shorter_than_the_shortest_slice_is_set_aside(lines: list[LyricLine]) -> None:
    plan = slice_song([section("All", 0, 400)], lines, 400, RULES)
    assert plan.slices == ()
    assert {one.reason for one in plan.quarantined} == {"too_short"}
    assert plan.coverage_pct == 0.0


def test_an_empty_song_has_nothing_to_cover() -> None:
    assert slice_song([], [], 0, RULES) == SlicePlan((), (), 100.0)


def test_the_last_window_is_never_tiny() -> None:
    rules = SliceRules(overlap_ms=0, window_ms=10000)
    plan = slice_song([], [], 20100, rules)
    assert shape(plan) == [(0, 10000, "gap"), (10000, 20000, "gap"), (19600, 20100, "gap")]


TIMES = st.integers(0, 120_000)
NEAR = st.one_of(TIMES, st.integers(0, 240).map(lambda n: n * 250))
WORDS = st.text("abc ", min_size=0, max_size=4)


@st.composite
def songs(draw: st.DrawFn) -> tuple[list[Section], list[LyricLine], int]:
    """Sections that may overlap, end early or leave holes; lines that may share stamps or lie past the end."""
    borders = sorted(draw(st.lists(NEAR, max_size=8)))
    parts = [section(f"s{i}", a, b + draw(st.sampled_from([-1, 0, 0, 0, 700, -9000])))
             for i, (a, b) in enumerate(pairwise(borders))]
    stamps = sorted(draw(st.lists(NEAR, max_size=12)))
    lines = [LyricLine(at, f"{draw(WORDS)}{i}" if draw(st.booleans()) else "", 2 * i + 4)
             for i, at in enumerate(stamps)]
    return parts, lines, draw(st.integers(0, 130_000))


@st.composite
def rule_sets(draw: st.DrawFn) -> SliceRules:
    window = draw(st.integers(1000, 40_000))
    return SliceRules(
        lyric_tail_ms=draw(st.sampled_from([0, 1, 3000])), snap_ms=draw(st.sampled_from([0, 300, 2000])),
        window_ms=window, overlap_ms=draw(st.integers(0, window - 500)), min_ms=draw(st.integers(0, 1000)),
        coverage=draw(st.sampled_from(["full", "lyrics"])),
    )


def union_ms(slices: tuple[Slice, ...]) -> int:
    reached = total = 0
    for one in slices:
        total += max(0, one.end_ms - max(reached, one.start_ms))
        reached = max(reached, one.end_ms)
    return total


@settings(max_examples=examples(1000), deadline=None)
@given(songs(), rule_sets())
def test_what_holds_for_every_song(song: tuple[list[Section], list[LyricLine], int], rules: SliceRules) -> None:
    sections, lines, end = song
    plan = slice_song(sections, lines, end, rules)
    starts = [one.start_ms for one in plan.slices]
    assert starts == sorted(set(starts)), "starts are in order and unique"
    for one in plan.slices:
        assert 0 <= one.start_ms < one.end_ms <= end
        assert rules.min_ms <= one.length_ms <= max(rules.window_ms, rules.min_ms)
    for one, following in pairwise(plan.slices):
        if following.start_ms < one.end_ms:
            assert one.sub is not None and following.sub == (one.sub[0] + 1, one.sub[1]), "only windows overlap"
    covered = union_ms(plan.slices)
    assert plan.coverage_pct == pytest.approx(100 * covered / end if end else 100)
    if rules.coverage == "full" and end >= max(rules.min_ms, 1):
        assert covered == end and plan.coverage_pct == 100.0
    if rules.coverage == "lyrics":
        assert all(one.segment_type in ("combined", "structure") for one in plan.slices)
    assert all(one.reason in REASONS for one in plan.quarantined)
    kept = [text for one in plan.slices if one.sub in (None, (1, one.sub and one.sub[1]))
            for text in one.lyric_text.split("\n") if text]
    lost = [text for one in plan.quarantined for text in one.text.split("\n") if text]
    assert sorted(kept + lost) == sorted(one.text for one in lines if one.text), "each line is in one place"
    raw = raw_slices(sections, lines, rules)
    for one in plan.slices:
        if one.segment_index is not None:
            assert raw[one.segment_index].start_ms == one.start_ms
    indices = [one.segment_index for one in plan.slices if one.segment_index is not None]
    assert len(indices) == len(set(indices))


@st.composite
def insertions(draw: st.DrawFn) -> tuple[list[Section], list[LyricLine], LyricLine, int, SliceRules]:
    """A song, one more line for it, its end and the rules; no two lines come nearer than the shortest slice."""
    snap = draw(st.sampled_from([0, 2000]))
    apart = RULES.min_ms + 2 * snap
    steps = draw(st.lists(st.integers(apart, 70_000), min_size=2, max_size=10))
    stamps = [sum(steps[: n + 1]) for n in range(len(steps))]
    lines = [LyricLine(at, f"{at}", 2 * n) for n, at in enumerate(stamps)]
    added = lines.pop(draw(st.integers(0, len(lines) - 1)))
    borders = sorted(draw(st.lists(st.one_of(TIMES, st.sampled_from(stamps)), max_size=8)))
    sections = [section(f"s{a}", a, b) for a, b in pairwise(borders)]
    end = stamps[-1] + draw(st.integers(apart, 50_000))
    return sections, lines, added, end, SliceRules(snap_ms=snap)


@settings(max_examples=examples(500), deadline=None)
@given(insertions())
def test_an_inserted_line_leaves_other_starts_alone(
    case: tuple[list[Section], list[LyricLine], LyricLine, int, SliceRules]
) -> None:
    sections, lines, added, end, rules = case
    more = sorted([*lines, added], key=lambda one: one.start_ms)
    old = {one.start_ms for one in slice_song(sections, lines, end, rules).slices}
    new = {one.start_ms for one in slice_song(sections, more, end, rules).slices}
    lines_of_slices = [one.start_ms for one in whole_slices(sections, more, rules)]
    place = more.index(added)
    before = lines_of_slices[place - 1] if place else -1
    after = lines_of_slices[place + 1] if place + 1 < len(more) else end
    assert all(before < start < after for start in old ^ new), "only the slice that the line falls into is cut anew"
    assert {one for one in old if not before < one < after} <= new
