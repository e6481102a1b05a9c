"""Musical time: bars, ticks, milliseconds and samples, all from one tempo, so that MIDI and audio agree exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

PPQ = 480
"""MIDI ticks per quarter note."""
SAMPLE_RATE = 44100
SLOWEST_BPM, FASTEST_BPM = 4.0, 1000.0
"""Bounds of a usable tempo. MIDI stores microseconds per quarter in 24 bits, so tempos below 3.6 cannot be written."""


class Note(NamedTuple):
    """One note; ``start`` and ``length`` in ticks, ``pitch`` and ``velocity`` as in MIDI."""

    start: int
    length: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A constant tempo (quarter notes per minute) and a time signature, which is None if it is unknown."""

    bpm: float
    signature: tuple[int, int] | None = (4, 4)

    @property
    def tempo_us(self) -> int:
        """Microseconds per quarter as MIDI stores them; audio is timed by the same rounded number."""
        return round(60_000_000 / self.bpm)

    @property
    def bar_ticks(self) -> int:
        """Length of a bar in ticks; without a signature, that of 4/4."""
        beats, unit = self.signature or (4, 4)
        return max(1, beats * 4 * PPQ // unit)

    def seconds(self, ticks: int) -> float:
        """Return the time of ``ticks`` in seconds."""
        return ticks * self.tempo_us / PPQ / 1e6

    def samples(self, ticks: int) -> int:
        """Return the time of ``ticks`` in samples, rounded."""
        return round(self.seconds(ticks) * SAMPLE_RATE)

    def ticks(self, ms: float) -> int:
        """Return the tick nearest to ``ms`` milliseconds."""
        return round(ms * 1000 * PPQ / self.tempo_us)


def separated(notes: list[Note]) -> list[Note]:
    """Return the notes sorted, each ended when the next of its pitch starts: a MIDI channel cannot overlap a pitch."""
    following: dict[int, int] = {}
    kept: list[Note] = []
    for note in sorted(set(notes), reverse=True):
        limit = following.get(note.pitch)
        if limit is not None and limit <= note.start:
            continue  # two notes with one pitch and start: the longer one came first and is kept
        following[note.pitch] = note.start
        kept.append(note if limit is None else note._replace(length=min(note.length, limit - note.start)))
    return kept[::-1]
