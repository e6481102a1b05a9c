"""The times of a song: the stamps of its manifest and lyrics, converted to milliseconds by a chosen time code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rainbow_assets.corpus import timecode
from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.lrc import RawStamp, read_stamp
from rainbow_assets.corpus.manifest import ManifestEntry
from rainbow_assets.corpus.model import LyricLine, Section, Timecode
from rainbow_assets.corpus.overrides import SongOverride
from rainbow_assets.corpus.smpte import MS, of

HOUR_MS = 3_600_000
JOIN_MS = 1
"""Artists write the start of a section as the end of the previous one plus this."""


@dataclass(frozen=True, slots=True)
class RawSection:
    """A section whose stamps are not converted yet; ``place`` is its index in the manifest."""

    place: int
    name: str
    start: RawStamp
    end: RawStamp
    description: str


@dataclass(frozen=True, slots=True)
class Times:
    """All times of a song; ``total_ms`` is 0 if there is no readable TRT."""

    total_ms: int
    raw: tuple[RawSection, ...]
    sections: tuple[Section, ...]
    lines: tuple[LyricLine, ...]
    manifest: Timecode
    lyrics: Timecode | None


def parse_stamp(text: str, file: str, where: str, notes: AnomalyLog) -> RawStamp | None:
    """Read ``[MM:SS.mmm]`` (brackets may be missing); report and return None if it is not a stamp."""
    body = text.strip()
    stamp = read_stamp(body if body.startswith("[") else f"[{body}]")
    if stamp is None:
        notes.add("bad_stamp", file, where, f"{text!r} is not a time stamp", "not used; write [MM:SS.mmm]")
    elif text != f"[{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]" or len(stamp.fraction) != 3:
        notes.add("odd_stamp", file, where, f"{text!r} is not of the form [MM:SS.mmm]",
                  f"read as [{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]")
    return stamp


def raw_sections(entry: ManifestEntry, file: str, notes: AnomalyLog) -> tuple[RawSection, ...]:
    """Return the sections whose stamps can be read; report names that occur twice."""
    found = []
    for place, item in enumerate(entry.structure):
        start = parse_stamp(item.start_time, file, f"field structure[{place}].start_time", notes)
        end = parse_stamp(item.end_time, file, f"field structure[{place}].end_time", notes)
        if start is not None and end is not None:
            found.append(RawSection(place, item.section_name, start, end, item.description))
    for name, count in sorted(Counter(section.name for section in found).items()):
        if count > 1:
            notes.add("duplicate_section_name", file, "field structure", f"{name!r} occurs {count} times",
                      "all are kept; the name is not a key")
    return tuple(found)


def joined(before: RawSection, after: RawSection) -> bool:
    """Return True if the start of ``after`` is the end of ``before`` plus the join marker."""
    return after.start.literal_ms - before.end.literal_ms == JOIN_MS


def read_times(
    entry: ManifestEntry, file: str, lrc_file: str, lyrics: Sequence[RawStamp], override: SongOverride, literal: bool,
    notes: AnomalyLog,
) -> Times:
    """Choose the time code of both files and convert; report the choice and the stamps that do not fit it.

    ``literal`` reads every stamp as written: plain milliseconds, hours and join markers kept, lines in file order.
    """
    raw = raw_sections(entry, file, notes)
    trt = parse_stamp(entry.TRT, file, "field TRT", notes) if entry.TRT else None
    placed = _evidence(raw, trt)
    if literal:
        code, lyric_code = timecode.literal(), timecode.literal() if lyrics else None
    else:
        # Stamps of words are written in the unit of the lines', and there are more of them.
        stamps = [*lyrics, *(word for line in lyrics for word in line.words)]
        code, lyric_code = timecode.decide([s for _, s in placed], stamps, entry.bpm, override)
    sections = _sections(raw, code, literal)
    total_ms = timecode.read_ms(trt, code) if trt else 0
    lines: tuple[LyricLine, ...] = ()
    if lyric_code is not None:
        song_ms = max([total_ms, *(section.end_ms for section in sections)])
        lines = _lines(lyrics, lyric_code, song_ms, None if literal else override.lyrics.hour_offset, literal,
                       lrc_file, notes)
    if not literal:
        _report(code, placed, file, notes)
        if lyric_code is not None:
            _report(lyric_code, [(f"line {stamp.line_number}", stamp) for stamp in lyrics], lrc_file, notes)
    return Times(total_ms, raw, sections, lines, code, lyric_code)


def _evidence(raw: Sequence[RawSection], trt: RawStamp | None) -> list[tuple[str, RawStamp]]:
    """Return the manifest's stamps with their places, without join markers, whose unit is always milliseconds."""
    marked: set[tuple[int, str]] = set()
    for before, after in pairwise(raw):
        if joined(before, after):
            # .099 -> .100: here the artist wrote the end as the next start minus 1.
            marked.add((before.place, "end") if before.end.fraction.endswith("9") else (after.place, "start"))
    found = [(f"field structure[{section.place}].{side}_time", stamp) for section in raw
             for side, stamp in (("start", section.start), ("end", section.end)) if (section.place, side) not in marked]
    return found + ([("field TRT", trt)] if trt else [])


def _sections(raw: Sequence[RawSection], code: Timecode, literal: bool) -> tuple[Section, ...]:
    """Convert stamps; neighbors that differ by a join marker, or by one step of the time code, get one border."""
    times = [[timecode.read_ms(s.start, code), timecode.read_ms(s.end, code)] for s in raw]
    step_ms = of(code).step_ms
    for n in range(len(raw) - 1 if not literal else 0):
        if joined(raw[n], raw[n + 1]) or 0 < times[n + 1][0] - times[n][1] <= step_ms:
            # .999 -> .000: the artist meant the whole second.
            border = times[n + 1][0] if raw[n].end.fraction == "999" else times[n][1]
            times[n][1] = times[n + 1][0] = border
    return tuple(Section(s.name, start, end, s.description) for s, (start, end) in zip(raw, times, strict=True))


def _lines(
    stamps: Sequence[RawStamp], code: Timecode, song_ms: int, hour_offset: int | None, literal: bool, file: str,
    notes: AnomalyLog,
) -> tuple[LyricLine, ...]:
    times = [timecode.read_ms(stamp, code) for stamp in stamps]
    hours = 0 if literal else min(times) // HOUR_MS if song_ms < min(times) else 0
    if hour_offset is not None and hour_offset * HOUR_MS > min(times):
        notes.add("hour_offset", file, "all stamps", f"corpus.toml subtracts {hour_offset} h, but the first "
                  f"stamp is at {min(times) / 1000:.3f} s", "nothing is subtracted; correct corpus.toml")
    elif hour_offset is not None:
        hours = hour_offset
    elif hours:
        notes.add("hour_offset", file, "all stamps", f"every stamp is after hour {hours}, but the song lasts "
                  f"{song_ms / 1000:.0f} s", f"{hours} h are subtracted")
    off = hours * HOUR_MS
    lines = [LyricLine(ms - off, stamp.text, stamp.line_number,
                       tuple((timecode.read_ms(word, code) - off, word.text) for word in stamp.words))
             for ms, stamp in zip(times, stamps, strict=True)]
    return tuple(lines if literal else sorted(lines, key=lambda line: line.start_ms))


def _report(code: Timecode, placed: Sequence[tuple[str, RawStamp]], file: str, notes: AnomalyLog) -> None:
    label = of(code).label
    if code.unit != MS:
        notes.add("timecode_frames", file, "all stamps", f"{code.evidence}; the largest shift is "
                  f"{code.largest_shift_ms} ms",
                  f"read as {label}")
    if code.ambiguous:
        notes.add("timecode_ambiguous", file, "all stamps", code.evidence,
                  f"read as {label}; write unit and fps into corpus.toml to settle it")
    odd = set(timecode.misfits([stamp for _, stamp in placed], code))
    seen: set[RawStamp] = set()
    for where, stamp in placed:
        if stamp in odd and stamp not in seen:
            seen.add(stamp)
            notes.add("timecode_mixed", file, where, f"the fraction .{stamp.fraction} cannot be {label}",
                      "read as milliseconds")
