"""Where the sound of a file ends: the container's chunks, walked and compared with the bytes that are there.

libsndfile believes the sizes in a header. Programs write wrong ones in both directions: a recorder that crashed leaves
the size of its last save, one that writes to a pipe leaves 0 or the largest number, a broken download is shorter than
its header says. The walk finds the true size where the file itself proves it, and the header is read with the
corrected numbers (:class:`Corrected`), so that libsndfile decodes all of the sound. If the file proves nothing, it
is refused.

Sources: IBM and Microsoft, Multimedia Programming Interface 1.0 (RIFF); EBU Tech 3306 (RF64), 3285 (bext); Apple, AIFF
1.3; RFC 9639 (FLAC); iXML 3.0.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from rainbow_assets.errors import RainbowError
from rainbow_assets.sound import flac_frames

MOST_CHUNKS = 10_000
"""A file with more chunks is no recording; without a bound, a file of empty chunks takes minutes."""
OPEN = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
"""Sizes that mean "not known yet": SoX writes 7FFFF000, others 7FFFFFFF, 80000000 or FFFFFFFF, less their header."""
TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN", b"<?xpacket")
"""How players' tags begin that are appended to any file."""
KNOWN = {name.encode("ascii") for name in (
    "LIST", "list", "bext", "iXML", "id3 ", "ID3 ", "cue ", "smpl", "fact", "junk", "JUNK", "PAD ", "FLLR", "acid",
    "inst", "plst", "note", "LGWV", "minf", "elm1", "regn", "umid", "DGDA", "afsp", "_PMX", "cart", "axml", "chna",
    "PEAK", "SAUR", "ResU", "strc", "DISP", "levl", "link", "mext", "MARK", "COMT", "INST", "NAME", "AUTH", "(c) ",
    "ANNO", "APPL", "MIDI", "AESD", "SAXL", "basc", "trns", "cate", "CHAN", "data", "SSND", "COMM", "FVER")}
"""Chunks that follow the sound in real files. Their sizes may be wrong; that they are there ends the sound."""

DESCRIBING = {b"fmt ": 64, b"ds64": 64, b"COMM": 64, b"bext": 346, b"iXML": 1 << 16}
"""Chunks that describe the sound -> how many bytes of them are read."""
_HALF = {half: re.compile(rb"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_" + half.encode() + rb">\s*([0-9]{1,10})\s*<")
         for half in ("HI", "LO")}


class UnreadableAudio(RainbowError):
    """An audio file that cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the walk found. ``frames``: counted in the bytes; None if only a decoder can count them.

    ``patches`` are {place in the file: bytes to read there instead}; from ``end`` on nothing belongs to the sound.
    ``remarks`` are sentences about a header that differs from the file. ``reference``: on the time line of the program
    that wrote the file, the sample at which it begins (``bext``, iXML); None if it does not say.
    """

    kind: str
    frames: int | None = None
    patches: Mapping[int, bytes] = field(default_factory=dict)
    end: int | None = None
    remarks: tuple[str, ...] = ()
    reference: int | None = None


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How a family of containers writes a chunk: bytes of its name and size, byte order, alignment.

    ``counts_itself``: the size includes the chunk's own header (Wave64).
    """

    kind: str
    name_bytes: int
    size_bytes: int
    order: Any
    align: int
    sound: bytes
    first: int
    counts_itself: bool = False

    @property
    def header(self) -> int:
        """Bytes before a chunk's content."""
        return self.name_bytes + self.size_bytes


_WAV = _Dialect("WAV", 4, 4, "little", 2, b"data", 12)
_RIFX = _Dialect("WAV", 4, 4, "big", 2, b"data", 12)
_RF64 = _Dialect("RF64", 4, 4, "little", 2, b"data", 12)
_W64 = _Dialect("W64", 16, 8, "little", 8, b"data", 40, counts_itself=True)
_AIFF = _Dialect("AIFF", 4, 4, "big", 2, b"SSND", 12)


def walk(stream: BinaryIO, name: str) -> Layout:
    """Return the layout of an audio file, chosen by its content; raise ``UnreadableAudio``.

    A container that is not known here is left to the decoder (kind ``other``).
    """
    size = stream.seek(0, 2)
    head = _read(stream, 0, 16)
    if head[:4] == b"fLaC" or head[:3] == b"ID3":
        return _flac(stream, size, name)
    if head[:4] == b"riff":
        return _Walk(stream, size, name, _W64).layout()
    kind = {(b"RIFF", b"WAVE"): _WAV, (b"RIFX", b"WAVE"): _RIFX, (b"RF64", b"WAVE"): _RF64, (b"BW64", b"WAVE"): _RF64,
            (b"FORM", b"AIFF"): _AIFF, (b"FORM", b"AIFC"): _AIFF}.get((head[:4], head[8:12]))
    return Layout("other") if kind is None else _Walk(stream, size, name, kind).layout()


def _read(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)


def _open(size: int) -> bool:
    return any(size in sizes for sizes in OPEN)


class _Walk:
    """One file of chunks."""

    def __init__(self, stream: BinaryIO, size: int, name: str, dialect: _Dialect) -> None:
        self.stream, self.size, self.name, self.how = stream, size, name, dialect
        self.patches: dict[int, bytes] = {}
        self.remarks: list[str] = []
        self.about: dict[bytes, tuple[int, bytes]] = {}
        """Chunks before the sound that describe it: {name: (place, content)}."""

    def layout(self) -> Layout:
        """Walk to the sound, find its true size, and return what has to be corrected."""
        at = self.how.first
        for _ in range(MOST_CHUNKS):
            chunk = self._chunk(at)
            if chunk is None:
                raise self._refused("has no sound in it")
            ident, body, length = chunk
            if ident == self.how.sound:
                return self._sound(at, body, length)
            if body + length > self.size:
                raise self._refused(f"is damaged: its chunk {ident!r} promises {length} bytes and "
                                    f"{self.size - body} are there")
            self._note(ident, body, length)
            at = self._after(body, length)
        raise self._refused(f"has more than {MOST_CHUNKS:,} chunks before its sound")

    def _chunk(self, at: int) -> tuple[bytes, int, int] | None:
        """Return (name, place of the content, its size) of the chunk at ``at``; None at the end of the file."""
        how = self.how
        head = _read(self.stream, at, how.header)
        if len(head) < how.header:
            return None
        length = int.from_bytes(head[how.name_bytes:], how.order) - (how.header if how.counts_itself else 0)
        return head[:4], at + how.header, max(length, 0)

    def _note(self, ident: bytes, body: int, length: int) -> None:
        """Keep the chunk if it describes the sound."""
        if ident in DESCRIBING:
            self.about.setdefault(ident, (body, _read(self.stream, body, min(length, DESCRIBING[ident]))))

    def _reference(self) -> int | None:
        """Return the time reference of the ``bext`` chunk, else of iXML."""
        content = self.about.get(b"bext", (0, b""))[1]
        if len(content) >= 346:
            return int.from_bytes(content[338:346], "little")
        halves = [_HALF[half].search(self.about.get(b"iXML", (0, b""))[1]) for half in ("HI", "LO")]
        high, low = (int(found[1]) if found else None for found in halves)
        return None if low is None else ((high or 0) << 32) + low

    def _after(self, body: int, length: int) -> int:
        return body + length + -(body + length - self.how.first) % self.how.align

    def _sound(self, at: int, body: int, claimed: int) -> Layout:
        skipped = 0
        if self.how is _AIFF:
            # An offset and a block size come before the samples.
            skipped = 8 + int.from_bytes(_read(self.stream, body, 4), "big")
            if skipped > 1 << 20 or body + skipped > self.size:
                raise self._refused("is damaged: its sound begins beyond its end")
        place = at + self.how.name_bytes
        if self.how is _RF64 and claimed == 0xFFFFFFFF and b"ds64" in self.about:
            place, content = self.about[b"ds64"][0] + 8, self.about[b"ds64"][1]
            claimed = int.from_bytes(content[8:16], "little")
        frame, counted = self._frame()
        there = self.size - body
        true = self._true(body, claimed, there, frame)
        if true != claimed:
            width = 8 if self.how is _W64 or place != at + self.how.name_bytes else 4
            written = true + (self.how.header if self.how.counts_itself else 0)
            if written >= 1 << (8 * width):
                raise self._refused("is longer than its header can say; export it again as RF64 or FLAC")
            self.patches[place] = written.to_bytes(width, self.how.order)
        frames = max(true - skipped, 0) // frame if frame else None
        if frames is not None and counted is not None and counted != frames:
            self._correct_comm(frames, counted)
        # What follows the sound is not needed, and its sizes may be wrong.
        return Layout(self.how.kind, frames, self.patches, body + true if self.patches else None, tuple(self.remarks),
                      self._reference())

    def _correct_comm(self, frames: int, counted: int) -> None:
        self.patches[self.about[b"COMM"][0] + 2] = frames.to_bytes(4, "big")
        if not self.remarks:
            self.remarks.append(f"{self.name}: its header counts {counted} frames, and it holds {frames}; all are read")

    def _frame(self) -> tuple[int | None, int | None]:
        """Return the bytes of one frame (None: compressed), and the frames that an AIFF counts."""
        if self.how is _AIFF:
            content = self.about.get(b"COMM", (0, b""))[1]
            if len(content) < 18:
                raise self._refused("does not describe its sound (no COMM chunk before it)")
            channels, counted = int.from_bytes(content[:2], "big"), int.from_bytes(content[2:6], "big")
            bits, packed = int.from_bytes(content[6:8], "big"), content[18:22]
            plain = packed in (b"", b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"fl64", b"FL64", b"in24", b"in32")
            return (channels * -(-bits // 8) or None) if plain else None, counted if plain else None
        content = self.about.get(b"fmt ", (0, b""))[1]
        if len(content) < 16:
            raise self._refused("does not describe its sound (no fmt chunk before it)")
        order = self.how.order
        tag, channels = int.from_bytes(content[:2], order), int.from_bytes(content[2:4], order)
        block, bits = int.from_bytes(content[12:14], order), int.from_bytes(content[14:16], order)
        if tag == 0xFFFE and len(content) >= 26:
            tag = int.from_bytes(content[24:26], order)
        if tag not in (1, 3) or not channels * bits:
            return None, None
        frame = channels * -(-bits // 8)
        if tag == 1 and bits == 24 and block == 4 * channels:
            return block, None  # 24 bits in words of 32
        if block not in (0, frame):
            raise self._refused(f"is damaged: its header describes frames of {block} bytes, and {channels} x {bits} "
                                f"bits are {frame}")
        return frame, None

    def _true(self, body: int, claimed: int, there: int, frame: int | None) -> int:
        """Return how many bytes of sound there are: as claimed, or what the file itself proves."""
        if claimed > there:
            if self.how.counts_itself or not _open(claimed):
                raise self._refused(f"is cut: its header promises {claimed} bytes of audio and {there} are there")
            return self._to_the_end(there, "leaves the length of the sound open")
        followers = {self._after(body, claimed), body + claimed}  # some programs forget the padding byte
        if there - claimed < self.how.align or any(self._chunks_from(at) for at in followers):
            return claimed
        if claimed == 0:
            return self._to_the_end(there, "says that there is no sound")
        rest = there - claimed
        if _read(self.stream, body + claimed, 12).startswith(TAGS):
            return claimed
        if self._covers_all():
            return self._to_the_end(there, f"says that the sound has {claimed} bytes")
        if rest < 1024 * (frame or 4) or self._zeros(body + claimed):
            self.remarks.append(f"{self.name}: {rest} bytes after the sound are no chunk; they are not read")
            return claimed
        raise self._refused(f"is damaged: its header ends the sound after {claimed} bytes, and {rest} bytes follow "
                            "that may be sound or not")

    def _to_the_end(self, there: int, claim: str) -> int:
        self.remarks.append(f"{self.name}: its header {claim}; the {there} bytes up to the end of the file are read")
        return there

    def _covers_all(self) -> bool:
        """Return True if the container's own size says that nothing foreign follows it."""
        claimed = int.from_bytes(_read(self.stream, 4, 4), self.how.order)
        return _open(claimed) or claimed == 0 or 0 <= self.size - 8 - claimed < self.how.align

    def _chunks_from(self, at: int) -> bool:
        """Return True if readable chunks begin at ``at``; raise for a second sound."""
        known = False
        for _ in range(MOST_CHUNKS):
            chunk = self._chunk(at)
            if chunk is None:
                return at == self.size or known
            ident, body, length = chunk
            if not (known := known or ident in KNOWN) and not all(32 <= byte < 127 for byte in ident):
                return False
            if body + length > self.size:
                return known
            self._note(ident, body, length)
            if ident == self.how.sound and length:
                raise self._refused("has two sounds in it (two data chunks), and nothing says which one is meant")
            at = self._after(body, length)
        return known

    def _zeros(self, at: int) -> bool:
        self.stream.seek(at)
        return all(not any(block) for block in iter(lambda: self.stream.read(1 << 20), b""))

    def _refused(self, what: str) -> UnreadableAudio:
        return UnreadableAudio(f"{self.name} {what}; export it again")


def _flac(stream: BinaryIO, size: int, name: str) -> Layout:
    try:
        found = flac_frames.measure(stream, size)
    except flac_frames.NoFlac:
        return Layout("other")
    if found.frames is None or found.claimed > found.frames:
        heard = "" if found.frames is None else f" and {found.frames} are there"
        raise UnreadableAudio(f"{name} is cut: its header promises {found.claimed or 'more'} samples{heard}; export it "
                              "again")
    if found.claimed == found.frames:
        return Layout("FLAC", found.frames)
    claim = f"says that it has {found.claimed} samples" if found.claimed else "leaves the length of the sound open"
    return Layout("FLAC", found.frames, {found.place: found.patch}, None,
                  (f"{name}: its header {claim}; all {found.frames} are read",))


class Corrected(io.RawIOBase):
    """A file that is read with other numbers in its header; nothing is written to it."""

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        super().__init__()
        self.stream, self.patches = stream, layout.patches
        self.size = stream.seek(0, 2) if layout.end is None else layout.end
        self.at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place in the file."""
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, from the start, from here or from the end."""
        self.at = max(offset + (0, self.at, self.size)[whence], 0)
        return self.at

    def readinto(self, buffer: Any) -> int:
        """Read up to the size of ``buffer``, with the corrections."""
        count = max(min(len(buffer), self.size - self.at), 0)
        self.stream.seek(self.at)
        data = bytearray(self.stream.read(count))
        for place, right in self.patches.items():
            for number, byte in enumerate(right, place - self.at):
                if 0 <= number < len(data):
                    data[number] = byte
        buffer[:len(data)] = data
        self.at += len(data)
        return len(data)
