"""The slices of a song for the dataset: inside the song, long enough, each with its own start, covering all of it.

The original rules (:mod:`rainbow_assets.segments.raw_slices`) give the slices. This module clips those that end after
the song, joins those that are too short to a neighbor, and with ``coverage = "full"`` makes the time without lyrics
slices of its own: intro, gap, outro.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rainbow_assets.corpus.model import LyricLine, Section
from rainbow_assets.segments.raw_slices import Slice, raw_slices, section_at, slice_windows, whole_slices
from rainbow_assets.segments.settings import SliceRules

INTRO, GAP, OUTRO = "intro", "gap", "outro"
REASONS: dict[str, str] = {
    "zero_length": "the slice has no length and no text",
    "too_short": "the slice is shorter than slices.min_ms, and the song is too short to lengthen it",
    "past_end": "the slice or window starts at or after the end of the song or of the stem's file",
    "silent": "no channel of the stem's file reaches audio.silence_db in the window, or only with tones that "
              "audio.sample_rate cannot store, and no MIDI note sounds there",
    "offset": "only the constant part of the file's samples reaches audio.silence_db in the window: the recording is "
              "silent, and no MIDI note sounds there",
    "buried": "the window sounds, but a peak of the stem is so far above full scale that the gain it needs makes the "
              "window silent, and no MIDI note sounds there",
    "missing_audio": "the audio file that the manifest names does not exist, and no MIDI note sounds in the window",
    "unreadable_audio": "the stem's audio file cannot be read, and no MIDI note sounds in the window",
    "missing_midi": "the stem has no audio, and the MIDI file that the manifest names does not exist",
    "unreadable_midi": "the stem has no audio, and its MIDI file cannot be read",
    "no_notes": "the stem has no audio, and no note of its MIDI file sounds in the window",
    "no_media": "the manifest names neither an audio nor a MIDI file for the stem",
}
"""Why a slice, or a window of a stem, gets no row: the closed list."""


@dataclass(frozen=True, slots=True)
class QuarantinedSlice:
    """A slice that cannot be kept: its span by the original rules, a key of :data:`REASONS`, its text and its line."""

    start_ms: int
    end_ms: int
    reason: str
    text: str
    line_number: int | None


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """The slices of a song, in order of start. No two have the same start; only windows of one slice overlap."""

    slices: tuple[Slice, ...]
    quarantined: tuple[QuarantinedSlice, ...]
    coverage_pct: float
    """Share of the song's time that is in a slice, 0..100."""


def slice_song(sections: Sequence[Section], lines: Sequence[LyricLine], end_ms: int, rules: SliceRules) -> SlicePlan:
    """Cut the time from 0 to ``end_ms`` into slices of at least ``min_ms``; see the module for the rules.

    A short slice is joined to the one after it, so that its start, and with it its id, stays; the last one is joined to
    the one before. Without a neighbor within ``min_ms`` it is lengthened to ``min_ms``. Texts are joined with a line
    break. A line inserted between two others changes no start outside the slice that it falls into, unless it makes
    slices shorter than ``min_ms``: those are joined with their short neighbors.

    >>> from rainbow_assets.segments.settings import SliceRules
    >>> lines = [LyricLine(5000, "first", 1), LyricLine(9000, "second", 2)]
    >>> plan = slice_song([], lines, 20_000, SliceRules())
    >>> [(slice_.start_ms, slice_.end_ms, slice_.lyric_text) for slice_ in plan.slices]
    [(0, 5000, ''), (5000, 9000, 'first'), (9000, 12000, 'second'), (12000, 20000, '')]
    """
    rules = replace(rules, min_ms=max(rules.min_ms, 1))
    quarantined: list[QuarantinedSlice] = []
    slices = _inside(whole_slices(sections, lines, rules), end_ms, quarantined)
    slices = _long_enough(_apart(slices), end_ms, rules.min_ms, quarantined)
    if rules.coverage == "full":
        slices = _filled(slices, sections, end_ms, rules, quarantined)
    least = min(rules.min_ms, rules.window_ms)
    windows = [window for slice_ in slices for window in slice_windows(slice_, rules, least)]
    places = _places(raw_slices(sections, lines, rules))
    numbered = tuple(replace(
        window, section=section_at(window, sections),
        segment_index=None if window.segment_type in (INTRO, GAP, OUTRO) else places.get(window.start_ms),
    ) for window in windows)
    return SlicePlan(numbered, tuple(quarantined), _coverage(slices, end_ms))


def _inside(slices: list[Slice], end_ms: int, quarantined: list[QuarantinedSlice]) -> list[Slice]:
    """Clip to the song; quarantine slices that start past its end, and slices with neither length nor text."""
    kept = []
    for slice_ in sorted(slices, key=lambda slice_: (slice_.start_ms, slice_.end_ms)):
        start, end = max(slice_.start_ms, 0), min(max(slice_.end_ms, 0), end_ms)
        reason = "past_end" if start >= end_ms else "zero_length" if end <= start and not slice_.lyric_text else None
        if reason:
            quarantined.append(
                QuarantinedSlice(slice_.start_ms, slice_.end_ms, reason, slice_.lyric_text, slice_.line_number))
        else:
            kept.append(_moved(slice_, start, max(start, end), "to stay inside the song"))
    return kept


def _apart(slices: list[Slice]) -> list[Slice]:
    """End each slice at the start of the next one or earlier, because sections of a manifest may overlap."""
    following = [slice_.start_ms for slice_ in slices[1:]] + [slice_.end_ms for slice_ in slices[-1:]]
    return [_moved(slice_, slice_.start_ms, min(slice_.end_ms, limit), "where the next begins")
            for slice_, limit in zip(slices, following, strict=True)]


def _long_enough(slices: list[Slice], end_ms: int, min_ms: int, quarantined: list[QuarantinedSlice]) -> list[Slice]:
    """Join short slices to the next one; then join those that are still short to the one before, or lengthen them."""
    joined: list[Slice] = []
    for slice_ in slices:
        if joined and joined[-1].length_ms < min_ms and slice_.start_ms - joined[-1].end_ms < min_ms:
            joined[-1] = _join(joined[-1], slice_)
        else:
            joined.append(slice_)
    kept: list[Slice] = []
    for number, slice_ in enumerate(joined):
        free_from = kept[-1].end_ms if kept else 0
        free_to = joined[number + 1].start_ms if number + 1 < len(joined) else end_ms
        if slice_.length_ms >= min_ms:
            kept.append(slice_)
        elif kept and slice_.start_ms - free_from < min_ms:
            kept[-1] = _join(kept[-1], slice_)
        elif free_to - free_from < min_ms:
            quarantined.append(QuarantinedSlice(
                slice_.original_start_ms, slice_.original_end_ms, "too_short", slice_.lyric_text, slice_.line_number))
        else:
            start = min(slice_.start_ms, free_to - min_ms)
            kept.append(_moved(slice_, start, start + min_ms, f"to last {min_ms} ms"))
    return kept


def _join(first: Slice, second: Slice) -> Slice:
    """Return one slice over both; its line number is that of the first text."""
    texts = [text for text in (first.lyric_text, second.lyric_text) if text]
    named = second if second.lyric_text and not first.lyric_text else first
    what = f"line {second.line_number}" if second.line_number else f"{second.start_ms} to {second.end_ms} ms"
    return replace(
        first, end_ms=second.end_ms, original_end_ms=second.original_end_ms, lyric_text="\n".join(texts),
        line_number=named.line_number, adjustments=(*first.adjustments, *second.adjustments, f"joined with {what}"),
    )


def _filled(
    slices: list[Slice], sections: Sequence[Section], end_ms: int, rules: SliceRules,
    quarantined: list[QuarantinedSlice],
) -> list[Slice]:
    """Cover the gaps: a neighbor takes a gap under ``min_ms``; a longer one becomes slices of a separate type."""
    filled: list[Slice] = []
    for slice_ in slices:
        reached = filled[-1].end_ms if filled else 0
        if slice_.start_ms - reached >= rules.min_ms:
            filled += _filler(GAP if filled else INTRO, reached, slice_.start_ms, sections, rules)
        elif filled:
            filled[-1] = _moved(filled[-1], filled[-1].start_ms, slice_.start_ms, "to leave no gap")
        else:
            slice_ = _moved(slice_, 0, slice_.end_ms, "to leave no gap")
        filled.append(slice_)
    reached = filled[-1].end_ms if filled else 0
    if end_ms - reached >= rules.min_ms:
        filled += _filler(OUTRO if filled else GAP, reached, end_ms, sections, rules)
    elif filled:
        filled[-1] = _moved(filled[-1], filled[-1].start_ms, end_ms, "to leave no gap")
    elif end_ms > 0 and all(one.reason != "too_short" for one in quarantined):
        quarantined.append(QuarantinedSlice(0, end_ms, "too_short", "", None))
    return filled


def _filler(kind: str, start: int, end: int, sections: Sequence[Section], rules: SliceRules) -> list[Slice]:
    """Return slices from ``start`` to ``end``, cut at starts, then ends, of sections at least ``min_ms`` apart."""
    cuts = [start, end]
    for border in [s.start_ms for s in sections] + [s.end_ms for s in sections]:
        if start < border < end and all(abs(border - cut) >= rules.min_ms for cut in cuts):
            cuts.append(border)
    cuts.sort()
    return [Slice(a, b, a, b, kind, "", None, None) for a, b in pairwise(cuts)]


def _moved(slice_: Slice, start: int, end: int, why: str) -> Slice:
    """Return the slice with these ends, and a note on each end that moved."""
    notes = [f"{which} {old} -> {new} ms ({why})" for which, old, new in (
        ("start", slice_.start_ms, start), ("end", slice_.end_ms, end)) if old != new]
    return replace(slice_, start_ms=start, end_ms=end, adjustments=(*slice_.adjustments, *notes)) if notes else slice_


def _places(raw: list[Slice]) -> dict[int, int]:
    """Return {start: index} of the raw slices; of several with the same start, that of the longest."""
    longest = {slice_.start_ms: slice_ for slice_ in sorted(raw, key=lambda slice_: slice_.length_ms)}
    return {start: slice_.segment_index for start, slice_ in longest.items() if slice_.segment_index is not None}


def _coverage(slices: list[Slice], end_ms: int) -> float:
    return 100.0 * sum(slice_.length_ms for slice_ in slices) / end_ms if end_ms > 0 else 100.0
