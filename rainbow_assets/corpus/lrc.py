"""LRC lyrics by a closed grammar: line stamps, word stamps, tags and words; nothing else becomes a lyric.

A line begins with any number of ``[mm:ss.mmm]`` stamps; its words follow, on the same line or on the next one. A stamp
among the words (``<mm:ss.mmm>`` of the "enhanced" form, or in square brackets) is the time of the word after it. Tags
(``[ar:...]``) may be anywhere. Any other bracket is reported and left out of the lyric; so are marks of who sings, such
as ``F:`` and ``v1:``. Characters written as in HTML (``&apos;``) are read as these characters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.outside import report_text
from rainbow_assets.text import counted, from_html

# Stamps of the forms PLAIN and SHORT are usual; other readable ones are reported as odd. ALMOST also matches what
# cannot be read: a broken stamp is reported as one and does not become part of a lyric.
STAMP = re.compile(r"([0-9]{1,4})\s*:\s*([0-9]{1,2})(?:\s*\.\s*([0-9]{1,3}))?")
HOURS = re.compile(r"([0-9]{1,2})\s*:\s*([0-9]{1,2})\s*:\s*([0-9]{1,2})\s*[.:;,]\s*([0-9]{1,6})")
REPAIR = re.compile(r"([0-9]{1,4})\s*[:;.]\s*([0-9]{1,2})\s*[:;./,]\s*([0-9]{1,6})")
PLAIN = re.compile(r"[\[<][0-9]{2}:[0-9]{2}\.[0-9]{3}[\]>]")
SHORT = re.compile(r"[\[<][0-9]{2}:[0-9]{2}\.[0-9]{1,2}[\]>]")
BRACKET = re.compile(r"\[[^\[\]]*\]|<[^<>]*>")
ALMOST = re.compile(r"[\[<]\s*[0-9][0-9\s:./,;\-+]*[\]>]?")
TAG = re.compile(r"\[\s*([A-Za-z#][A-Za-z_#]*)\s*:(.*)\]")
TAGS = {"ti", "ar", "al", "au", "by", "re", "ve", "la", "lr", "id", "tool", "length", "offset", "encoding", "kana", "#"}
"""Tags that mean the same after the first stamp; before it, every name is a tag."""
SINGER = re.compile(r"\s*(?:[FMD]|v[0-9]{1,3}):\s*")
"""Who sings the line: female, male, both ("Walaoke"), or a voice by number."""
INVISIBLE = ("".join(filter(str.isspace, map(chr, range(0x3001)))) +
             "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
"""Spaces and characters that are not shown, around a text. Inside a text they may join or part its letters."""
LINE_END = re.compile(r"\r\n|\n|\r")
MOST = 50_000
"""Lines, or brackets, that a lyrics file may have; each costs time."""


@dataclass(frozen=True, slots=True)
class RawStamp:
    """One stamp as written: minutes, seconds, digits of the fraction, its line, and the lyric that belongs to it.

    ``words`` are the stamps inside the lyric, each with the words up to the next; empty if there are none.
    """

    minutes: int
    seconds: int
    fraction: str
    line_number: int = 0
    text: str = ""
    words: tuple[RawStamp, ...] = ()

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
    """Return the text of a lyrics file; report and return None if it is not text, or too much of it."""
    text = _text(data, file, notes)
    if text is None:
        return None
    for what, found in (("lines", LINE_END), ("brackets", BRACKET)):
        if (number := len(found.findall(text))) > MOST:
            notes.add("unreadable_lyrics", file, "file", f"it has {number:,} {what}, and at most {MOST:,} are read",
                      "the song is sliced by its sections")
            return None
    return text


def _text(data: bytes, file: str, notes: AnomalyLog) -> str | None:
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
    """Read ``text`` and report what is unusual, with its line. Never raises, and keeps every lyric.

    >>> found = AnomalyLog("05_01")
    >>> lyrics = parse("[ti:Kite]\\n[00:01.310]Paper kite\\n[Chorus]\\n", "05_01.lrc", found)
    >>> [(stamp.literal_ms, stamp.text) for stamp in lyrics.stamps], [(item.kind, item.where) for item in found.found]
    ([(1310, 'Paper kite')], [('stray_bracket', 'line 3')])
    """
    reader = _LrcReader(file, notes)
    for number, line in enumerate(LINE_END.split(text), start=1):
        if body := line.strip(INVISIBLE):
            report_text("the line", body, file, f"line {number}", notes)
            reader.line(body, number)
    reader.join()
    reader.summarize()
    return RawLyrics(reader.tags, tuple(reader.stamps))


@dataclass
class _LrcReader:
    """The state of the reader: the stamps so far, and in ``open`` those that the next line of text belongs to.

    ``stray``: lines of text after theirs, which are joined to it when the next stamp comes.
    """

    file: str
    notes: AnomalyLog
    tags: dict[str, str] = field(default_factory=dict)
    stamps: list[RawStamp] = field(default_factory=list)
    open: range = range(0)
    stray: list[str] = field(default_factory=list)
    short: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    marked: list[int] = field(default_factory=list)
    escaped: list[int] = field(default_factory=list)

    def line(self, body: str, number: int) -> None:
        found, pieces, bad = self._pieces(body, number)
        if (found or len(pieces) > 1) and (mark := SINGER.match(pieces[0][1])):
            self.marked.append(number)
            pieces[0] = None, pieces[0][1][mark.end():]
        text = "".join(piece for _, piece in pieces).strip(INVISIBLE)
        if text not in body:
            # Something was cut out of the middle: the spaces on both sides of it become one.
            text = " ".join(text.split())
        words = _words(found, pieces)
        if not found and words and (self.stray or not self.open or self.stamps[self.open[-1]].text):
            found = [replace(words[0], text="")]
        if found:
            self.join()
            self.open = range(len(self.stamps), len(self.stamps) + len(found))
            self.stamps += found
            if text:
                self._give(text, words)
        elif text and not bad and self.open and not self.stray and not self.stamps[self.open[-1]].text:
            self._give(text, words)
        elif text:
            self._note_stray(text, number)

    def _pieces(self, body: str, number: int) -> tuple[list[RawStamp], list[tuple[RawStamp | None, str]], bool]:
        """Return the stamps at the start of a line, its text after each stamp inside, and whether one was unreadable.

        The first piece of text has no stamp of its own.
        """
        found: list[RawStamp] = []
        pieces: list[tuple[RawStamp | None, str]] = [(None, "")]
        bad, at = False, 0
        for match in BRACKET.finditer(body):
            pieces[-1] = pieces[-1][0], pieces[-1][1] + self._plain(body[at:match.start()], number)
            at, written = match.end(), match[0]
            if not ALMOST.fullmatch(written):
                self._other(written, number)
                continue
            stamp = read_stamp(written, number)
            if stamp is None:
                bad = True
                self.notes.add("bad_stamp", self.file, f"line {number}", f"{written} is not a time stamp",
                               "its lyric is kept with the line before; correct it to [mm:ss.mmm]")
                continue
            self._judge(written, stamp)
            if written[0] == "[" and len(pieces) == 1 and not pieces[0][1].strip():
                found.append(stamp)
            else:
                pieces.append((stamp, ""))
        pieces[-1] = pieces[-1][0], pieces[-1][1] + self._plain(body[at:], number)
        return found, pieces, bad

    def _other(self, written: str, number: int) -> None:
        """Keep a bracket that is a tag, and report any other one."""
        tag = TAG.fullmatch(written)
        if tag is None or (self.stamps and tag[1].lower() not in TAGS):
            self.notes.add("stray_bracket", self.file, f"line {number}", f"{written[:60]} is neither a stamp nor a tag",
                           "kept in lrc_lyrics only; write words without brackets")
            return
        name, value = tag[1].lower(), tag[2].strip()
        self.tags[name] = value
        if name == "offset" and value.lstrip("+-0"):
            self.notes.add("offset_tag", self.file, f"line {number}", f"the tag asks for a shift of {value[:40]} ms",
                           "not applied; write the shift into the stamps")

    def _plain(self, text: str, number: int) -> str:
        """Return the words of ``text``; a bracket that is never closed is reported and left out."""
        if "&" in text and (plain := from_html(text)) != text:
            text = plain
            self.escaped.append(number)
        if "[" not in text and "]" not in text:
            return text
        cut = re.sub(r"\[\s*[0-9][0-9\s:./,;]*|[\[\]]", " ", text)
        self.notes.add("stray_bracket", self.file, f"line {number}",
                       f"a bracket of {text.strip()[:40]!r} has no partner", "left out of the lyric; correct the stamp")
        return cut

    def _judge(self, written: str, stamp: RawStamp) -> None:
        if SHORT.fullmatch(written):
            self.short[len(stamp.fraction)].append(stamp.line_number)
        elif not PLAIN.fullmatch(written):
            self.notes.add("odd_stamp", self.file, f"line {stamp.line_number}",
                           f"{written} is not of the form [mm:ss.mmm]",
                           f"read as [{stamp.minutes:02d}:{stamp.seconds:02d}.{stamp.fraction}]")

    def summarize(self) -> None:
        """Report stamps with one or two digits of fraction once for all, because these are common forms of LRC."""
        for digits, meaning in ((1, "tenths of a second"), (2, "frames or hundredths, depending on the time code")):
            if lines := self.short[digits]:
                self.notes.add("odd_stamp", self.file, f"line {lines[0]}", f"{len(lines)} stamps from here to line "
                               f"{lines[-1]} are of the form [mm:ss.{'x' * digits}]", f"read as {meaning}")

        for kind, lines, what, action in (
            ("singer_mark", self.marked, "with a mark of who sings (F:, v1:)", "the marks are left out of the lyric"),
            ("odd_text", self.escaped, "with characters written as in HTML", "read as these characters"),
        ):
            if lines:
                self.notes.add(kind, self.file, f"line {lines[0]}", f"{counted(len(set(lines)), 'line')} {what}, up to "
                               f"line {lines[-1]}", action)

    def _give(self, text: str, words: tuple[RawStamp, ...] = ()) -> None:
        for place in self.open:
            # Word times are those of the first of several stamps; the others repeat the line at other times.
            own = words if place == self.open[0] else ()
            self.stamps[place] = replace(self.stamps[place], text=text, words=own)

    def _note_stray(self, text: str, number: int) -> None:
        """Keep text without a stamp for the line before it; before the first stamp, only report it."""
        where = f"line {number}"
        if not self.open:
            self.notes.add("stray_text", self.file, where, "there is text before the first stamp",
                           "kept in lrc_lyrics only")
            return
        self.notes.add("stray_text", self.file, where, "a line of text has no stamp of its own",
                       "joined to the lyric above it")
        self.stray.append(text)

    def join(self) -> None:
        """Join the stray lines to the lyric above them."""
        if self.stray:
            above = self.stamps[self.open[-1]].text
            self._give("\n".join([above, *self.stray] if above else self.stray), self.stamps[self.open[0]].words)
            self.stray = []


def _words(found: list[RawStamp], pieces: list[tuple[RawStamp | None, str]]) -> tuple[RawStamp, ...]:
    """Return the words with their stamps; those before the first stamp inside a line have the line's own."""
    if len(pieces) == 1:
        return ()
    first = found[0] if found else None
    timed = [(stamp or first, " ".join(text.split())) for stamp, text in pieces]
    return tuple(replace(stamp, text=text) for stamp, text in timed if stamp is not None and text)


def read_stamp(written: str, number: int = 0) -> RawStamp | None:
    """Return one bracketed stamp, or None if it cannot be read safely.

    Forms: ``[mm:ss]``, ``[mm:ss.f]`` with one to three digits, either with hours before it. A wrong separator before
    the fraction is read as a point. Of a fraction with more than three digits the first three count: they mean the same
    in milliseconds (to 1 ms) and in frames with a subframe digit.
    """
    body = written.strip("[]<>").strip()
    if match := STAMP.fullmatch(body) or REPAIR.fullmatch(body):
        hours, minutes, seconds, fraction = 0, int(match[1]), int(match[2]), match[3] or ""
    elif match := HOURS.fullmatch(body):
        hours, minutes, seconds, fraction = int(match[1]), int(match[2]), int(match[3]), match[4]
    else:
        return None
    if seconds > 59 or (hours and minutes > 59):
        return None
    return RawStamp(60 * hours + minutes, seconds, fraction[:3], number)
