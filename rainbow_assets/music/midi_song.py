"""A MIDI file read once: its notes, its tempo map and what else is in force, indexed for cutting windows.

Ticks are those of the file, times ``scale`` where its resolution is coarse (see :data:`FINE`), so that the ends of a
window, which can be anywhere, are at most a few milliseconds from a tick.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.music.midi_file import (
    DEFAULT_TEMPO,
    KEY_SIGNATURE,
    MIDI_BYTES,
    SET_TEMPO,
    TIME_SIGNATURE,
    TRACK_NAME,
    MidiEvent,
    MidiFile,
    UnreadableMidi,
    read_midi,
)
from rainbow_assets.text import counted

FINE = 960
"""Ticks per quarter note that a window has at least: at 60 BPM a tick is then about 1 ms."""
SUSTAIN, SOSTENUTO, SOUND_OFF, RESET, NOTES_OFF = 64, 66, 120, 121, 123
"""Controllers that decide how long notes sound (General MIDI)."""
PERCUSSION = 9
"""The channel of percussion, from 0 (General MIDI: channel 10); its notes are instruments, not pitches."""
STANDARD_BPM = 60_000_000 / DEFAULT_TEMPO
"""The tempo of a MIDI file that sets none."""
NEAR = 0.02
"""The share by which two writings of one tempo may differ."""
_PEDALS = (SUSTAIN, SOSTENUTO)


def same_tempo(one: float, other: float) -> bool:
    """Return True if two tempos are one, written with other digits."""
    return abs(one / other - 1) <= NEAR


def is_standard(tempo: int) -> bool:
    """Return True for a tempo, in microseconds, that programs show as 120.00 BPM, however they rounded it.

    >>> [is_standard(tempo) for tempo in (499_999, 500_000, 500_020, 500_100)]
    [True, True, True, False]
    """
    return round(60_000_000 / tempo, 2) == STANDARD_BPM


class MidiNote(NamedTuple):
    """A note in ticks, ``on`` to ``off``, as long as it sounds: a pedal holds it after the key goes up (``key_off``).

    ``on_order`` and ``off_order`` are places in the order of its track.
    """

    on: int
    off: int
    key_off: int
    track: int
    channel: int
    pitch: int
    velocity: int
    release: int
    on_order: int
    off_order: int


@dataclass(frozen=True, slots=True)
class MidiChange:
    """An event that stays in force until the next of its ``kind``: tempo, signature, program, controller, bend."""

    tick: int
    track: int
    order: int
    kind: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class MidiSong:
    """A MIDI file on one timeline.

    ``notes`` are sorted by onset; a note that never ends lasts to the end of its track and is counted in
    ``unclosed``, one that a pedal lengthens in ``pedaled``. ``changes`` hold, per kind, the changes in order of time
    (the pedals are in the notes); tempo and signatures have track -1, for they count for all tracks. ``tempos`` are
    (tick, microseconds per quarter note), the first at tick 0. ``assumed_bpm`` is the tempo at the start of a file that
    sets none there, and None if it sets one; see :meth:`load` for 120. ``in_frames``: the file counts SMPTE frames, so
    its tempo is none of music. ``repairs`` are sentences about what the reader skipped or corrected. ``sure_tick`` is
    where the last note ends whose end the file has: not where a track ends with a note or a pedal still down.
    """

    ticks_per_beat: int
    tempos: tuple[tuple[int, int], ...]
    notes: tuple[MidiNote, ...]
    changes: dict[tuple[int, ...], tuple[MidiChange, ...]]
    names: tuple[bytes, ...]
    end_tick: int
    unclosed: int
    pedaled: int = 0
    assumed_bpm: float | None = None
    repairs: tuple[str, ...] = ()
    in_frames: bool = False
    sure_tick: int = 0

    @staticmethod
    def load(source: Path | bytes, bpm: float | None = None, name: str | None = None) -> MidiSong:
        """Read a MIDI file of type 0, 1 or 2; ``bpm`` is its tempo until the file sets one (None: 120, the standard's).

        If all that the file ever sets is 120, which programs write by default, ``bpm`` holds; beside another tempo at
        the same tick, 120 does not count. Messages call the file ``name``. Raises :class:`UnreadableMidi` for anything
        else, and for type 2 files whose tracks have tempo maps of their own (they share no timeline).
        """
        name = name or (source.name if isinstance(source, Path) else "MIDI data")
        try:
            data = read_file(source, MIDI_BYTES) if isinstance(source, Path) else source
        except FileNotFoundError:
            raise UnreadableMidi(f"{name} does not exist") from None
        except RefusedFile as error:
            raise UnreadableMidi(f"{name}: {error}") from None
        return _MidiReader(name, read_midi(data, name), bpm).song()

    def ms_at(self, tick: int) -> float:
        """Return the time of ``tick`` in milliseconds."""
        number = bisect_right(self.tempos, tick, key=lambda tempo: tempo[0]) - 1
        at, tempo = self.tempos[number]
        return (self._elapsed[number] + (tick - at) * tempo) / (1000 * self.ticks_per_beat)

    def tick_at(self, time_ms: int) -> int:
        """Return the tick nearest to ``time_ms``, exactly (integer arithmetic, half up)."""
        wanted = time_ms * 1000 * self.ticks_per_beat
        number = max(bisect_right(self._elapsed, wanted) - 1, 0)
        at, tempo = self.tempos[number]
        return at + (2 * (wanted - self._elapsed[number]) + tempo) // (2 * tempo)

    def bpm_at(self, tick: int) -> float:
        """Return the tempo at ``tick`` in quarter notes per minute."""
        return 60_000_000 / self.tempos[bisect_right(self.tempos, tick, key=lambda tempo: tempo[0]) - 1][1]

    def times_ms(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the time of each of ``ticks`` in milliseconds, float64 of the same shape."""
        tempos = np.array(self.tempos, dtype=np.float64)
        number = np.searchsorted(tempos[:, 0], ticks, "right") - 1
        before = np.array(self._elapsed, dtype=np.float64)[number]
        return (before + (ticks - tempos[number, 0]) * tempos[number, 1]) / (1000 * self.ticks_per_beat)

    @property
    def length_ms(self) -> float:
        """Time of the last end of track, milliseconds."""
        return self.ms_at(self.end_tick)

    @property
    def key_changes(self) -> tuple[MidiChange, ...]:
        """The key signatures, in order of time."""
        return self.changes.get((-1, KEY_SIGNATURE), ())

    @cached_property
    def _elapsed(self) -> tuple[int, ...]:
        """Time of each tempo change in microseconds times ``ticks_per_beat``."""
        sums = [0]
        for (at, tempo), (until, _) in pairwise(self.tempos):
            sums.append(sums[-1] + (until - at) * tempo)
        return tuple(sums)

    @cached_property
    def spans(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Onsets and ends of ``notes`` in ticks, each int64 [notes]."""
        return (np.array([note.on for note in self.notes], dtype=np.int64),
                np.array([note.off for note in self.notes], dtype=np.int64))


class _MidiReader:
    """Collects the events of all tracks of one file."""

    def __init__(self, name: str, file: MidiFile, bpm: float | None) -> None:
        self.name, self.file = name, file
        # A tempo event has three bytes, so the slowest tempo is 3.58 BPM.
        self.default = min(max(round(60_000_000 / bpm), 1), 0xFFFFFF) if bpm else DEFAULT_TEMPO
        self.scale = -(-FINE // file.division)
        self.notes: list[MidiNote] = []
        self.changes: list[MidiChange] = []
        self.tempos: list[tuple[int, int, int]] = []
        self.names: list[bytes] = []
        self.unclosed = self.pedaled = self.end_tick = self.sure_tick = 0
        for number, (events, end) in enumerate(file.tracks):
            self._track(number, events, end * self.scale)
        chosen = {tick for tick, _, tempo in self.tempos if not is_standard(tempo)}
        if chosen:
            self.tempos = [item for item in self.tempos if item[0] not in chosen or not is_standard(item[2])]
        elif not same_tempo(STANDARD_BPM, 60_000_000 / self.default):
            self.tempos.clear()

    def _track(self, number: int, events: tuple[MidiEvent, ...], end: int) -> None:
        keys, name = _Keys(number, end, len(events)), b""
        for order, event in enumerate(events):
            tick, status = event.tick * self.scale, event.status
            if status > 0:
                if not keys.take(tick, order, status, event.data):
                    message = bytes([status]) + event.data
                    # A controller or a key's pressure is a kind per number; program, bend, pressure one per channel.
                    of = message[:2] if status & 0xF0 in (0xA0, 0xB0) else message[:1]
                    # Per track as well: exports of one instrument per track use one channel for all of them.
                    self.changes.append(MidiChange(tick, number, order, (number, *of), message))
            elif -status == SET_TEMPO:
                self.tempos.append((tick, number, int.from_bytes(event.data, "big")))
            elif -status in (TIME_SIGNATURE, KEY_SIGNATURE):
                message = bytes([0xFF, -status, len(event.data)]) + event.data
                self.changes.append(MidiChange(tick, -1, order, (-1, -status), message))
            elif -status == TRACK_NAME:
                name = name or event.data
        self.notes += keys.finished()
        self.unclosed += keys.unclosed
        self.pedaled += keys.pedaled
        self.sure_tick = max(self.sure_tick, keys.sure)
        self.names.append(name)
        self.end_tick = max(self.end_tick, end)

    def song(self) -> MidiSong:
        """Return what was read, on one timeline."""
        kinds: defaultdict[tuple[int, ...], list[MidiChange]] = defaultdict(list)
        # Stable: at one tick the file's order of tracks, then of events, decides which is in force.
        for change in sorted(self.changes, key=lambda change: change.tick):
            kinds[change.kind].append(change)
        repairs = list(self.file.repairs)
        if self.unclosed:
            repairs.append(f"{counted(self.unclosed, 'note')} without an end, kept to the end of the track")
        given = self.file.frame_tempo is not None or any(tick == 0 for tick, _, _ in self.tempos)
        return MidiSong(
            self.file.division * self.scale, self._tempo_map(),
            tuple(sorted(self.notes, key=lambda n: (n.on, n.track, n.on_order))),
            {kind: tuple(found) for kind, found in sorted(kinds.items())},
            tuple(self.names), self.end_tick, self.unclosed, self.pedaled,
            None if given else 60_000_000 / self.default, tuple(repairs), self.file.frame_tempo is not None,
            self.sure_tick,
        )

    def _tempo_map(self) -> tuple[tuple[int, int], ...]:
        if self.file.frame_tempo is not None:
            return ((0, self.file.frame_tempo),)
        if self.file.kind == 2:
            own: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
            for tick, track, tempo in self.tempos:
                own[track].append((tick, tempo))
            if len(set(map(tuple, own.values()))) > 1:
                raise UnreadableMidi(
                    f"{self.name} is of MIDI type 2 and its tracks have different tempos, so they share no timeline; "
                    "export it as type 1"
                )
        merged = {0: self.default}
        # Stable: of several tempos at one tick, the last of the last track counts.
        merged.update((tick, tempo) for tick, _, tempo in sorted(self.tempos, key=lambda tempo: tempo[:2]))
        return tuple(sorted(merged.items()))


class _Keys:
    """The keys and pedals of one track: which notes sound, and until when."""

    def __init__(self, track: int, end: int, last: int) -> None:
        self.track, self.end, self.last = track, end, last
        self.notes: list[MidiNote] = []
        self.unclosed = self.pedaled = self.sure = 0
        """Notes without an end; notes that a pedal lengthens; the last end that the track itself has."""
        self.open: defaultdict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
        self.pedals: defaultdict[tuple[int, int], list[tuple[int, bool]]] = defaultdict(list)
        """(channel, controller) -> (tick, down) of each change."""

    def take(self, tick: int, order: int, status: int, data: bytes) -> bool:
        """Take a channel event if it is of a key or a pedal; return True if it is."""
        kind, channel, first = status & 0xF0, status & 0x0F, data[0]
        if kind == 0x90 and data[1]:
            self.open[channel, first].append((tick, data[1], order))
        elif kind in (0x80, 0x90):
            if self.open[channel, first]:
                self._close(channel, first, tick, data[1] if kind == 0x80 else 64, order)
        elif kind == 0xB0 and first in _PEDALS:
            self._pedal(channel, first, tick, data[1] >= 64)
        else:
            if kind == 0xB0 and first in (SOUND_OFF, RESET, NOTES_OFF):
                self._reset(channel, first, tick, order)
            return False
        return True

    def _pedal(self, channel: int, number: int, tick: int, down: bool) -> None:
        changes = self.pedals[channel, number]
        if down != bool(changes and changes[-1][1]):
            changes.append((tick, down))

    def _reset(self, channel: int, controller: int, tick: int, order: int) -> None:
        if controller != RESET:
            for own, pitch in [key for key, waiting in self.open.items() if waiting and key[0] == channel]:
                while self.open[own, pitch]:
                    self._close(own, pitch, tick, 64, order)
        if controller != NOTES_OFF:
            for number in _PEDALS:
                self._pedal(channel, number, tick, False)

    def _close(self, channel: int, pitch: int, tick: int, release: int, order: int) -> None:
        on, velocity, on_order = self.open[channel, pitch].popleft()
        self.notes.append(MidiNote(on, tick, tick, self.track, channel, pitch, velocity, release, on_order, order))

    def finished(self) -> list[MidiNote]:
        """Return all notes, as long as they sound."""
        self.sure = max((note.key_off for note in self.notes), default=0)
        for (channel, pitch), waiting in self.open.items():
            while waiting:
                self.unclosed += 1
                self._close(channel, pitch, self.end, 64, self.last)
        if not self.pedals:
            return self.notes
        onsets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for note in sorted(self.notes, key=lambda note: note.on):
            onsets[note.channel, note.pitch].append(note.on)
        return [self._sounding(note, onsets[note.channel, note.pitch]) for note in self.notes]

    def _sounding(self, note: MidiNote, onsets: list[int]) -> MidiNote:
        """Return the note until the pedal that holds it goes up, or until its key is struck again."""
        off = max(note.off, self._held_until(note, SUSTAIN, note.off), self._held_until(note, SOSTENUTO, note.off))
        again = bisect_right(onsets, note.on)
        if again < len(onsets):
            off = max(note.off, min(off, onsets[again]))
        self.pedaled += off > note.off
        if off < self.end:
            self.sure = max(self.sure, off)
        return note._replace(off=off)

    def _held_until(self, note: MidiNote, number: int, off: int) -> int:
        changes = self.pedals.get((note.channel, number), [])
        at = bisect_right(changes, off, key=lambda change: change[0]) - 1
        if at < 0 or not changes[at][1]:
            return off
        # The sostenuto pedal holds only the keys that were down when it went down.
        if number == SOSTENUTO and not note.on <= changes[at][0] <= note.off:
            return off
        return changes[at + 1][0] if at + 1 < len(changes) else max(self.end, off)
