"""Data classes of the composer: the song to write, chords in time, and parts."""

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
"""Pattern and origin of the only candidate of a stage that ``composition.stages`` leaves out."""
LETTERS = {CHORDS: "c", DRUMS: "d", BASS: "b", MELODY: "m"}
"""Letters of the stages in candidate ids: ``song.c07.d31.b02.m11`` is a melody over bass 02, drums 31, chords 07."""
Parts = Mapping[str, tuple[Note, ...]]


@dataclass(frozen=True)
class SongBrief:
    """The song to compose. ``bpm`` is in quarter notes per minute; ``bars`` is the length of the piece."""

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
    """A chord with the ticks at which it begins and ends, its name, its function, its root and its pitch classes."""

    start: int
    end: int
    name: str
    function: str
    root: int
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Context:
    """What a stage builds on: the song, its chords, and the parts of the stages before."""

    song: SongBrief
    harmony: tuple[ChordSpan, ...] = ()
    parts: Parts = field(default_factory=dict)

    def chord_at(self, tick: int) -> ChordSpan:
        """Return the chord that sounds at ``tick``, or the last chord if none does."""
        for span in self.harmony:
            if span.start <= tick < span.end:
                return span
        return self.harmony[-1]

    def next_chord(self, tick: int) -> ChordSpan:
        """Return the chord that follows the one at ``tick``; the first chord follows the last."""
        for span in self.harmony:
            if span.start > tick:
                return span
        return self.harmony[0]


@dataclass(frozen=True)
class MadePart:
    """A rendered genome: the notes of the part, and the chords that sound (its own, or those of the context)."""

    notes: tuple[Note, ...]
    harmony: tuple[ChordSpan, ...]


def bars_without(notes: Iterable[Note], song: SongBrief) -> list[int]:
    """Return the bars (from 1) in which no note of a part sounds."""
    sounding: set[int] = set()
    for note in notes:
        first, last = note.start // song.meter.bar_ticks, (note.start + note.length - 1) // song.meter.bar_ticks
        sounding.update(range(first, last + 1))
    return [bar + 1 for bar in range(song.bars) if bar not in sounding]
