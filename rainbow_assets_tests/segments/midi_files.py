"""MIDI files for the tests: sound ones written with mido, broken ones written byte by byte."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import mido

Timed = tuple[int, mido.Message | mido.MetaMessage]


def on(pitch: int, velocity: int = 64, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(pitch: int, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, velocity=0, channel=channel)


def tempo(bpm: float) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=round(60_000_000 / bpm))


def midi(*tracks: Sequence[Timed], ticks: int = 480, kind: int = 1) -> bytes:
    """Return a MIDI file of tracks of (tick, message), each in order of its ticks."""
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for events in tracks:
        track, reached = mido.MidiTrack(), 0
        for tick, message in events:
            track.append(message.copy(time=tick - reached))
            reached = tick
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def header(kind: int = 1, tracks: int = 1, division: int = 480, size: int = 6) -> bytes:
    return struct.pack(">4sIHHH", b"MThd", size, kind, tracks, division)


def chunk(data: bytes, size: int | None = None, name: bytes = b"MTrk") -> bytes:
    return name + struct.pack(">I", len(data) if size is None else size) + data


END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x00"

BROKEN: dict[str, bytes] = {
    "empty": b"",
    "one byte": b"M",
    "text": b"this is no MIDI file at all\n",
    "another format": b"RIFF\x00\x00\x00\x00WAVEfmt ",
    "zeros": bytes(200),
    "erased": b"\xff" * 9000,
    "erased after the header": header() + chunk(b"\xff" * 9000),
    "only a name": b"MThd",
    "half a header": header()[:11],
    "header alone, track announced": header(),
    "no tracks": header(tracks=0),
    "negative count of tracks": header(tracks=0xFFFF),
    "0 ticks per quarter note": header(division=0) + chunk(NOTE + END),
    "type 3": header(kind=3) + chunk(NOTE + END),
    "type 65535": header(kind=0xFFFF) + chunk(NOTE + END),
    "track of another name": header() + chunk(NOTE + END, name=b"MTrx"),
    "track cut in the length": header() + b"MTrk\x00\x00",
}

BENT: dict[str, tuple[bytes, int]] = {
    "note that never ends": (header() + chunk(b"\x00\x90\x3c\x40\x83\x60\xff\x2f\x00"), 1),
    "note end without a note": (header() + chunk(b"\x00\x80\x3c\x40" + NOTE + END), 1),
    "no end of track": (header() + chunk(NOTE), 1),
    "data byte over 127": (header() + chunk(b"\x00\x90\x3c\xf0\x60\x80\x3c\x00" + END), 1),
    "name in Latin-1": (header() + chunk(b"\x00\xff\x03\x03\xe9\xff\x80" + NOTE + END), 1),
    "name in Shift JIS": (header() + chunk(b"\x00\xff\x03\x04\x83\x68\x83\x89" + NOTE + END), 1),
    "unknown meta event": (header() + chunk(b"\x00\xff\x60\x02\x01\x02" + NOTE + END), 1),
    "running status": (header() + chunk(b"\x00\x90\x3c\x40\x60\x3c\x00\x00\x3e\x40\x60\x3e\x00" + END), 2),
    "junk after the last track": (header() + chunk(NOTE + END) + b"junk", 1),
    "empty track": (header(tracks=2) + chunk(b"") + chunk(NOTE + END), 1),
    "no notes": (header() + chunk(END), 0),
}
"""Files that are wrong in a way that leaves their notes readable, with the number of notes."""

REPAIRED: dict[str, tuple[bytes, int, str]] = {
    "SMPTE 25 fps": (header(division=0xE728) + chunk(NOTE + END), 1, ""),
    "SMPTE 30 fps": (header(division=0xE250) + chunk(NOTE + END), 1, ""),
    "track cut in a delta time": (header() + chunk(NOTE + b"\x81", size=100), 1, "middle of an event"),
    "track cut in a note": (header() + chunk(b"\x00\x90\x3c", size=100), 0, "middle of an event"),
    "track cut in a meta event": (header() + chunk(b"\x00\xff\x51\x03\x07", size=100), 0, "middle of an event"),
    "track cut in sysex": (header() + chunk(b"\x00\xf0\x05\x01", size=100), 0, "middle of an event"),
    "track shorter than announced": (header() + chunk(NOTE + END, size=5000), 1, "a size of 5000 bytes, and 12 are there"),
    "track longer than announced": (header() + chunk(NOTE + END, size=3), 1, "a size of 3 bytes"),
    "second track missing": (header(tracks=2) + chunk(NOTE + END), 1, "announces 2 tracks, and there are 1"),
    "running status without status": (header() + chunk(b"\x00\x3c\x40" + END), 0, "data bytes without an event"),
    "undefined status": (header() + chunk(b"\x00\xf4\x00" + END), 0, "(status F4)"),
    "delta time beyond 28 bits": (header() + chunk(NOTE + b"\x8f\xff\xff\xff\x7f\x90\x3c\x40" + END), 2, "more than 28 bits"),
    "delta time without end": (header() + chunk(NOTE + b"\x81" * 3000 + b"\x01\x90\x3c\x40" + END), 2, "more than 28 bits"),
    "tempo of 0": (header() + chunk(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END), 1, "tempo of 0"),
    "tempo of one byte": (header() + chunk(b"\x00\xff\x51\x01\x07" + NOTE + END), 1, "51 of 1 bytes"),
    "time signature of one byte": (header() + chunk(b"\x00\xff\x58\x01\x04" + NOTE + END), 1, "58 of 1 bytes"),
    "key signature of 20 sharps": (header() + chunk(b"\x00\xff\x59\x02\x14\x00" + NOTE + END), 1, "20 sharps"),
    "key signature of no bytes": (header() + chunk(b"\x00\xff\x59\x00" + NOTE + END), 1, "59 of 0 bytes"),
    "meta event longer than any": (header() + chunk(b"\x00\xff\x01\xff\xff\xff\x7f" + NOTE + END), 0, "middle of an event"),
    "RMID": (b"RIFF\x32\x00\x00\x00RMIDdata\x26\x00\x00\x00" + header() + chunk(NOTE + END), 1, ""),
    "a chunk of another program between the tracks": (header(tracks=2) + chunk(NOTE + END) + chunk(b"hello", name=b"XFIH")
                                                      + chunk(NOTE + END), 2, ""),
    "more tracks than announced": (header() + chunk(NOTE + END) + chunk(NOTE + END), 2, "announces 1 tracks, and there are 2"),
    "bytes before the header": (bytes(128) + header() + chunk(NOTE + END), 1, "128 bytes before the header"),
    "key signature of 128 flats": (header() + chunk(b"\x00\xff\x59\x02\x80\x00" + NOTE + END), 1, "128 flats"),
    "a clock inside a track": (header() + chunk(b"\x00\xf8" + NOTE + END), 1, "status F8"),
}
"""Files whose notes are read although something of them is skipped: with the number of notes and what the reader says."""
