"""The third stage: a bass line of two bars that follows the chords and plays with the kick drum."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rainbow_assets.composition.energy import closeness, wanted_energy
from rainbow_assets.composition.model import BASS, DRUMS, ChordSpan, Context, MadePart
from rainbow_assets.composition.templates import Template
from rainbow_assets.music.clock import PPQ, Note
from rainbow_assets.music.draws import SeededDraws

LOWEST, HIGHEST = 24, 60
HOME_LOW, HOME_HIGH = 31, 43
"""Range of the roots in the lower octave (G1 to G2); other tones are placed near them."""
LOOP_BARS = 2
RULES = "R358LA"
VELOCITY, ACCENTED = 88, 104
KICK = 36
KICK_REACH = PPQ // 4
"""A bass note counts as played with a kick if it begins within this many ticks of it, a quarter of a beat."""
WEIGHTS = {"root_adherence": 0.35, "kick_alignment": 0.25, "voice_leading": 0.25, "motion": 0.15}
# Score of a move by its semitones: small moves are smoother than leaps, and an octave is smoother than a seventh.
_STEPS = {0: 1.0, 1: 1.0, 2: 0.9, 3: 0.8, 4: 0.7, 5: 0.5, 6: 0.5, 7: 0.5, 12: 0.5}
_FAR = 0.3


@dataclass(frozen=True, slots=True)
class BassGenome:
    """Two bars of rules (a character per step), octave (0 or 12 semitones), full or short notes, template's name."""

    line: str
    octave: int
    legato: bool
    template: str


class Bass:
    """Draws bass lines: templates, fitted to the meter of the song, and variations of them."""

    name = BASS

    def __init__(self, context: Context, templates: Sequence[Template]) -> None:
        self.context, self._templates = context, tuple(templates)
        self._energy = wanted_energy(context.song)
        self._kicks = sorted({note.start for note in context.parts.get(DRUMS, ()) if note.pitch == KICK})

    def draw(self, draws: SeededDraws, count: int) -> list[BassGenome]:
        """Return ``count`` lines, each a template close to the song's energy, mutated up to four times."""
        odds = [closeness(item.energy, self._energy) + (0.3 if item.meter == self.context.song.meter.label else 0)
                for item in self._templates]
        found = []
        for _ in range(count):
            template = draws.weighted(self._templates, odds)
            line = template.bar(self.context.song.meter)["line"] * LOOP_BARS
            genome = BassGenome(line, draws.pick((0, 0, 0, 12)), draws.yes(0.6), template.name)
            for _ in range(draws.between(0, 4)):
                genome = self.mutate(genome, draws)
            found.append(genome)
        return found

    def mutate(self, genome: BassGenome, draws: SeededDraws) -> BassGenome:
        """Change a tone, move, add or end a note, or change the octave or the length of the notes."""
        kind = draws.below(5)
        if kind == 0:
            return replace(genome, octave=12 - genome.octave)
        if kind == 1:
            return replace(genome, legato=not genome.legato)
        onsets = [step for step, mark in enumerate(genome.line) if mark in RULES]
        line = genome.line
        if kind == 2 and onsets:
            at = draws.pick(onsets)
            line = line[:at] + draws.pick(RULES) + line[at + 1:]
        elif kind == 3 and onsets:
            at = draws.pick(onsets)
            to = (at + draws.pick((-2, -1, 1, 2))) % len(line)
            moved = list(line)
            moved[at], moved[to] = "-", line[at]
            line = "".join(moved)
        else:
            at = draws.below(len(line))
            line = line[:at] + draws.pick("R58A.") + line[at + 1:]
        return replace(genome, line=line)

    def cross(self, one: BassGenome, other: BassGenome, draws: SeededDraws) -> BassGenome:
        """Join the beginning of one line and the end of the other, at a bar line or in the middle of a bar."""
        cut = draws.pick((len(one.line) // 2, len(one.line) // 4, 3 * len(one.line) // 4))
        return BassGenome(one.line[:cut] + other.line[cut:], draws.pick((one, other)).octave,
                          draws.pick((one, other)).legato, one.template)

    def render(self, genome: BassGenome) -> MadePart:
        """Return the line repeated over all bars; a bar without a note gets a root on its first beat."""
        song, step = self.context.song, self.context.song.meter.step_ticks
        marks = [genome.line[place % len(genome.line)] for place in range(song.bars * song.meter.steps)]
        for bar in range(song.bars):
            begin = bar * song.meter.steps
            if not any(mark in RULES for mark in marks[begin:begin + song.meter.steps]):
                marks[begin] = "R"
        notes: list[Note] = []
        last = HOME_LOW + 5
        for place, mark in enumerate(marks):
            if mark not in RULES:
                continue
            end = place + 1
            while end < len(marks) and marks[end] == "-":
                end += 1
            start, length = place * step, (end - place) * step
            pitch = self._pitch(mark, start, genome.octave, last)
            velocity = ACCENTED if song.meter.strengths[place % song.meter.steps] >= 0.75 else VELOCITY
            notes.append(Note(start, length if genome.legato else max(step, length * 3 // 4), pitch, velocity))
            last = pitch
        return MadePart(tuple(notes), self.context.harmony)

    def _pitch(self, mark: str, tick: int, octave: int, last: int) -> int:
        """Return the pitch for the rule ``mark`` at ``tick``, within the range; thirds and fifths are near ``last``."""
        chord = self.context.chord_at(tick)
        root = _placed(chord.root, HOME_LOW + octave)
        if mark == "A":  # a half step from the next root, on the side that the line comes from
            goal = _placed(self.context.next_chord(tick).root, HOME_LOW + octave)
            return _inside(goal + (-1 if last <= goal else 1))
        if mark in "35":
            return _inside(_nearest(_tone(chord, mark), last))
        return _inside(root + {"R": 0, "8": 12, "L": -12}[mark])

    def rate(self, genomes: Sequence[BassGenome], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return the root adherence, kick alignment, voice leading and motion of each line."""
        return [self._terms(item.notes) for item in made]

    def _terms(self, notes: tuple[Note, ...]) -> dict[str, float]:
        begun = {note.start: note.pitch % 12 for note in notes}
        harmony = self.context.harmony
        rooted = [begun.get(span.start) == span.root for span in harmony]
        met = [any(abs(note.start - kick) <= KICK_REACH for kick in self._kicks) for note in notes]
        moves = [abs(one.pitch - other.pitch) for one, other in itertools.pairwise(notes)]
        classes = len({note.pitch % 12 for note in notes})
        return {
            "root_adherence": sum(rooted) / max(1, len(rooted)),
            "kick_alignment": sum(met) / max(1, len(met)) if self._kicks else 0.5,
            "voice_leading": sum(_STEPS.get(move, _FAR) for move in moves) / max(1, len(moves)) if moves else 0.5,
            "motion": min(1.0, classes / 6) * (1.0 if len(set(moves)) > 1 else 0.5),
        }

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score."""
        return WEIGHTS

    def pattern(self, genome: BassGenome) -> str:
        """Return the name of the template that the line is based on."""
        return genome.template

    def explain(self, genome: BassGenome, made: MadePart) -> str:
        """Return a line with the template, the notes per bar, the range and the length of the notes."""
        pitches = [note.pitch for note in made.notes]
        return (f"{genome.template}: {len(made.notes) / self.context.song.bars:.1f} notes per bar, pitches "
                f"{min(pitches)} to {max(pitches)}, {'held' if genome.legato else 'short'}")


def _placed(pitch_class: int, low: int) -> int:
    """Return the lowest pitch of ``pitch_class`` that is not below ``low``."""
    return low + (pitch_class - low) % 12


def _tone(chord: ChordSpan, mark: str) -> int:
    """Return the pitch class of the chord's third or fifth, or its root if the chord has no such tone."""
    wanted = (3, 4) if mark == "3" else (7, 6, 8)
    return next((c for step in wanted for c in chord.classes if (c - chord.root) % 12 == step), chord.root)


def _nearest(pitch_class: int, to: int) -> int:
    """Return the pitch of ``pitch_class`` that is nearest to ``to``."""
    return to + (pitch_class - to + 5) % 12 - 5


def _inside(pitch: int) -> int:
    """Return ``pitch``, moved by octaves into the range of the bass."""
    return pitch + 12 * -(-max(0, LOWEST - pitch) // 12) - 12 * -(-max(0, pitch - HIGHEST) // 12)
