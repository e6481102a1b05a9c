"""The original slicing rules: a lyric line to the next, snapped to section borders, in windows of bounded length.

Tests compare them with the published slices of 39 songs. :mod:`rainbow_assets.segments.slicing` repairs what these
rules leave out or get wrong: intros, outros, slices without length or past the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rainbow_assets.corpus.model import LyricLine, Section
from rainbow_assets.segments.settings import SliceRules

COMBINED = "combined"
"""Type of a slice made from a lyric line and the song's sections."""
STRUCTURE = "structure"
"""Type of a slice that is a section of a song without lyrics."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A span of a song's time, half open: ``start_ms`` belongs to it, ``end_ms`` does not.

    ``original_start_ms`` and ``original_end_ms`` are the ends before they were moved (to a section border, to the end
    of the song, over a neighbor that was too short); ``adjustments`` describes each move. ``sub`` is (j, n) for window
    j of n of a slice longer than a window; ends between two windows count as not moved. ``segment_index`` is the
    0-based place in the original order, None for slices that the original did not have.
    """

    start_ms: int
    end_ms: int
    original_start_ms: int
    original_end_ms: int
    segment_type: str
    lyric_text: str
    line_number: int | None
    section: str | None
    adjustments: tuple[str, ...] = ()
    sub: tuple[int, int] | None = None
    segment_index: int | None = None

    @property
    def length_ms(self) -> int:
        """Length in milliseconds; negative if a section ends before it starts."""
        return self.end_ms - self.start_ms


def raw_slices(sections: Sequence[Section], lines: Sequence[LyricLine], rules: SliceRules) -> list[Slice]:
    """Return the slices of the original rules in their order, including their defects.

    A lyric line lasts until the next one, the last line ``lyric_tail_ms``; both ends move to the nearest section border
    within ``snap_ms``. A song without lines has one slice per section. A slice longer than ``window_ms`` is cut into
    windows that overlap by ``overlap_ms``. Lines are taken in the order of their stamps.
    """
    windows = [window for slice_ in whole_slices(sections, lines, rules) for window in slice_windows(slice_, rules)]
    return [replace(window, section=section_at(window, sections), segment_index=i) for i, window in enumerate(windows)]


def whole_slices(sections: Sequence[Section], lines: Sequence[LyricLine], rules: SliceRules) -> list[Slice]:
    """Return the slices of the original rules before they are cut into windows, without the names of sections."""
    if not lines:
        return [Slice(s.start_ms, s.end_ms, s.start_ms, s.end_ms, STRUCTURE, "", None, None) for s in sections]
    ordered = sorted(lines, key=lambda line: line.start_ms)
    ends = [line.start_ms for line in ordered[1:]] + [ordered[-1].start_ms + rules.lyric_tail_ms]
    made = []
    for line, end_ms in zip(ordered, ends, strict=True):
        start, start_note = _snap("start", line.start_ms, sections, rules.snap_ms)
        end, end_note = _snap("end", end_ms, sections, rules.snap_ms)
        notes = tuple(note for note in (start_note, end_note) if note)
        made.append(Slice(start, end, line.start_ms, end_ms, COMBINED, line.text, line.line_number, None, notes))
    return made


def _snap(which: str, time_ms: int, sections: Sequence[Section], reach_ms: int) -> tuple[int, str | None]:
    """Return the nearest section border within reach and a note on it; as in the original, an exact hit has one too."""
    borders = [(abs(at - time_ms), order, at, f"{section.name} {side}") for order, (section, side, at) in enumerate(
        (section, side, at) for section in sections
        for side, at in (("start", section.start_ms), ("end", section.end_ms)))]
    distance, _, at, name = min(borders, default=(reach_ms + 1, 0, time_ms, ""))
    if distance > reach_ms:
        return time_ms, None
    return at, f"{which} {time_ms} -> {at} ms ({name})"


def slice_windows(whole: Slice, rules: SliceRules, shortest_ms: int = 0) -> list[Slice]:
    """Cut a slice longer than ``window_ms`` into windows; the last starts early enough to last ``shortest_ms``.

    >>> whole = Slice(0, 70_000, 0, 70_000, COMBINED, "", None, None, ())
    >>> [(window.start_ms, window.end_ms) for window in slice_windows(whole, SliceRules(window_ms=30_000))]
    [(0, 30000), (28000, 58000), (56000, 70000)]
    """
    if whole.length_ms <= rules.window_ms:
        return [whole]
    step = rules.window_ms - rules.overlap_ms
    starts = list(range(whole.start_ms, whole.end_ms - rules.overlap_ms, step))
    starts[-1] = min(starts[-1], whole.end_ms - shortest_ms)
    made = []
    for number, start in enumerate(starts, start=1):
        first, last = number == 1, number == len(starts)
        end = whole.end_ms if last else start + rules.window_ms
        made.append(replace(
            whole, start_ms=start, end_ms=end, sub=(number, len(starts)),
            original_start_ms=whole.original_start_ms if first else start,
            original_end_ms=whole.original_end_ms if last else end,
        ))
    return made


def section_at(slice_: Slice, sections: Sequence[Section]) -> str | None:
    """Return the name of the first section that contains the middle of the slice, ends included, or None."""
    twice = slice_.start_ms + slice_.end_ms  # twice the middle, so that it stays an integer
    return next((s.name for s in sections if 2 * s.start_ms <= twice <= 2 * s.end_ms), None)
