"""The times of a song: stamps from manifest and lyrics, their time code decided, and turned to milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rainbow_assets.corpus import timecode
from rainbow_assets.corpus.anomalies import Notes
from rainbow_assets.corpus.lrc import RawStamp, read_stamp
from rainbow_assets.corpus.manifest import ManifestEntry
from rainbow_assets.corpus.model import LyricLine, Section, Timecode
from rainbow_assets.corpus.overrides import SongOverride
from rainbow_assets.corpus.smpte import MS, of

HOUR_MS = 3_600_000
JOIN_MS = 1
"""What artists add to a section's end to write the start of the next."""


@dataclass(frozen=True, slots=True)
class RawSection:
    """A section with its stamps still to be read by a time code; ``place`` is its index in the manifest."""

    place: int
    name: str
    start: RawStamp
    end: RawStamp
    description: str


@dataclass(frozen=True, slots=True)
class Times:
    """All times of a song; ``total_ms`` is 0 without a readable TRT."""

    total_ms: int
    raw: tuple[RawSection, ...]
    sections: tuple[Section, ...]
    lines: tuple[LyricLine, ...]
    manifest: Timecode
    lyrics: Timecode | None


def parse_stamp(text: str, file: str, where: str, notes: Notes) -> RawStamp | None:
    """Read ``[MM:SS.mmm]`` (brackets may be missing); report and return None where it is no stamp."""
    body = text.strip()
    stamp = read_stamp(body if body.startswith("[") else f"[{body}]")
    if stamp is None:
        notes.add("bad_stamp", file, where, f"{text!r} is no time stamp", "not used; write [MM:SS.mmm]")
    elif text != f"[{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]" or len(stamp.fraction) != 3:
        notes.add("odd_stamp", file, where, f"{text!r} is not of the form [MM:SS.mmm]",
                  f"read as [{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]")
    return stamp


def raw_sections(entry: ManifestEntry, file: str, notes: Notes) -> tuple[RawSection, ...]:
    """Return the sections whose stamps can be read; report names that stand twice."""
    found = []
    for place, item in enumerate(entry.structure):
        start = parse_stamp(item.start_time, file, f"field structure[{place}].start_time", notes)
        end = parse_stamp(item.end_time, file, f"field structure[{place}].end_time", notes)
        if start is not None and end is not None:
            found.append(RawSection(place, item.section_name, start, end, item.description))
    names = [section.name for section in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        notes.add("duplicate_section_name", file, "field structure", f"{name!r} stands {names.count(name)} times",
                  "all are kept; the name is not a key")
    return tuple(found)


def joined(before: RawSection, after: RawSection) -> bool:
    """Tell whether the start of ``after`` is the end of ``before`` with the marker of a join."""
    return after.start.literal_ms - before.end.literal_ms == JOIN_MS


def read_times(
    entry: ManifestEntry, file: str, lrc_file: str, lyrics: Sequence[RawStamp], override: SongOverride, literal: bool,
    notes: Notes,
) -> Times:
    """Decide the time code of both files and convert; report the decision and what does not fit it.

    ``literal`` takes every stamp as it stands: plain milliseconds, hours and join markers kept, lines in file order.
    """
    raw = raw_sections(entry, file, notes)
    trt = parse_stamp(entry.TRT, file, "field TRT", notes) if entry.TRT else None
    placed = _witnesses(raw, trt)
    if literal:
        code, lyric_code = timecode.literal(), timecode.literal() if lyrics else None
    else:
        code, lyric_code = timecode.decide([s for _, s in placed], lyrics, entry.bpm, override)
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


def _witnesses(raw: Sequence[RawSection], trt: RawStamp | None) -> list[tuple[str, RawStamp]]:
    """Return the manifest's stamps with their places, without join markers: those say nothing about the unit."""
    marked: set[tuple[int, str]] = set()
    for before, after in pairwise(raw):
        if joined(before, after):
            # .099 -> .100: here the end was made from the start, by taking 1 away.
            marked.add((before.place, "end") if before.end.fraction.endswith("9") else (after.place, "start"))
    found = [(f"field structure[{section.place}].{side}_time", stamp) for section in raw
             for side, stamp in (("start", section.start), ("end", section.end)) if (section.place, side) not in marked]
    return found + ([("field TRT", trt)] if trt else [])


def _sections(raw: Sequence[RawSection], code: Timecode, literal: bool) -> tuple[Section, ...]:
    """Convert stamps; neighbors that differ by the marker of a join, or by one step of the time code, join exactly."""
    times = [[timecode.read_ms(s.start, code), timecode.read_ms(s.end, code)] for s in raw]
    step_ms = of(code).step_ms
    for n in range(len(raw) - 1 if not literal else 0):
        if joined(raw[n], raw[n + 1]) or 0 < times[n + 1][0] - times[n][1] <= step_ms:
            # .999 -> .000: the whole second is the border that was meant.
            border = times[n + 1][0] if raw[n].end.fraction == "999" else times[n][1]
            times[n][1] = times[n + 1][0] = border
    return tuple(Section(s.name, start, end, s.description) for s, (start, end) in zip(raw, times, strict=True))


def _lines(
    stamps: Sequence[RawStamp], code: Timecode, song_ms: int, hour_offset: int | None, literal: bool, file: str,
    notes: Notes,
) -> tuple[LyricLine, ...]:
    times = [timecode.read_ms(stamp, code) for stamp in stamps]
    hours = 0 if literal else min(times) // HOUR_MS if song_ms < min(times) else 0
    if hour_offset is not None and hour_offset * HOUR_MS > min(times):
        notes.add("hour_offset", file, "all stamps", f"corpus.toml asks for {hour_offset} h less, and the first "
                  f"stamp is at "
                  f"{min(times) / 1000:.3f} s", "nothing is subtracted; correct corpus.toml")
    elif hour_offset is not None:
        hours = hour_offset
    elif hours:
        notes.add("hour_offset", file, "all stamps", f"every stamp lies after hour {hours}, and the song lasts "
                  f"{song_ms / 1000:.0f} s", f"{hours} h are subtracted")
    off = hours * HOUR_MS
    lines = [LyricLine(ms - off, stamp.text, stamp.line_number,
                       tuple((timecode.read_ms(word, code) - off, word.text) for word in stamp.words))
             for ms, stamp in zip(times, stamps, strict=True)]
    return tuple(lines if literal else sorted(lines, key=lambda line: line.start_ms))


def _report(code: Timecode, placed: Sequence[tuple[str, RawStamp]], file: str, notes: Notes) -> None:
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
