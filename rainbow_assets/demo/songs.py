"""The plans of the demo's songs: tempo, key, sections, words, stems. A plan depends on names and the seed alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rainbow_assets.demo.character import Character, Knowledge, character
from rainbow_assets.demo.texts import Words, words
from rainbow_assets.music.clock import Clock
from rainbow_assets.music.draws import generator
from rainbow_assets.taxonomy import COLORS, Color

MAJOR_KEYS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_KEYS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
TAIL_MS = 600
"""Time after the last bar, for notes that still ring."""
LINE_S = 2.2
"""A lyric line spans as many bars as it takes to last at least this long."""
SUNG = (("Intro", 1.0), ("Verse 1", 2.0), ("Chorus", 2.0), ("Verse 2", 2.0), ("Last Chorus", 2.0), ("Outro", 1.0))
PLAYED = (("Intro", 1.0), ("Theme", 4.0), ("Break", 1.0), ("Outro", 1.0))
LONG = (("Intro", 1.0), ("Theme", 12.0), ("Break", 1.0), ("Outro", 1.0))
STAMPS = {6: ("frames", 0), 7: ("frames+subframe", 1), 8: ("frames", 0)}
"""Album number -> style of its stamps, and for which song (0: all). The other songs are in milliseconds."""
GRAIN_MS = {"ms": 1, "frames": 40, "frames+subframe": 5}
"""The step of each style of stamps at 25 frames per second, in milliseconds; a subframe is an eighth of a frame."""


@dataclass(frozen=True, slots=True)
class Variation:
    """The differences of one demo song from the others; some real songs have the same ones."""

    signature: tuple[int, int] = (4, 4)
    bpm_fraction: float = 0.0
    guide: bool = False
    """One more track that has MIDI but no WAV."""
    long: bool = False
    """A section longer than the slicer's window."""


PLAIN = Variation()
VARIATIONS = {
    (1, 2): Variation(signature=(5, 4)), (2, 2): Variation(signature=(6, 8)), (3, 2): Variation(long=True),
    (4, 2): Variation(bpm_fraction=0.11), (5, 1): Variation(guide=True),
}
"""(album, sequence) -> variation."""


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """A section in bars, end exclusive."""

    name: str
    start_bar: int
    end_bar: int


@dataclass(frozen=True, slots=True)
class SongPlan:
    """All decisions about one song; times follow from ``clock`` and bars."""

    song_id: str
    color: Color
    sequence: int
    seed: int
    clock: Clock
    tonic: int
    key: str
    instrumental: bool
    sections: tuple[SectionPlan, ...]
    words: Words
    stamps: str
    variation: Variation
    heard: Color
    """The color of the song's music and words: its own, except in a shuffled demo."""

    @property
    def sound(self) -> Character:
        """The sound of the color that is heard."""
        return character(self.heard)

    @property
    def bars(self) -> int:
        """Number of bars."""
        return self.sections[-1].end_bar

    @property
    def total_ms(self) -> int:
        """Length of the song, a whole number of 25 fps frames."""
        return int(np.ceil((self.bar_ms(self.bars) + TAIL_MS) / 40)) * 40

    def bar_ms(self, bar: int) -> float:
        """Return the time at which a bar starts, in milliseconds."""
        return self.clock.seconds(bar * self.clock.bar_ticks) * 1000

    def rng(self, *names: object) -> np.random.Generator:
        """Return the random numbers of this song for one purpose."""
        return generator("demo", self.seed, self.song_id, *names)

    def scale(self, knowledge: Knowledge) -> tuple[int, ...]:
        """Return the one of a mode's scales that this song uses."""
        return knowledge.scales[self.sequence % len(knowledge.scales)]

    def lyric_bars(self) -> list[int]:
        """Return the bars at which a lyric line starts; empty for an instrumental."""
        if self.instrumental:
            return []
        step = max(1, int(np.ceil(LINE_S * 1000 / self.bar_ms(1))))
        return [bar for section in self.sections if section.name not in ("Intro", "Outro")
                for bar in range(section.start_bar, section.end_bar, step)]


def plan_songs(songs_per_color: int, seed: int, seconds: float, shuffled: bool = False) -> list[SongPlan]:
    """Plan the songs of the eight colors that have albums; a song does not depend on the number of songs.

    ``shuffled`` assigns the songs to colors at random: a control experiment, in which color and sound are unrelated.
    """
    colors = [color for color in COLORS if color.name != "White"]
    plans = [plan_song(color, n + 1, seed, seconds) for color in colors for n in range(songs_per_color)]
    if not shuffled:
        return plans
    order = generator("shuffled", seed, songs_per_color).permutation(len(plans))
    return [replace(plans[int(other)], song_id=plan.song_id, color=plan.color, sequence=plan.sequence)
            for plan, other in zip(plans, order, strict=True)]


def plan_song(color: Color, sequence: int, seed: int, seconds: float) -> SongPlan:
    """Plan one song of about ``seconds`` (an instrumental 1.3 times that, a long one 2.3 times)."""
    song_id = f"{color.album_prefix}_{sequence:02d}"
    variation = VARIATIONS.get((color.number, sequence), PLAIN)
    instrumental = color.number % 2 == 1 and sequence % 4 == 2
    rng = generator("plan", seed, song_id)
    sound = character(color)
    low, high = sound.era.bpm
    # Golden-ratio steps spread a color's tempos over its whole range for any number of songs.
    bpm = low + round((high - low) * ((sequence * 0.618 + 0.05 * rng.random()) % 1))
    clock = Clock(bpm + variation.bpm_fraction, variation.signature)
    tonic = int(generator("tonics", seed, color.name).permutation(12)[(sequence - 1) % 12])
    minor = sound.knowledge[0].minor
    minor = bool(sequence % 2) if minor is None else minor
    shape = LONG if variation.long else PLAYED if instrumental else SUNG
    stretch = 2.3 if variation.long else 1.3 if instrumental else 1.0
    bar_s = clock.seconds(clock.bar_ticks)
    bars = max(3, round((seconds * stretch - TAIL_MS / 1000) / bar_s))
    style, only = STAMPS.get(color.number, ("ms", 0))
    return SongPlan(
        song_id, color, sequence, seed, clock, tonic,
        f"{MINOR_KEYS[tonic]} minor" if minor else f"{MAJOR_KEYS[tonic]} major", instrumental,
        _sections(shape, bars), words(color, sequence, seed), style if only in (0, sequence) else "ms", variation,
        color,
    )


def _sections(shape: tuple[tuple[str, float], ...], bars: int) -> tuple[SectionPlan, ...]:
    """Return the sections, with bars by weight and at least one each; if there are too few, middle ones are dropped."""
    while len(shape) > bars:
        shape = shape[: len(shape) // 2] + shape[len(shape) // 2 + 1 :]
    counts = [1] * len(shape)
    for _ in range(bars - len(shape)):
        neediest = max(range(len(shape)), key=lambda n: (shape[n][1] / counts[n], -n))
        counts[neediest] += 1
    ends = [int(n) for n in np.cumsum(counts)]
    return tuple(SectionPlan(name, end - count, end) for (name, _), count, end in zip(shape, counts, ends, strict=True))
