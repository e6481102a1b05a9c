"""LRC lyrics, read tolerantly: stamp-then-next-line and inline forms, whatever the spaces, line ends and digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rainbow_assets.corpus.anomalies import Notes

STAMP = re.compile(r"\[\s*(\d{1,3})\s*:\s*(\d{1,2})(?:\s*\.\s*(\d{1,3}))?\s*\]")
PLAIN = re.compile(r"\[\d{2}:\d{2}\.\d{3}\]")
TAG = re.compile(r"^\s*\[\s*([A-Za-z#][A-Za-z_#]*)\s*:(.*?)\]\s*$")
ALMOST = re.compile(r"\[\s*\d[\d\s:./,;\-]*\]")
REPAIRS = re.compile(r"\[\s*(\d{1,3})\s*[:.]\s*(\d{1,2})\s*[:./,;]\s*(\d{1,3})\s*\]")


@dataclass(frozen=True, slots=True)
class RawStamp:
    """One stamp as it stands: minutes, seconds, the digits of the fraction, and the lyric that belongs to it."""

    minutes: int
    seconds: int
    fraction: str
    line_number: int
    text: str = ""

    @property
    def literal_ms(self) -> int:
        """The plain reading: the fraction is a decimal fraction of a second."""
        return (self.minutes * 60 + self.seconds) * 1000 + (int(self.fraction.ljust(3, "0")) if self.fraction else 0)


@dataclass(frozen=True, slots=True)
class RawLyrics:
    """ID tags (lower case) and stamps in file order."""

    tags: dict[str, str]
    stamps: tuple[RawStamp, ...]


def decode(data: bytes, file: str, notes: Notes) -> str | None:
    """Return the text of a lyrics file, or None where it is not text (reported)."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data:
            notes.add("unreadable_lyrics", file, "line 1", "the file is not text", "the song is sliced by its sections")
            return None
        line = data.count(b"\n", 0, error.start) + 1
        notes.add("odd_stamp", file, f"line {line}", "the line is not UTF-8", "read as Windows-1252")
        return data.decode("cp1252", "replace")


def parse(text: str, file: str, notes: Notes) -> RawLyrics:
    """Read ``text``; report what is odd, with its line; never raise."""
    tags: dict[str, str] = {}
    stamps: list[RawStamp] = []
    open_stamps: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        body = line.strip().removeprefix("\ufeff")
        if not body:
            continue
        found, rest = _stamps(body, number, file, notes)
        if found:
            open_stamps = list(range(len(stamps), len(stamps) + len(found)))
            stamps += found
            if rest:
                _give(stamps, open_stamps, rest)
        elif (tag := TAG.match(body)) and not stamps:
            tags[tag[1].lower()] = tag[2].strip()
        elif ALMOST.match(body):
            notes.add("bad_stamp", file, f"line {number}", f"{ALMOST.match(body)[0]} is no time stamp",  # type: ignore[index]
                      "its lyric is kept with the line before; correct it to [mm:ss.mmm]")
            tail = ALMOST.sub("", body, count=1).strip()
            if tail:
                _stray(stamps, open_stamps, tail, number, file, notes)
        else:
            if not open_stamps or stamps[open_stamps[-1]].text:
                _stray(stamps, open_stamps, body, number, file, notes)
            else:
                _give(stamps, open_stamps, body)
    return RawLyrics(tags, tuple(stamps))


def _stamps(body: str, number: int, file: str, notes: Notes) -> tuple[list[RawStamp], str]:
    """Return the stamps at the start of a line and the text after them."""
    found: list[RawStamp] = []
    rest = body
    while match := STAMP.match(rest):
        if int(match[2]) > 59:
            notes.add("bad_stamp", file, f"line {number}", f"{match[0]} has {match[2]} seconds", "correct it to [mm:ss.mmm]")
            return found, rest[match.end():].strip()
        if not PLAIN.fullmatch(match[0]):
            notes.add("odd_stamp", file, f"line {number}", f"{match[0]} is not of the form [mm:ss.mmm]", "read all the same")
        found.append(RawStamp(int(match[1]), int(match[2]), match[3] or "", number))
        rest = rest[match.end():].strip()
    if not found and (repair := REPAIRS.match(rest)) and int(repair[2]) <= 59:
        notes.add("odd_stamp", file, f"line {number}", f"{repair[0]} is not of the form [mm:ss.mmm]",
                  f"read as [{int(repair[1]):02d}:{int(repair[2]):02d}.{repair[3]}]")
        found.append(RawStamp(int(repair[1]), int(repair[2]), repair[3], number))
        rest = rest[repair.end():].strip()
    return found, rest


def _give(stamps: list[RawStamp], places: list[int], text: str) -> None:
    for place in places:
        stamps[place] = replace(stamps[place], text=text)


def _stray(stamps: list[RawStamp], places: list[int], text: str, number: int, file: str, notes: Notes) -> None:
    """Keep text that no stamp of its own introduces with the line before it; before the first stamp, report it."""
    if not places:
        notes.add("stray_text", file, f"line {number}", "text stands before the first stamp", "kept in lrc_lyrics only")
        return
    notes.add("stray_text", file, f"line {number}", "a line of text has no stamp", "joined to the lyric above it")
    for place in places:
        joined = f"{stamps[place].text}\n{text}" if stamps[place].text else text
        stamps[place] = replace(stamps[place], text=joined)
