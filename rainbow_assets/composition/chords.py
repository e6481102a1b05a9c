"""The first stage: a progression of four chords over four bars, repeated, with its rhythm and its strumming pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rainbow_assets.composition.model import CHORDS, ChordSpan, Context, MadePart
from rainbow_assets.composition.templates import Template
from rainbow_assets.harmony.limits import SearchLimits, limits
from rainbow_assets.harmony.pool import Pool, Progressions
from rainbow_assets.harmony.scorers import totals, weighted
from rainbow_assets.harmony.search import search
from rainbow_assets.harmony.walks import graph_starts, graph_weights, walks
from rainbow_assets.music.clock import PPQ, Note, separated
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.functions import TONIC

LENGTH, PHRASE_BARS = 4, 4
LOWEST, HIGHEST = 40, 88
"""Range of the part in MIDI pitches. Notes of a pack's chords outside it are moved by octaves into it."""
WEIGHTS = {"voice_leading": 0.2, "melody": 0.15, "variety": 0.15, "graph_probability": 0.1, "likelihood": 0.2,
           "home": 0.2}
_SEARCHED = {name: share for name, share in WEIGHTS.items() if name != "home"}
RHYTHMS = ((1.0, 1.0, 1.0, 1.0), (1.5, 0.5, 1.0, 1.0), (1.0, 1.0, 1.5, 0.5), (2.0, 1.0, 0.5, 0.5),
           (1.0, 0.5, 0.5, 2.0), (0.5, 0.5, 1.0, 2.0), (1.5, 0.5, 1.5, 0.5), (1.0, 2.0, 0.5, 0.5))
"""Bars per chord; a half bar ends on the beat nearest to the middle of the bar."""
VELOCITY, SPREAD_MS, BEST = 80, 22, 40
_ACCENT = 12


@dataclass(frozen=True, slots=True)
class ChordGenome:
    """Positions of four chords in the pool, the index of their rhythm, and the name of the strumming pattern."""

    places: tuple[int, ...]
    rhythm: int
    strum: str


class Chords:
    """Draws progressions: the best by theory, and random walks over the graph of chord functions."""

    name = CHORDS

    def __init__(self, context: Context, pool: Pool, strums: Sequence[Template]) -> None:
        self.context, self.pool = context, pool
        self._strums = {item.name: item.bar(context.song.meter)["hits"] for item in strums}
        self._limits = limits(pool, LENGTH, SearchLimits())
        self._weights = graph_weights(pool)
        self._items = weighted(_SEARCHED)

    def draw(self, draws: SeededDraws, count: int) -> list[ChordGenome]:
        """Return ``count`` genomes: a third are among the best progressions by theory, the others random walks."""
        walked = walks(self.pool, self._limits, count, draws.seed, graph_starts(self.pool), self._weights)
        found = search(self.pool, LENGTH, top=BEST, weights=_SEARCHED, constraints=SearchLimits(
            start=TONIC[self.pool.key.mode]))
        numbers = {chord.voicing: place for place, chord in enumerate(self.pool.chords)}
        best = [tuple(numbers[chord.voicing] for chord in item.progression) for item in found.found]
        drawn = []
        for number in range(count):
            places = draws.pick(best) if number % 3 == 0 else tuple(walked[draws.below(len(walked))].tolist())
            drawn.append(ChordGenome(places, draws.below(len(RHYTHMS)), draws.pick(list(self._strums))))
        return drawn

    def mutate(self, genome: ChordGenome, draws: SeededDraws) -> ChordGenome:
        """Change the rhythm, the strumming pattern, or one chord, drawn by the graph of chord functions."""
        kind = draws.below(4)
        if kind == 0:
            return replace(genome, rhythm=draws.below(len(RHYTHMS)))
        if kind == 1:
            return replace(genome, strum=draws.pick(list(self._strums)))
        at = draws.below(LENGTH)
        allowed = np.flatnonzero(self._limits.places[at])
        before = genome.places[at - 1] if at else None
        odds = self._weights[before][allowed] if before is not None else np.ones(len(allowed))
        # With the small constant, chords can be drawn to which the graph has no edge from the chord before.
        place = draws.weighted(allowed.tolist(), (odds + 1e-3).tolist())
        return replace(genome, places=(*genome.places[:at], place, *genome.places[at + 1:]))

    def cross(self, one: ChordGenome, other: ChordGenome, draws: SeededDraws) -> ChordGenome:
        """Join the first chords of one and the last of the other; rhythm and strumming come from either."""
        cut = draws.between(1, LENGTH - 1)
        return ChordGenome((*one.places[:cut], *other.places[cut:]), draws.pick((one, other)).rhythm,
                           draws.pick((one, other)).strum)

    def render(self, genome: ChordGenome) -> MadePart:
        """Return the chords over all bars: the phrase repeated, the last one cut at the end of the piece."""
        song = self.context.song
        borders, phrase = self._borders(genome.rhythm), PHRASE_BARS * song.meter.bar_ticks
        spans: list[ChordSpan] = []
        notes: list[Note] = []
        for begin in range(0, song.ticks, phrase):
            for number, place in enumerate(genome.places):
                start, end = begin + borders[number], min(begin + borders[number + 1], song.ticks)
                if start >= end:
                    continue
                chord = self.pool.chords[place]
                spans.append(ChordSpan(start, end, chord.name, chord.function, chord.root_pc, chord.pitch_classes))
                notes += self._played(_folded(chord.voicing), start, end, self._strums[genome.strum])
        return MadePart(tuple(separated(notes)), tuple(spans))

    def _borders(self, rhythm: int) -> list[int]:
        """Return the ticks at which the chords of a phrase begin, and its end, on beats if a bar has several."""
        meter, found, bars = self.context.song.meter, [0], 0.0
        middle = min((beat.start for beat in meter.beats), key=lambda start: (abs(start - meter.steps / 2), start))
        half = (middle or meter.steps // 2 or 1) * meter.step_ticks
        for length in RHYTHMS[rhythm]:
            bars += length
            found.append(int(bars) * meter.bar_ticks + (half if bars % 1 else 0))
        return found

    def _played(self, voicing: tuple[int, ...], start: int, end: int, hits: str) -> list[Note]:
        """Return the notes of one chord from ``start`` to ``end``; a hold or rest at ``start`` becomes a full chord."""
        meter = self.context.song.meter
        steps = range(start // meter.step_ticks, end // meter.step_ticks)
        marks = [hits[step % meter.steps] for step in steps]
        if marks and marks[0] in ".-":
            marks[0] = "x"
        found: list[Note] = []
        for number, mark in enumerate(marks):
            if mark in ".-":
                continue
            stop = number + 1
            while stop < len(marks) and marks[stop] == "-":
                stop += 1
            at, until = start + number * meter.step_ticks, start + stop * meter.step_ticks
            strong = meter.strengths[steps[number] % meter.steps]
            found += self._struck(voicing, mark, at, until, VELOCITY + round(_ACCENT * (strong - 0.5)))
        return found

    def _struck(self, voicing: tuple[int, ...], mark: str, at: int, until: int, velocity: int) -> list[Note]:
        if mark in "123a":
            place = len(voicing) - 1 if mark == "a" else min(int(mark), len(voicing)) - 1
            return [Note(at, until - at, voicing[place], velocity)]
        order = voicing if mark != "d" else voicing[::-1]
        gap = 0 if mark == "x" else round(SPREAD_MS / 1000 * self.context.song.bpm / 60 * PPQ)
        # Strumming takes at most half of the chord's length, so that its last note is not too short.
        gap = min(gap, (until - at) // (2 * len(voicing)))
        return [Note(at + gap * number, until - at - gap * number, pitch, velocity)
                for number, pitch in enumerate(order)]

    def rate(self, genomes: Sequence[ChordGenome], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return the terms of the harmony scorers for each progression, and how it treats the tonic."""
        rows = np.array([genome.places for genome in genomes], np.int32)
        _, parts = totals(self._items, Progressions(self.pool, rows))
        return [{**{name: float(part[number]) for name, part in parts.items()}, "home": self._home(genome.places)}
                for number, genome in enumerate(genomes)]

    def _home(self, places: tuple[int, ...]) -> float:
        """Return 1 if the phrase begins on the tonic and leaves it, 0.6 if it only contains the tonic, else 0."""
        functions = [self.pool.chords[place].function for place in places]
        tonic = TONIC[self.pool.key.mode]
        begins, comes = functions[0] == tonic, tonic in functions
        return 1.0 if begins and len(set(functions)) > 1 else 0.6 if comes else 0.0

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score."""
        return WEIGHTS

    def pattern(self, genome: ChordGenome) -> str:
        """Return the name of the strumming pattern."""
        return genome.strum

    def explain(self, genome: ChordGenome, made: MadePart) -> str:
        """Return a line with the chords, their Roman numerals, their bars and the strumming pattern."""
        lengths = " ".join(f"{bars:g}" for bars in RHYTHMS[genome.rhythm])
        chords = [self.pool.chords[place] for place in genome.places]
        return (f"{' - '.join(chord.name for chord in chords)} ({' '.join(chord.roman for chord in chords)}), "
                f"{lengths} bars, {genome.strum}")


def _folded(voicing: tuple[int, ...]) -> tuple[int, ...]:
    """Return the voicing moved by octaves into the range of the part, sorted, without repeated pitches."""
    found = set()
    for pitch in voicing:
        below, above = max(0, LOWEST - pitch), max(0, pitch - HIGHEST)
        found.add(pitch + 12 * -(-below // 12) - 12 * -(-above // 12))
    return tuple(sorted(found))
