"""A MIDI file read once: its notes, its tempo map and what else is in force, indexed for cutting windows.

Ticks are those of the file, times ``scale`` where its resolution is coarse (see :data:`FINE`), so that the ends of a
window, which can be anywhere, are at most a few milliseconds from a tick.
"""

from __future__ import annotations

import io
import re
import struct
from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rainbow_assets.errors import RainbowError

FINE = 960
"""Ticks per quarter note that a window has at least: at 60 BPM a tick is then about 1 ms."""
if TYPE_CHECKING:
    import mido

DEFAULT_TEMPO = 500_000
"""Microseconds per quarter note before the first tempo event (Standard MIDI Files 1.0): 120 BPM."""
_LONGEST_DELTA = (1 << 28) - 1
_NO_DATA = re.compile(rb"[\x80-\xff]{4096}")
"""A run that only an overwritten file has; reading it as one number would take hours."""
_SIGNATURES = {"time_signature": 0x58, "key_signature": 0x59}
_MALFORMED = (OSError, EOFError, ValueError, IndexError, KeyError, TypeError, struct.error)


class UnreadableMidi(RainbowError):
    """A MIDI file that cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class MidiNote:
    """A note in ticks, ``on`` to ``off``. ``on_order`` and ``off_order`` are places in the order of its track."""

    on: int
    off: int
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
    ``unclosed``. ``changes`` hold, per kind, the changes in order of time; tempo and signatures have track -1, for
    they count for all tracks. ``tempos`` are (tick, microseconds per quarter note), the first at tick 0.
    """

    ticks_per_beat: int
    tempos: tuple[tuple[int, int], ...]
    notes: tuple[MidiNote, ...]
    changes: dict[tuple[int, ...], tuple[MidiChange, ...]]
    names: tuple[bytes, ...]
    end_tick: int
    unclosed: int

    @staticmethod
    def load(source: Path | bytes) -> MidiSong:
        """Read a Standard MIDI File of type 0, 1 or 2.

        Channel data over 127 is clipped. Raises :class:`UnreadableMidi` for anything that is not one, for times in
        SMPTE frames, and for type 2 files whose tracks have tempo maps of their own (they share no timeline).
        """
        name = source.name if isinstance(source, Path) else "MIDI data"
        try:
            data = source.read_bytes() if isinstance(source, Path) else source
        except OSError as error:
            raise UnreadableMidi(f"{name} cannot be opened: {error.strerror}") from error
        if _NO_DATA.search(data):
            raise UnreadableMidi(f"{name} holds thousands of bytes that no MIDI data has; copy or export it again")
        import mido
        from mido.midifiles.meta import KeySignatureError

        try:
            file = mido.MidiFile(file=io.BytesIO(data), clip=True, charset="latin1")
        except (*_MALFORMED, KeySignatureError) as error:
            why = "it ends too early" if isinstance(error, EOFError) else str(error) or type(error).__name__
            raise UnreadableMidi(f"{name} is not a MIDI file that can be read: {why}; export it again") from error
        _require_usable(name, file)
        return _MidiReader(name, file).song()

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

    @property
    def length_ms(self) -> float:
        """Time of the last end of track, milliseconds."""
        return self.ms_at(self.end_tick)

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


def _require_usable(name: str, file: mido.MidiFile) -> None:
    division = file.ticks_per_beat
    if division < 0:
        raise UnreadableMidi(
            f"{name} counts time in SMPTE frames ({-(division >> 8)} per second), not in beats; "
            "export it with ticks per quarter note"
        )
    if division == 0:
        raise UnreadableMidi(f"{name} has 0 ticks per quarter note, so its times mean nothing; export it again")
    if file.type not in (0, 1, 2):
        raise UnreadableMidi(f"{name} is of MIDI type {file.type}; export it as type 0 or 1")
    if not file.tracks:
        raise UnreadableMidi(f"{name} has no tracks; export it again")


class _MidiReader:
    """Collects the events of all tracks of one file."""

    def __init__(self, name: str, file: mido.MidiFile) -> None:
        self.name, self.type = name, file.type
        self.scale = -(-FINE // file.ticks_per_beat)
        self.division = file.ticks_per_beat * self.scale
        self.notes: list[MidiNote] = []
        self.changes: list[MidiChange] = []
        self.tempos: list[tuple[int, int, int, int]] = []
        self.names: list[bytes] = []
        self.unclosed = self.end_tick = 0
        for number, track in enumerate(file.tracks):
            self._track(number, track)

    def _track(self, number: int, track: mido.MidiTrack) -> None:
        tick, name = 0, b""
        open_notes: defaultdict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
        for order, message in enumerate(track):
            if message.time > _LONGEST_DELTA:
                raise UnreadableMidi(f"{self.name}, track {number}, event {order}: the delta time takes more than "
                                     "28 bits, which no MIDI file may; export it again")
            tick += message.time * self.scale
            kind = message.type
            if kind in ("note_on", "note_off"):
                key = (message.channel, message.note)
                if kind == "note_on" and message.velocity:
                    open_notes[key].append((tick, message.velocity, order))
                elif open_notes[key]:
                    release = message.velocity if kind == "note_off" else 64
                    self._note(number, key, open_notes[key].popleft(), tick, release, order)
            elif kind == "set_tempo":
                self.tempos.append((tick, number, order, message.tempo))
            elif kind in _SIGNATURES:
                self.changes.append(MidiChange(tick, -1, order, (-1, _SIGNATURES[kind]), bytes(message.bytes())))
            elif kind == "track_name":
                name = name or message.name.encode("latin1", "replace")
            elif hasattr(message, "channel"):
                data = bytes(message.bytes())
                # A controller or a key's pressure is a kind per number; program, bend and pressure are one per channel.
                of = data[:2] if kind in ("control_change", "polytouch") else data[:1]
                # Per track as well: exports of one instrument per track use one channel for all of them.
                self.changes.append(MidiChange(tick, number, order, (number, *of), data))
        for key, waiting in open_notes.items():
            for started in waiting:
                self.unclosed += 1
                self._note(number, key, started, tick, 64, len(track))
        self.names.append(name)
        self.end_tick = max(self.end_tick, tick)

    def _note(
        self, track: int, key: tuple[int, int], started: tuple[int, int, int], tick: int, release: int, order: int
    ) -> None:
        on, velocity, on_order = started
        self.notes.append(MidiNote(on, tick, track, *key, velocity, release, on_order, order))

    def song(self) -> MidiSong:
        """Return what was read, on one timeline."""
        kinds: defaultdict[tuple[int, ...], list[MidiChange]] = defaultdict(list)
        # Stable: at one tick the file's order of tracks, then of events, decides which is in force.
        for change in sorted(self.changes, key=lambda change: change.tick):
            kinds[change.kind].append(change)
        return MidiSong(
            self.division, self._tempo_map(), tuple(sorted(self.notes, key=lambda n: (n.on, n.track, n.on_order))),
            {kind: tuple(found) for kind, found in sorted(kinds.items())},
            tuple(self.names), self.end_tick, self.unclosed,
        )

    def _tempo_map(self) -> tuple[tuple[int, int], ...]:
        if any(tempo == 0 for *_, tempo in self.tempos):
            raise UnreadableMidi(f"{self.name} has a tempo of 0 microseconds per beat; correct it and export it again")
        if self.type == 2:
            own: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
            for tick, track, _, tempo in self.tempos:
                own[track].append((tick, tempo))
            if len(set(map(tuple, own.values()))) > 1:
                raise UnreadableMidi(
                    f"{self.name} is of MIDI type 2 and its tracks have different tempos, so they share no timeline; "
                    "export it as type 1"
                )
        merged = {0: DEFAULT_TEMPO}
        merged.update((tick, tempo) for tick, _, _, tempo in sorted(self.tempos))
        return tuple(sorted(merged.items()))
