"""The last stage: a melody in a singer's range that follows a contour, with chord tones on strong beats."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rainbow_assets.composition.energy import closeness, wanted_energy
from rainbow_assets.composition.meter import BEAT
from rainbow_assets.composition.model import MELODY, Context, MadePart
from rainbow_assets.composition.templates import Template
from rainbow_assets.music.clock import Note
from rainbow_assets.music.draws import SeededDraws

LOWEST, HIGHEST = 57, 79
"""The range of an alto: A3 to G5."""
PHRASE_BARS = 4
CONTOURS: dict[str, Callable[[float], float]] = {
    "arch": lambda t: math.sin(math.pi * t), "valley": lambda t: -math.sin(math.pi * t),
    "rising": lambda t: 2 * t - 1, "falling": lambda t: 1 - 2 * t,
    "wave": lambda t: math.sin(2 * math.pi * t), "late_peak": lambda t: math.sin(math.pi * t * t),
}
"""Height of the line, -1 to 1, at each place of a phrase, 0 to 1."""
WEIGHTS = {"singability": 0.35, "chord_tones": 0.3, "contour": 0.2, "variety": 0.15}
VELOCITY = 92
MOST_LEAP = 9
"""Widest leap between two notes in semitones; wider ones are hard to sing."""
_SPANS, _CENTERS = (5, 7, 9, 11), (62, 64, 66, 68, 70)
_NUDGES = (-4, -3, -2, -1, 1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class MelodyGenome:
    """Rhythm of four bars (a character per step), contour, its span (semitones) and center (pitch), shifts of notes."""

    line: str
    contour: str
    span: int
    center: int
    nudges: tuple[int, ...]
    template: str


class Melody:
    """Draws melodies: two rhythms in turn, with pitches on a contour, moved to tones of the chord or the scale."""

    name = MELODY
    _PLACES = 16

    def __init__(self, context: Context, templates: Sequence[Template]) -> None:
        self.context, self._templates = context, tuple(templates)
        self._energy = wanted_energy(context.song)

    def draw(self, draws: SeededDraws, count: int) -> list[MelodyGenome]:
        """Return ``count`` lines, each made of two rhythms close to the song's energy."""
        meter = self.context.song.meter
        odds = [closeness(item.energy, self._energy) + (0.3 if item.meter == meter.label else 0)
                for item in self._templates]
        found = []
        for _ in range(count):
            one, other = (draws.weighted(self._templates, odds) for _ in range(2))
            first, second = one.bar(meter)["line"], other.bar(meter)["line"]
            line = "".join(draws.pick(((first, second, first, second), (first, first, second, first),
                                        (first, second, second, first))))
            nudges = tuple(draws.pick(_NUDGES) if draws.yes(0.35) else 0 for _ in range(self._PLACES))
            found.append(MelodyGenome(line, draws.pick(list(CONTOURS)), draws.pick(_SPANS), draws.pick(_CENTERS),
                                      nudges, one.name))
        return found

    def mutate(self, genome: MelodyGenome, draws: SeededDraws) -> MelodyGenome:
        """Change the contour, its span or its center, begin, tie or silence a note, or shift one."""
        kind = draws.below(6)
        if kind == 0:
            return replace(genome, contour=draws.pick(list(CONTOURS)))
        if kind == 1:
            return replace(genome, span=draws.pick(_SPANS))
        if kind == 2:
            return replace(genome, center=draws.pick(_CENTERS))
        if kind == 3:
            at = draws.below(len(genome.line))
            return replace(genome, line=genome.line[:at] + draws.pick("x-.") + genome.line[at + 1:])
        at = draws.below(self._PLACES)
        return replace(genome, nudges=(*genome.nudges[:at], draws.pick((0, *_NUDGES)), *genome.nudges[at + 1:]))

    def cross(self, one: MelodyGenome, other: MelodyGenome, draws: SeededDraws) -> MelodyGenome:
        """Join the rhythms at a bar line and the shifts anywhere; contour, span and center come from either."""
        bar = self.context.song.meter.steps
        cut, at = bar * draws.between(1, PHRASE_BARS - 1), draws.below(self._PLACES)
        return MelodyGenome(one.line[:cut] + other.line[cut:], draws.pick((one, other)).contour,
                            draws.pick((one, other)).span, draws.pick((one, other)).center,
                            (*one.nudges[:at], *other.nudges[at:]), one.template)

    def render(self, genome: MelodyGenome) -> MadePart:
        """Return the line repeated over all bars; a bar without a note gets one on its downbeat."""
        song, meter = self.context.song, self.context.song.meter
        marks = [genome.line[place % len(genome.line)] for place in range(song.bars * meter.steps)]
        for bar in range(song.bars):
            begin = bar * meter.steps
            if "x" not in marks[begin:begin + meter.steps]:
                marks[begin] = "x"
        phrase = PHRASE_BARS * meter.steps
        notes: list[Note] = []
        last, count = genome.center, 0
        for place, mark in enumerate(marks):
            if mark != "x":
                continue
            end = place + 1
            while end < len(marks) and marks[end] == "-":
                end += 1
            count = 0 if place % phrase == 0 else count  # every phrase has the same shifts, so that phrases are alike
            height = CONTOURS[genome.contour]((place % phrase) / phrase)
            wish = genome.center + height * genome.span / 2 + genome.nudges[count % self._PLACES]
            last = self._bent(wish, place, last)
            count += 1
            accent = round(16 * (meter.strengths[place % meter.steps] - 0.5))
            notes.append(Note(place * meter.step_ticks, (end - place) * meter.step_ticks, last, VELOCITY + accent))
        return MadePart(tuple(notes), self.context.harmony)

    def _bent(self, wish: float, place: int, last: int) -> int:
        """Return the pitch nearest to ``wish``: of the chord on strong beats, else of the scale, close to ``last``."""
        meter = self.context.song.meter
        chord = self.context.chord_at(place * meter.step_ticks)
        strong = meter.strengths[place % meter.steps] >= BEAT
        allowed = frozenset(chord.classes) if strong else self.context.song.scale | frozenset(chord.classes)
        near = [pitch for pitch in range(LOWEST, HIGHEST + 1) if pitch % 12 in allowed]
        reachable = [pitch for pitch in near if abs(pitch - last) <= MOST_LEAP] or near
        return min(reachable, key=lambda pitch: (abs(pitch - wish), pitch))

    def rate(self, genomes: Sequence[MelodyGenome], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return the singability, chord tones, contour and variety of each line."""
        return [self._terms(item.notes) for item in made]

    def _terms(self, notes: tuple[Note, ...]) -> dict[str, float]:
        song, meter = self.context.song, self.context.song.meter
        pitches = [note.pitch for note in notes]
        moves = [abs(one - other) for one, other in itertools.pairwise(pitches)]
        easy = sum(1.0 if move <= 2 else 0.8 if move <= 4 else 0.5 if move <= 7 else 0.2 for move in moves)
        width = max(pitches) - min(pitches)
        sung = sum(note.length for note in notes) / song.ticks
        holds = sum(note.length >= 2 * meter.step_ticks for note in notes) / len(notes)
        strong = [note for note in notes if meter.strengths[(note.start // meter.step_ticks) % meter.steps] >= BEAT]
        fitting = [note.pitch % 12 in self.context.chord_at(note.start).classes for note in notes]
        peak = pitches.count(max(pitches))
        turns = sum((two - one) * (three - two) < 0
                    for one, two, three in zip(pitches, pitches[1:], pitches[2:], strict=False))
        home = pitches[-1] % 12 in self.context.harmony[-1].classes
        return {
            "singability": (easy / max(1, len(moves)) + max(0.0, 1 - abs(width - 9) / 9) + holds
                            + max(0.0, 1 - 2 * abs(sung - 0.75))) / 4,
            "chord_tones": 0.6 * sum(fitting) / len(fitting) + 0.4 * min(1.0, len(strong) / (2 * song.bars)),
            "contour": (0.4 / peak + 0.4 * max(0.0, 1 - abs(turns / max(1, len(moves)) - 0.35) / 0.65)
                        + 0.2 * home),
            "variety": 0.6 * min(1.0, len(set(pitches)) / 7) + 0.4 * min(1.0, len({note.length for note in notes}) / 3),
        }

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score."""
        return WEIGHTS

    def pattern(self, genome: MelodyGenome) -> str:
        """Return the name of the rhythm that the line is based on."""
        return genome.template

    def explain(self, genome: MelodyGenome, made: MadePart) -> str:
        """Return a line with the rhythm, the contour, the range and the notes per bar."""
        pitches = [note.pitch for note in made.notes]
        return (f"{genome.template}, {genome.contour.replace('_', ' ')}: pitches {min(pitches)} to {max(pitches)}, "
                f"{len(made.notes) / self.context.song.bars:.1f} notes per bar")
