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
    "silent": "the stem's level in the window is below audio.silence_db and it has no MIDI note there",
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
    >>> [(cut.start_ms, cut.end_ms, cut.lyric_text) for cut in slice_song([], lines, 20_000, SliceRules()).slices]
    [(0, 5000, ''), (5000, 9000, 'first'), (9000, 12000, 'second'), (12000, 20000, '')]
    """
    rules = replace(rules, min_ms=max(rules.min_ms, 1))
    quarantined: list[QuarantinedSlice] = []
    spans = _inside(whole_slices(sections, lines, rules), end_ms, quarantined)
    spans = _long_enough(_apart(spans), end_ms, rules.min_ms, quarantined)
    if rules.coverage == "full":
        spans = _filled(spans, sections, end_ms, rules, quarantined)
    cut = [piece for span in spans for piece in slice_windows(span, rules, min(rules.min_ms, rules.window_ms))]
    places = _places(raw_slices(sections, lines, rules))
    slices = tuple(replace(
        piece, section=section_at(piece, sections),
        segment_index=None if piece.segment_type in (INTRO, GAP, OUTRO) else places.get(piece.start_ms),
    ) for piece in cut)
    return SlicePlan(slices, tuple(quarantined), _coverage(spans, end_ms))


def _inside(spans: list[Slice], end_ms: int, quarantined: list[QuarantinedSlice]) -> list[Slice]:
    """Clip to the song; quarantine slices that start past its end, and slices with neither length nor text."""
    kept = []
    for span in sorted(spans, key=lambda span: (span.start_ms, span.end_ms)):
        start, end = max(span.start_ms, 0), min(max(span.end_ms, 0), end_ms)
        reason = "past_end" if start >= end_ms else "zero_length" if end <= start and not span.lyric_text else None
        if reason:
            quarantined.append(QuarantinedSlice(span.start_ms, span.end_ms, reason, span.lyric_text, span.line_number))
        else:
            kept.append(_moved(span, start, max(start, end), "to stay inside the song"))
    return kept


def _apart(spans: list[Slice]) -> list[Slice]:
    """End each slice at the start of the next one or earlier, because sections of a manifest may overlap."""
    following = [span.start_ms for span in spans[1:]] + [span.end_ms for span in spans[-1:]]
    return [_moved(span, span.start_ms, min(span.end_ms, limit), "where the next begins")
            for span, limit in zip(spans, following, strict=True)]


def _long_enough(spans: list[Slice], end_ms: int, min_ms: int, quarantined: list[QuarantinedSlice]) -> list[Slice]:
    """Join short slices to the next one; then join those that are still short to the one before, or lengthen them."""
    joined: list[Slice] = []
    for span in spans:
        if joined and joined[-1].length_ms < min_ms and span.start_ms - joined[-1].end_ms < min_ms:
            joined[-1] = _join(joined[-1], span)
        else:
            joined.append(span)
    kept: list[Slice] = []
    for number, span in enumerate(joined):
        free_from = kept[-1].end_ms if kept else 0
        free_to = joined[number + 1].start_ms if number + 1 < len(joined) else end_ms
        if span.length_ms >= min_ms:
            kept.append(span)
        elif kept and span.start_ms - free_from < min_ms:
            kept[-1] = _join(kept[-1], span)
        elif free_to - free_from < min_ms:
            quarantined.append(QuarantinedSlice(
                span.original_start_ms, span.original_end_ms, "too_short", span.lyric_text, span.line_number))
        else:
            start = min(span.start_ms, free_to - min_ms)
            kept.append(_moved(span, start, start + min_ms, f"to last {min_ms} ms"))
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
    spans: list[Slice], sections: Sequence[Section], end_ms: int, rules: SliceRules, quarantined: list[QuarantinedSlice]
) -> list[Slice]:
    """Cover the gaps: a neighbor takes a gap under ``min_ms``; a longer one becomes slices of a type of its own."""
    filled: list[Slice] = []
    for span in spans:
        reached = filled[-1].end_ms if filled else 0
        if span.start_ms - reached >= rules.min_ms:
            filled += _filler(GAP if filled else INTRO, reached, span.start_ms, sections, rules)
        elif filled:
            filled[-1] = _moved(filled[-1], filled[-1].start_ms, span.start_ms, "to leave no gap")
        else:
            span = _moved(span, 0, span.end_ms, "to leave no gap")
        filled.append(span)
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


def _moved(span: Slice, start: int, end: int, why: str) -> Slice:
    """Return the slice with these ends, and a note on each end that moved."""
    notes = [f"{which} {old} -> {new} ms ({why})" for which, old, new in (
        ("start", span.start_ms, start), ("end", span.end_ms, end)) if old != new]
    return replace(span, start_ms=start, end_ms=end, adjustments=(*span.adjustments, *notes)) if notes else span


def _places(raw: list[Slice]) -> dict[int, int]:
    """Return {start: index} of the raw slices; of several with the same start, that of the longest."""
    longest = {piece.start_ms: piece for piece in sorted(raw, key=lambda piece: piece.length_ms)}
    return {start: piece.segment_index for start, piece in longest.items() if piece.segment_index is not None}


def _coverage(spans: list[Slice], end_ms: int) -> float:
    return 100.0 * sum(span.length_ms for span in spans) / end_ms if end_ms > 0 else 100.0
