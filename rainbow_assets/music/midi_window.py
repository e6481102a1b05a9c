"""A window of a MIDI file as a file of its own, that sounds as the whole one does there.

Tempo, signatures, programs, controllers and bend that are in force when the window begins are at its first tick;
notes that sound across its start begin there, notes that sound across its end stop there. Channel events and tempo
inside it are kept; sysex, lyrics and markers are not. The bytes depend on the file's events and the window alone.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections import defaultdict

import numpy as np

from rainbow_assets.digests import digest
from rainbow_assets.music.midi_song import MidiChange, MidiNote, MidiSong, UnreadableMidi

__all__ = ["MidiSong", "UnreadableMidi", "midi_digest", "midi_window"]

_CONDUCTOR = -1
"""Number of the track that holds tempo and signatures."""
_IN_FORCE, _INSIDE = range(2)
"""What is in force at the start of the window comes before the notes there, also those that began earlier."""
_LONGEST_DELTA = (1 << 28) - 1

Event = tuple[int, int, int, int, bytes]
"""Tick, place in the order above, tick in the file, order in the file's track, message: sorted, the file's order."""


def midi_window(song: MidiSong, start_ms: int, end_ms: int, sliver_ms: int = 0) -> bytes | None:
    """Return a type 1 MIDI file of ``start_ms`` to ``end_ms``, or None if no note sounds.

    It starts at tick 0 and its end of track is where the window ends, both ends rounded to a tick on their own, so
    that neighbors join. A note belongs to the window if it sounds in it, but not if only a sliver of it does: less than
    ``sliver_ms`` and than a thirty-second note, and less than half of the note. Players let keys go a little late, and
    windows begin on the beat: the end of such a note is no onset.
    Raises :class:`UnreadableMidi` if a tempo is so fast that the window has more ticks than a file can count.
    """
    found = _window(song, start_ms, end_ms, sliver_ms)
    return None if found is None else _write(song, *found)


def midi_digest(song: MidiSong, start_ms: int, end_ms: int, sliver_ms: int = 0) -> str | None:
    """Return the digest of the window's events (not of a file's bytes), or None if no note sounds."""
    found = _window(song, start_ms, end_ms, sliver_ms)
    if found is None:
        return None
    tracks, length = found
    return digest("midi", song.ticks_per_beat, length, [
        [_name(song, number), [[event[0], event[-1]] for event in events]] for number, events in tracks])


def _window(
    song: MidiSong, start_ms: int, end_ms: int, sliver_ms: int
) -> tuple[list[tuple[int, list[Event]]], int] | None:
    """Return ([(track, its events in order)], length in ticks) of the tracks that have any event; None for silence."""
    start, end = song.tick_at(start_ms), song.tick_at(end_ms)
    sliver = min(song.tick_at(start_ms + sliver_ms) - start, song.ticks_per_beat // 8, end - start)
    notes = _sounding(song, start, end, sliver)
    if not notes:
        return None
    if end - start > _LONGEST_DELTA:
        raise UnreadableMidi(f"{start_ms} to {end_ms} ms is {end - start} ticks, more than a MIDI file can count; "
                             "correct the file's tempo")
    tracks: defaultdict[int, list[Event]] = defaultdict(list)
    tracks[_CONDUCTOR] = _tempos(song, start, end)
    for changes in song.changes.values():
        for change, event in _in_window(changes, start, end):
            tracks[change.track].append(event)
    for note in notes:
        tracks[note.track] += _note_events(note, start, end)
    return [(number, sorted(events)) for number, events in sorted(tracks.items())], end - start


def _sounding(song: MidiSong, start: int, end: int, sliver: int) -> list[MidiNote]:
    ons, offs = song.spans
    inside = (ons < end) & ((offs > start) | ((offs == ons) & (ons == start)))
    shared = np.minimum(offs, end) - np.maximum(ons, start)
    # Half of a short note is in one of two windows, so that none is lost between them; of two halves, the onset counts.
    rest = (offs - ons) - shared
    inside &= (shared >= sliver) | (shared > rest) | ((shared == rest) & (ons >= start))
    return [song.notes[number] for number in np.flatnonzero(inside)]


def _note_events(note: MidiNote, start: int, end: int) -> list[Event]:
    on = bytes((0x90 | note.channel, note.pitch, note.velocity))
    off = bytes((0x80 | note.channel, note.pitch, note.release))
    return [(max(note.on, start) - start, _INSIDE, note.on, note.on_order, on),
            (min(note.off, end) - start, _INSIDE, note.off, note.off_order, off)]


def _tempos(song: MidiSong, start: int, end: int) -> list[Event]:
    first = bisect_right(song.tempos, start, key=lambda tempo: tempo[0]) - 1
    last = bisect_left(song.tempos, end, key=lambda tempo: tempo[0])
    return [(max(tick - start, 0), _IN_FORCE if tick <= start else _INSIDE, tick, 0,
             b"\xff\x51\x03" + tempo.to_bytes(3, "big")) for tick, tempo in song.tempos[first:last]]


def _in_window(changes: tuple[MidiChange, ...], start: int, end: int) -> list[tuple[MidiChange, Event]]:
    """Return the last change up to ``start``, moved there, and those inside."""
    first = bisect_right(changes, start, key=lambda change: change.tick)
    last = bisect_left(changes, end, key=lambda change: change.tick)
    return [(change, (max(change.tick - start, 0), _IN_FORCE if change.tick <= start else _INSIDE,
                      change.tick, change.order, change.data)) for change in changes[max(first - 1, 0):last]]


def _name(song: MidiSong, number: int) -> bytes:
    return b"" if number == _CONDUCTOR else song.names[number]


def _write(song: MidiSong, tracks: list[tuple[int, list[Event]]], length: int) -> bytes:
    chunks = [struct.pack(">4sIHHH", b"MThd", 6, 1, len(tracks), song.ticks_per_beat)]
    for number, events in tracks:
        name = _name(song, number)
        body = [b"\x00\xff\x03" + _variable(len(name)) + name] if name else []
        reached = 0
        for tick, _, _, _, message in events:
            body.append(_variable(tick - reached) + message)
            reached = tick
        body.append(_variable(length - reached) + b"\xff\x2f\x00")
        data = b"".join(body)
        chunks.append(struct.pack(">4sI", b"MTrk", len(data)) + data)
    return b"".join(chunks)


def _variable(value: int) -> bytes:
    """Return the variable-length form of a number below 2 ** 28, seven bits a byte (Standard MIDI Files 1.0)."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
