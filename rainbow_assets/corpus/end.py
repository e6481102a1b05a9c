"""Where a song ends as far as its text says, and whether its times make sense together."""

from __future__ import annotations

from collections.abc import Sequence

from rainbow_assets.corpus.anomalies import Notes
from rainbow_assets.corpus.manifest import RawSection
from rainbow_assets.corpus.model import LyricLine, Section

AGREES_MS = 1500
GAP_MS = 500


def song_end(total_ms: int, sections: Sequence[Section], lines: Sequence[LyricLine]) -> int:
    """Return the largest of TRT, section borders and the last stamp: a time that is too short is the likelier slip."""
    borders = [ms for section in sections for ms in (section.start_ms, section.end_ms)]
    return max([total_ms, *borders, *(line.start_ms for line in lines)], default=0)


def check_times(
    notes: Notes, file: str, lrc: str, total_ms: int, raw: Sequence[RawSection], sections: Sequence[Section],
    lines: Sequence[LyricLine],
) -> None:
    """Report reversed sections, gaps, overlaps, a TRT that disagrees, and stamps that lie past the end."""
    for source, section in zip(raw, sections, strict=True):
        where = f"field structure[{source.place}]"
        if section.end_ms <= section.start_ms:
            notes.add("section_reversed", file, where, f"{section.name!r} ends at {section.end_ms / 1000:.3f} s and starts "
                      f"at {section.start_ms / 1000:.3f} s", "its borders are used for snapping only")
    pairs = zip(raw, sections, raw[1:], sections[1:], strict=False)
    for _, before, source, after in pairs:
        where = f"field structure[{source.place}].start_time"
        if before.end_ms <= before.start_ms or after.end_ms <= after.start_ms:
            continue
        if after.start_ms - before.end_ms > GAP_MS:
            notes.add("section_gap", file, where, f"{(after.start_ms - before.end_ms) / 1000:.3f} s lie between "
                      f"{before.name!r} and {after.name!r}", "the time becomes slices of its own")
        elif after.start_ms < before.end_ms:
            notes.add("section_overlap", file, where, f"{after.name!r} starts before {before.name!r} ends", "kept as it is")
    _check_total(notes, file, total_ms, sections)
    _check_lines(notes, lrc, total_ms, sections, lines)


def _check_total(notes: Notes, file: str, total_ms: int, sections: Sequence[Section]) -> None:
    starts = max((section.start_ms for section in sections), default=0)
    last = sections[-1].end_ms if sections else 0
    if total_ms and starts and total_ms < starts:
        notes.add("trt_nonsense", file, "field TRT", f"TRT is {total_ms / 1000:.3f} s and the last section starts at "
                  f"{starts / 1000:.3f} s", "not used")
    elif total_ms and last and abs(total_ms - last) > AGREES_MS:
        notes.add("trt_disagrees", file, "field TRT", f"TRT is {total_ms / 1000:.3f} s and the last section ends at "
                  f"{last / 1000:.3f} s", "the larger counts until the audio says more")


def _check_lines(
    notes: Notes, lrc: str, total_ms: int, sections: Sequence[Section], lines: Sequence[LyricLine]
) -> None:
    last_start = max((section.start_ms for section in sections), default=0)
    trusted = [ms for ms in (total_ms, *(s.end_ms for s in sections if s.end_ms > s.start_ms)) if ms >= last_start]
    end = max(trusted, default=None)
    for line in lines if end else ():
        if end is not None and line.start_ms >= end:
            notes.add("past_end", lrc, f"line {line.line_number}", f"the stamp is at {line.start_ms / 1000:.3f} s and the "
                      f"song ends at {end / 1000:.3f} s", "set aside where the audio has ended; correct the stamp")
    for before, after in zip(lines, lines[1:], strict=False):
        where = f"line {after.line_number}"
        if before.start_ms == after.start_ms:
            notes.add("equal_stamps", lrc, where, "two lines have one stamp", "their texts share a slice")
        elif after.line_number < before.line_number:
            notes.add("unsorted_stamps", lrc, where, "the stamp lies after one that stands below it", "sorted by time")
