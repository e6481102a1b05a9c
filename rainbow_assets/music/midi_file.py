"""The one reader of Standard MIDI Files: bytes to events, and a sentence for each thing that had to be repaired.

Programs write headers with another number of tracks than there are, sizes that are too short or too long, and events
whose values no standard allows. None of that says anything about the notes, so a bad event costs itself: it is skipped
and counted, and the reading goes on behind it. A file is refused only if nothing in it can be placed in time.

Source: Standard MIDI Files 1.0 (RP-001); RMID (RP-029); General MIDI controllers.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from rainbow_assets.errors import RainbowError

SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE, TRACK_NAME, END_OF_TRACK = 0x51, 0x58, 0x59, 0x03, 0x2F
DEFAULT_TEMPO = 500_000
"""Microseconds per quarter note before the first tempo event: 120 BPM."""
_FRAME_TEMPO = {24: 1_000_000, 25: 1_000_000, 29: 1_001_000, 30: 1_000_000}
"""Frames per second of an SMPTE division -> microseconds that so many frames take (29 is 29.97, drop frame)."""
_DATA = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
"""Data bytes of a channel event, by the upper half of its status."""
_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Data bytes of system events, which do not belong into files; the others have none."""
_SIZES = {SET_TEMPO: 3, TIME_SIGNATURE: 4, KEY_SIGNATURE: 2}
MIDI_BYTES = 16 << 20
"""The size that a file has at most; an hour of dense music has 1 MB."""
_NO_DATA = re.compile(rb"[\x80-\xff]{4096}")
"""A run that only an overwritten file has; reading it as one number would take hours."""


class UnreadableMidi(RainbowError):
    """A MIDI file that cannot be used; the message says which and why."""


class MidiEvent(NamedTuple):
    """One event of a track: its ``tick``, its ``status`` (a meta event's type, negative) and its data bytes."""

    tick: int
    status: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MidiFile:
    """The events of a file. ``tracks`` are (events in order, tick of the end); ``division`` is ticks per quarter note.

    ``frame_tempo``: the one tempo of a file that counts SMPTE frames, in microseconds per ``division`` ticks; None if
    it counts beats. ``repairs`` are sentences about what was skipped or corrected.
    """

    kind: int
    division: int
    frame_tempo: int | None
    tracks: tuple[tuple[tuple[MidiEvent, ...], int], ...]
    repairs: tuple[str, ...]


def read_midi(data: bytes, name: str = "MIDI data") -> MidiFile:
    """Return the events of a MIDI file, of type 0, 1 or 2 or inside a RIFF (RMID); raise ``UnreadableMidi``."""
    if len(data) > MIDI_BYTES:
        raise UnreadableMidi(f"{name} has {len(data):,} bytes, and at most {MIDI_BYTES:,} are read; export it again")
    if _NO_DATA.search(data):
        raise UnreadableMidi(f"{name} holds thousands of bytes that no MIDI data has; copy or export it again")
    at = data.find(b"MThd", 0, 512)
    if at < 0 or len(data) < at + 14:
        raise UnreadableMidi(f"{name} is not a MIDI file that can be read: it has no header; export it again")
    kind, announced, division = (int.from_bytes(data[at + place:at + place + 2], "big") for place in (8, 10, 12))
    repairs: list[str] = []
    if at and data[:4] != b"RIFF":
        repairs.append(f"{at} bytes before the header were skipped")
    if kind > 2:
        raise UnreadableMidi(f"{name} is of MIDI type {kind}; export it as type 0 or 1")
    division, tempo = _clock(division, name)
    tracks = _tracks(data, at + 8 + max(int.from_bytes(data[at + 4:at + 8], "big"), 6), repairs)
    if not tracks:
        raise UnreadableMidi(f"{name} has no tracks; export it again")
    if len(tracks) != announced:
        repairs.append(f"the header announces {announced} tracks, and there are {len(tracks)}")
    return MidiFile(kind, division, tempo, tuple(tracks), tuple(repairs))


def _clock(division: int, name: str) -> tuple[int, int | None]:
    """Return ticks per beat and, of a file that counts frames, what takes the place of its tempo."""
    if not division & 0x8000:
        if division == 0:
            raise UnreadableMidi(f"{name} has 0 ticks per quarter note, so its times mean nothing; export it again")
        return division, None
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in _FRAME_TEMPO or not ticks:
        raise UnreadableMidi(f"{name} counts time in {frames} SMPTE frames per second of {ticks} ticks, which the "
                             "standard does not know; export it with ticks per quarter note")
    # The nominal count of frames plays the part of a quarter note.
    return (30 if frames == 29 else frames) * ticks, _FRAME_TEMPO[frames]


def _tracks(data: bytes, at: int, repairs: list[str]) -> list[tuple[tuple[MidiEvent, ...], int]]:
    """Return the tracks of all chunks up to the end of the file, whatever the header announces."""
    found: list[tuple[tuple[MidiEvent, ...], int]] = []
    if data[at:at + 4] != b"MTrk" and (begin := data.find(b"MTrk", 14)) >= 0:
        at = begin
    while at + 8 <= len(data):
        name, size = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], "big")
        body, after = at + 8, at + 8 + size
        if name != b"MTrk":
            # Chunks of other names are allowed; bytes that are no chunk end the file unless a track follows.
            begin = after if name.isalnum() and data[after:after + 4] == b"MTrk" else data.find(b"MTrk", at + 1)
            if begin < 0:
                break
            at = begin
            continue
        end = _track_end(data, body, after, len(found), repairs)
        track = _Track(len(found), data, body, end)
        found.append(track.read())
        repairs += track.repairs()
        at = after if end == after else track.at
    return found


def _track_end(data: bytes, body: int, after: int, number: int, repairs: list[str]) -> int:
    """Return where the track ends at the latest: as its size says, or at the next track if the size is wrong."""
    if after == len(data) or _chunk_at(data, after):
        return after
    following = data.find(b"MTrk", body)
    end = len(data) if following < 0 else following
    if after > len(data) or (end != after and data[after - 3:after] != b"\xff\x2f\x00"):
        repairs.append(f"track {number}: its header has a size of {after - body} bytes, and {end - body} are there")
        return end
    return after


def _chunk_at(data: bytes, at: int) -> bool:
    size = int.from_bytes(data[at + 4:at + 8], "big")
    return data[at:at + 4] == b"MTrk" or (data[at:at + 4].isalnum() and at + 8 + size <= len(data))


class _Track:
    """Reads one track; ``at`` is the place of the next byte in the file."""

    def __init__(self, number: int, data: bytes, at: int, end: int) -> None:
        self.number, self.data, self.at, self.end = number, data, at, end
        self.tick = self.status = 0
        self.events: list[MidiEvent] = []
        self.skipped: Counter[str] = Counter()

    def repairs(self) -> list[str]:
        """Return a sentence per kind of thing that was skipped."""
        return [f"track {self.number}: {what} ({count} skipped)" if count > 1 else f"track {self.number}: {what}"
                for what, count in self.skipped.items()]

    def read(self) -> tuple[tuple[MidiEvent, ...], int]:
        """Return the events up to the end of the track, and the tick of that."""
        data, end = self.data, self.end
        try:
            while self.at < end:
                self.tick += self._number()
                at = self.at
                # Most events are notes and controllers with a status of their own: read without a call per byte.
                if at + 3 <= end and 0x80 <= data[at] < 0xC0 and (data[at + 1] | data[at + 2]) < 0x80:
                    self.status = data[at]
                    self.events.append(MidiEvent(self.tick, self.status, data[at + 1:at + 3]))
                    self.at = at + 3
                elif self._event():
                    break
        except IndexError:
            self.skipped["it ends in the middle of an event"] += 1
        return tuple(self.events), self.tick

    def _byte(self) -> int:
        if self.at >= self.end:
            raise IndexError
        self.at += 1
        return self.data[self.at - 1]

    def _number(self) -> int:
        """Read a number of variable length; one that is longer than the standard's four bytes is no time."""
        if self.at < self.end and self.data[self.at] < 0x80:
            self.at += 1
            return self.data[self.at - 1]
        value = 0
        for _ in range(4):
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        while self._byte() >= 0x80:
            pass
        self.skipped["a delta time of more than 28 bits"] += 1
        return 0

    def _event(self) -> bool:
        """Read one event; return True at the end of the track."""
        status = self._byte()
        if status == 0xFF:
            return self._meta()
        if status in (0xF0, 0xF7):
            self._skip(self._number())
        elif status > 0xF0:
            self._skip(_SYSTEM.get(status, 0))
            self.skipped[f"an event that belongs on a cable, not in a file (status {status:02X})"] += 1
        elif status >= 0x80:
            self.status = status
            self._channel(self._byte())
        elif self.status:
            self._channel(status)
        else:
            self.skipped["data bytes without an event before them"] += 1
        return False

    def _channel(self, first: int) -> None:
        data = bytes([first, self._byte()]) if _DATA[self.status & 0xF0] == 2 else bytes([first])
        if max(data) > 127:
            self.skipped["data bytes over 127, read as 127"] += 1
            data = bytes(min(byte, 127) for byte in data)
        self.events.append(MidiEvent(self.tick, self.status, data))

    def _meta(self) -> bool:
        kind = self._byte()
        size = self._number()
        begin = self.at
        self._skip(size)
        data = self.data[begin:self.at]
        if kind == END_OF_TRACK:
            return True
        if wrong := _wrong(kind, data):
            self.skipped[wrong] += 1
        else:
            self.events.append(MidiEvent(self.tick, -kind, data))
        return False

    def _skip(self, count: int) -> None:
        if self.at + count > self.end:
            self.at = self.end
            raise IndexError
        self.at += count


def _wrong(kind: int, data: bytes) -> str | None:
    """Return what is wrong with a meta event that would place notes or describe them."""
    if kind in _SIZES and len(data) != _SIZES[kind]:
        return f"a meta event {kind:02X} of {len(data)} bytes"
    if kind == SET_TEMPO and not any(data):
        return "a tempo of 0 microseconds per beat"
    if kind == KEY_SIGNATURE:
        sharps = int.from_bytes(data[:1], "big", signed=True)
        if abs(sharps) > 7 or data[1] > 1:
            return f"a key signature of {abs(sharps)} {'flats' if sharps < 0 else 'sharps'}, mode {data[1]}"
    if kind == TIME_SIGNATURE and (data[0] == 0 or data[1] > 7):
        return f"a time signature of {data[0]}/2^{data[1]}"
    return None
