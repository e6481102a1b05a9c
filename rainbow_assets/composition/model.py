"""The vocabulary of the composer: songs to write, chords in time, parts, and candidates with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rainbow_assets.composition.meter import Meter
from rainbow_assets.music.clock import Note
from rainbow_assets.music.keys import SCALES, Key

CHORDS, DRUMS, BASS, MELODY = "chords", "drums", "bass", "melody"
STAGES = (CHORDS, DRUMS, BASS, MELODY)
"""The stages in the order in which they are composed; each adds one part."""
SILENT = "silent"
"""Pattern of the one candidate of a stage that is left out."""
LETTERS = {CHORDS: "c", DRUMS: "d", BASS: "b", MELODY: "m"}
"""Of candidate ids: ``song.c07.d31.b02.m11`` is a melody over a bass over drums over chords."""
Parts = Mapping[str, tuple[Note, ...]]


@dataclass(frozen=True)
class SongBrief:
    """What is to be composed. ``bpm`` in quarter notes per minute; ``bars`` is the length of the piece."""

    song_id: str
    title: str
    key: Key
    bpm: float
    meter: Meter
    color: str
    concept: str
    moods: tuple[str, ...] = ()
    bars: int = 8

    @property
    def ticks(self) -> int:
        """Length of the piece in ticks."""
        return self.bars * self.meter.bar_ticks

    @property
    def scale(self) -> frozenset[int]:
        """Pitch classes of the key's scale."""
        return frozenset((self.key.pc + step) % 12 for step in SCALES[self.key.mode])


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord while it sounds: ticks, its name, its function, its root and its pitch classes."""

    start: int
    end: int
    name: str
    function: str
    root: int
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Context:
    """What a stage composes on: the song and everything that is there already."""

    song: SongBrief
    harmony: tuple[ChordSpan, ...] = ()
    parts: Parts = field(default_factory=dict)

    def chord_at(self, tick: int) -> ChordSpan:
        """Return the chord that sounds at ``tick``."""
        for span in self.harmony:
            if span.start <= tick < span.end:
                return span
        return self.harmony[-1]

    def next_chord(self, tick: int) -> ChordSpan:
        """Return the chord after the one at ``tick``; after the last comes the first."""
        for span in self.harmony:
            if span.start > tick:
                return span
        return self.harmony[0]


@dataclass(frozen=True)
class MadePart:
    """What a stage made of a genome: the part's notes, and the chords that sound (the stage's own, or those given)."""

    notes: tuple[Note, ...]
    harmony: tuple[ChordSpan, ...]


def bars_without(notes: Iterable[Note], song: SongBrief) -> list[int]:
    """Return the bars (from 1) in which no note of a part sounds."""
    sounding: set[int] = set()
    for note in notes:
        first, last = note.start // song.meter.bar_ticks, (note.start + note.length - 1) // song.meter.bar_ticks
        sounding.update(range(first, last + 1))
    return [bar + 1 for bar in range(song.bars) if bar not in sounding]
