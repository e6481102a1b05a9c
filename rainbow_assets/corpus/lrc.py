"""A tolerant reader of LRC lyrics: text after its stamp or on the next line, any spaces, line ends and digits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from rainbow_assets.corpus.anomalies import AnomalyLog

# Stamps of the forms PLAIN and SHORT are usual; other readable ones are reported as odd. ALMOST also matches what
# cannot be read: a broken stamp is reported as one and does not become part of a lyric.
STAMP = re.compile(r"\[\s*([0-9]{1,4})\s*:\s*([0-9]{1,2})(?:\s*\.\s*([0-9]{1,3}))?\s*\]")
PLAIN = re.compile(r"\[[0-9]{2}:[0-9]{2}\.[0-9]{3}\]")
SHORT = re.compile(r"\[[0-9]{2}:[0-9]{2}\.[0-9]{2}\]")
REPAIR = re.compile(r"\[\s*([0-9]{1,4})\s*[:;.]\s*([0-9]{1,2})\s*[:;./,]\s*([0-9]{1,6})\s*\]")
ALMOST = re.compile(r"\[\s*[0-9][0-9\s:./,;\-+]*\]")
TAG = re.compile(r"\[\s*([A-Za-z#][A-Za-z_#]*)\s*:(.*?)\]")
LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class RawStamp:
    """One stamp as written: minutes, seconds, digits of the fraction, its line, and the lyric that belongs to it."""

    minutes: int
    seconds: int
    fraction: str
    line_number: int = 0
    text: str = ""

    @property
    def literal_ms(self) -> int:
        """Milliseconds in the plain reading: the fraction is a decimal fraction of a second."""
        return (self.minutes * 60 + self.seconds) * 1000 + int(self.fraction.ljust(3, "0") or 0)


@dataclass(frozen=True, slots=True)
class RawLyrics:
    """ID tags (lower case) and stamps in file order."""

    tags: dict[str, str]
    stamps: tuple[RawStamp, ...]


def decode(data: bytes, file: str, notes: AnomalyLog) -> str | None:
    """Return the text of a lyrics file; report and return None if it is not text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        notes.add("odd_encoding", file, "line 1", "the file is UTF-16", "read as UTF-16; save it as UTF-8")
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        notes.add("unreadable_lyrics", file, "line 1", "the file is not text", "the song is sliced by its sections")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(LINE_END.findall(data[: error.start].decode("latin-1"))) + 1
        notes.add("odd_encoding", file, f"line {line}", "the line is not UTF-8",
                  "read as Windows-1252; save it as UTF-8")
        return data.decode("cp1252", "replace")


def parse(text: str, file: str, notes: AnomalyLog) -> RawLyrics:
    """Read ``text`` and report what is unusual, with its line. Never raises, and keeps every lyric."""
    reader = _LrcReader(file, notes)
    for number, line in enumerate(LINE_END.split(text), start=1):
        if body := line.strip().removeprefix("\ufeff").strip():
            reader.line(body, number)
    reader.summarize()
    return RawLyrics(reader.tags, tuple(reader.stamps))


@dataclass
class _LrcReader:
    """The state of the reader: the stamps so far, and in ``open`` those that the next line of text belongs to."""

    file: str
    notes: AnomalyLog
    tags: dict[str, str] = field(default_factory=dict)
    stamps: list[RawStamp] = field(default_factory=list)
    open: range = range(0)
    short: list[RawStamp] = field(default_factory=list)

    def line(self, body: str, number: int) -> None:
        found, rest, bad = self._stamps(body, number)
        if found:
            self.open = range(len(self.stamps), len(self.stamps) + len(found))
            self.stamps += found
            if rest:
                self._give(rest)
        elif bad:
            if rest:
                self._stray(rest, number)
        elif (tag := TAG.fullmatch(body)) and not self.stamps:
            self.tags[tag[1].lower()] = tag[2].strip()
            if tag[1].lower() == "offset" and tag[2].strip().lstrip("+-0"):
                self.notes.add("offset_tag", self.file, f"line {number}",
                               f"the tag asks for a shift of {tag[2].strip()} ms",
                               "not applied; write the shift into the stamps")
        elif self.open and not self.stamps[self.open[-1]].text:
            self._give(body)
        else:
            self._stray(body, number)

    def _stamps(self, body: str, number: int) -> tuple[list[RawStamp], str, bool]:
        """Return the stamps at the start of a line, the text after them, and whether one could not be read."""
        found: list[RawStamp] = []
        rest, bad = body, False
        while match := ALMOST.match(rest):
            stamp = read_stamp(match[0], number)
            if stamp is None:
                bad = True
                self.notes.add("bad_stamp", self.file, f"line {number}", f"{match[0]} is not a time stamp",
                               "its lyric is kept with the line before; correct it to [mm:ss.mmm]")
            else:
                found.append(stamp)
                self._judge(match[0], stamp)
            rest = rest[match.end():].strip()
        return found, rest, bad

    def _judge(self, written: str, stamp: RawStamp) -> None:
        if SHORT.fullmatch(written):
            self.short.append(stamp)
        elif not PLAIN.fullmatch(written):
            self.notes.add("odd_stamp", self.file, f"line {stamp.line_number}",
                           f"{written} is not of the form [mm:ss.mmm]",
                           f"read as [{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]")

    def summarize(self) -> None:
        """Report the two-digit form once for all stamps, because it is a common form of LRC."""
        if self.short:
            first, last = self.short[0].line_number, self.short[-1].line_number
            self.notes.add("odd_stamp", self.file, f"line {first}",
                           f"{len(self.short)} stamps from here to line {last} are "
                           "of the form [mm:ss.xx]", "read as frames or hundredths, depending on the time code")

    def _give(self, text: str) -> None:
        for place in self.open:
            self.stamps[place] = replace(self.stamps[place], text=text)

    def _stray(self, text: str, number: int) -> None:
        """Join text without a stamp to the line before it; before the first stamp, only report it."""
        where = f"line {number}"
        if not self.open:
            self.notes.add("stray_text", self.file, where, "there is text before the first stamp",
                           "kept in lrc_lyrics only")
            return
        self.notes.add("stray_text", self.file, where, "a line of text has no stamp of its own",
                       "joined to the lyric above it")
        above = self.stamps[self.open[-1]].text
        self._give(f"{above}\n{text}" if above else text)


def read_stamp(written: str, number: int = 0) -> RawStamp | None:
    """Return one bracketed stamp, or None if it cannot be read safely.

    A wrong separator before the fraction is read as a point. Of a fraction with more than three digits the first three
    count: they mean the same in milliseconds (to 1 ms) and in frames with a subframe digit.
    """
    match = STAMP.fullmatch(written) or REPAIR.fullmatch(written)
    if match is None or int(match[2]) > 59:
        return None
    return RawStamp(int(match[1]), int(match[2]), (match[3] or "")[:3], number)
