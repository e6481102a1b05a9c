"""The end of a song according to its text, and checks on whether its times agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.model import LyricLine, Section
from rainbow_assets.corpus.times import Times

AGREES_MS = 1500
"""TRT and the end of the last section may differ by this much without an anomaly."""
GAP_MS = 500
"""A shorter time between two sections is not reported as a gap."""


def text_end(total_ms: int, sections: Sequence[Section]) -> int | None:
    """Return the largest of TRT and the section ends that is after the last section's start, or None.

    A time at or before the start of the last section is a typing error (``[00:03.086]`` for a song of two minutes).
    """
    starts = max((section.start_ms for section in sections), default=0)
    ends = [section.end_ms for section in sections if section.end_ms > section.start_ms]
    return max((ms for ms in (total_ms, *ends) if ms > starts), default=None)


def song_end(total_ms: int, sections: Sequence[Section], lines: Sequence[LyricLine]) -> int:
    """Return the song's end in milliseconds: that of :func:`text_end`, else the last section start or lyric stamp."""
    end = text_end(total_ms, sections)
    if end is not None:
        return end
    return max([*(section.start_ms for section in sections), *(line.start_ms for line in lines)], default=0)


def check_times(notes: AnomalyLog, file: str, lrc_file: str, times: Times) -> None:
    """Report reversed sections, gaps, overlaps, a TRT that disagrees, and stamps after the end."""
    for source, section in zip(times.raw, times.sections, strict=True):
        if section.end_ms <= section.start_ms:
            notes.add("section_reversed", file, f"field structure[{source.place}]", f"{section.name!r} ends at "
                      f"{section.end_ms / 1000:.3f} s and starts at {section.start_ms / 1000:.3f} s",
                      "its borders are used for snapping only")
    straight = [(source, section) for source, section in zip(times.raw, times.sections, strict=True)
                if section.end_ms > section.start_ms]
    for (_, before), (source, after) in pairwise(straight):
        where = f"field structure[{source.place}].start_time"
        if after.start_ms - before.end_ms > GAP_MS:
            notes.add("section_gap", file, where, f"{after.name!r} starts "
                      f"{(after.start_ms - before.end_ms) / 1000:.3f} s after {before.name!r} ends",
                      "the gap becomes separate slices")
        elif after.start_ms < before.end_ms:
            notes.add("section_overlap", file, where, f"{after.name!r} starts before {before.name!r} ends, by "
                      f"{(before.end_ms - after.start_ms) / 1000:.3f} s", "kept as it is")
    _check_total(notes, file, times)
    _check_lines(notes, lrc_file, text_end(times.total_ms, times.sections), times.lines)


def _check_total(notes: AnomalyLog, file: str, times: Times) -> None:
    if not times.total_ms or not times.sections:
        return
    starts, last = max(section.start_ms for section in times.sections), times.sections[-1].end_ms
    if times.total_ms < starts:
        notes.add("trt_nonsense", file, "field TRT", f"TRT is {times.total_ms / 1000:.3f} s and the last section "
                  f"starts at "
                  f"{starts / 1000:.3f} s", "TRT is not used")
    elif abs(times.total_ms - last) > AGREES_MS:
        notes.add("trt_disagrees", file, "field TRT", f"TRT is {times.total_ms / 1000:.3f} s and the last section "
                  f"ends at "
                  f"{last / 1000:.3f} s", "the larger one is used if no audio can be measured")


def _check_lines(notes: AnomalyLog, file: str, end_ms: int | None, lines: Sequence[LyricLine]) -> None:
    for line in lines:
        if end_ms is not None and line.start_ms >= end_ms:
            notes.add("past_end", file, f"line {line.line_number}",
                      f"the stamp is at {line.start_ms / 1000:.3f} s and the "
                      f"song ends at {end_ms / 1000:.3f} s", "its slice is quarantined if the audio has ended; "
                      "correct the stamp")
    for before, after in pairwise(lines):
        if before.start_ms == after.start_ms:
            notes.add("equal_stamps", file, f"line {after.line_number}",
                      f"line {before.line_number} has the same stamp",
                      "their texts share a slice")
    # A chorus may have several stamps in one line of the file; only the first of them has an order.
    first = {line.line_number: line.start_ms for line in reversed(lines)}
    in_order = [line for line in lines if first[line.line_number] == line.start_ms]
    for before, after in pairwise(in_order):
        if before.start_ms < after.start_ms and after.line_number < before.line_number:
            notes.add("unsorted_stamps", file, f"line {before.line_number}", "the stamp is earlier than that of line "
                      f"{after.line_number}, which is above it", "lines are sorted by time")
