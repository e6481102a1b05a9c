"""The second stage: a drum loop of two bars with ghost notes and fills, on channel 10 of General MIDI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rainbow_assets.composition.energy import closeness, wanted_energy
from rainbow_assets.composition.meter import BEAT, GROUP
from rainbow_assets.composition.model import DRUMS, Context, MadePart
from rainbow_assets.composition.templates import Template
from rainbow_assets.music.clock import Note
from rainbow_assets.music.draws import SeededDraws

VOICES = {"kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "tom_low": 45, "open": 46, "tom_high": 48,
          "crash": 49, "ride": 51, "tamb": 54, "shaker": 70}
"""General MIDI percussion keys."""
LEVELS = {"g": 45, "o": 68, "x": 90, "X": 120}
LOOP_BARS, FILL_EVERY = 2, 4
FILLS = ("none", "snare", "toms", "stop")
WEIGHTS = {"energy": 0.3, "pulse": 0.25, "syncopation": 0.15, "dynamics": 0.15, "voices": 0.15}
_TIME_KEEPERS = ("hat", "ride", "shaker", "tamb")
_BACKBEAT = ("snare", "clap", "rim")
# The share of velocity off the beat that scores highest, and the number of voices that is enough.
_EASY_SYNCOPATION, _ENOUGH_VOICES = 0.3, 3
# How dense a loop of each energy should be: hits of normal velocity per step, as a share of 1.4.
_DENSITY = {"low": 0.25, "medium": 0.55, "high": 0.85}


@dataclass(frozen=True, slots=True)
class DrumGenome:
    """Rows of (voice, a character per step of two bars), the fill, and the name of the template."""

    rows: tuple[tuple[str, str], ...]
    fill: str
    template: str


class Drums:
    """Draws drum loops: templates, fitted to the meter of the song, and variations of them."""

    name = DRUMS

    def __init__(self, context: Context, templates: Sequence[Template]) -> None:
        self.context, self._templates = context, tuple(templates)
        self._energy = wanted_energy(context.song)

    def draw(self, draws: SeededDraws, count: int) -> list[DrumGenome]:
        """Return ``count`` loops, each a template close to the song's energy, mutated up to four times."""
        odds = [closeness(item.energy, self._energy) + (0.3 if item.meter == self.context.song.meter.label else 0)
                for item in self._templates]
        found = []
        for _ in range(count):
            template = draws.weighted(self._templates, odds)
            bar = template.bar(self.context.song.meter)
            genome = DrumGenome(tuple((voice, row * LOOP_BARS) for voice, row in bar.items()), draws.pick(FILLS),
                                template.name)
            for _ in range(draws.between(0, 4)):
                genome = self.mutate(genome, draws)
            found.append(genome)
        return found

    def mutate(self, genome: DrumGenome, draws: SeededDraws) -> DrumGenome:
        """Move a hit, change its level, add a soft hit, remove a hit, add a voice, or change the fill."""
        kind = draws.below(6)
        if kind == 0:
            return replace(genome, fill=draws.pick(FILLS))
        if kind == 1:
            return self._with_voice(genome, draws)
        at = draws.below(len(genome.rows))
        voice, row = genome.rows[at]
        hits = [step for step, mark in enumerate(row) if mark != "."]
        if kind == 2 and hits:
            row = _set(row, draws.pick(hits), draws.pick("gox" if voice in _TIME_KEEPERS else "goxX"))
        elif kind == 3 and hits:
            step = draws.pick(hits)
            row = _set(_set(row, step, "."), (step + draws.pick((-1, 1))) % len(row), row[step])
        elif kind == 4:
            row = _set(row, draws.below(len(row)), "g" if voice in _BACKBEAT else "o")
        elif len(hits) > 2:
            row = _set(row, draws.pick(hits), ".")
        return replace(genome, rows=(*genome.rows[:at], (voice, row), *genome.rows[at + 1:]))

    def _with_voice(self, genome: DrumGenome, draws: SeededDraws) -> DrumGenome:
        lacking = [voice for voice in VOICES if voice not in dict(genome.rows) and voice != "crash"]
        meter = self.context.song.meter
        voice = draws.pick(lacking)
        weak = [beat.start for beat in meter.beats if beat.strength < 1] or [0]
        on = [beat.start for beat in meter.beats] if voice in _TIME_KEEPERS else [draws.pick(weak)]
        bar = "".join("o" if step in on else "." for step in range(meter.steps))
        return replace(genome, rows=(*genome.rows, (voice, bar * LOOP_BARS)))

    def cross(self, one: DrumGenome, other: DrumGenome, draws: SeededDraws) -> DrumGenome:
        """Take each voice from one loop or the other; a voice that the chosen loop lacks is left out."""
        mine, theirs = dict(one.rows), dict(other.rows)
        rows = []
        for voice in dict.fromkeys([*mine, *theirs]):
            row = (mine if draws.yes(0.5) else theirs).get(voice)
            if row is not None:
                rows.append((voice, row))
        return DrumGenome(tuple(rows) or one.rows, draws.pick((one.fill, other.fill)), one.template)

    def render(self, genome: DrumGenome) -> MadePart:
        """Return the loop over all bars, with a fill in every fourth bar and the last one, and a crash after a fill."""
        song = self.context.song
        notes: list[Note] = []
        for bar in range(song.bars):
            filled = (bar + 1) % FILL_EVERY == 0 or bar + 1 == song.bars
            rows = {voice: row[(bar % LOOP_BARS) * song.meter.steps:][:song.meter.steps] for voice, row in genome.rows}
            if filled:
                rows = self._filled(rows, genome.fill)
            if not any(mark != "." for row in rows.values() for mark in row):
                rows["kick"] = _set(rows.get("kick", "." * song.meter.steps), 0, "x")
            if bar and bar % FILL_EVERY == 0 and genome.fill != "none":
                rows["crash"] = _set("." * song.meter.steps, 0, "x")
            notes += self._hits(rows, bar * song.meter.bar_ticks)
        return MadePart(tuple(sorted(notes)), self.context.harmony)

    def _filled(self, rows: dict[str, str], fill: str) -> dict[str, str]:
        """Return the bar ``rows`` with its last beat replaced by ``fill``; a bar of one beat is returned unchanged."""
        meter = self.context.song.meter
        last = meter.beats[-1]
        if fill == "none" or len(meter.beats) < 2:
            return rows
        kept = {voice: row[:last.start] + "." * last.steps for voice, row in rows.items()}
        roll = {"snare": [("snare", "gxox")], "toms": [("tom_high", "xx.."), ("tom_low", "..xx")], "stop": []}[fill]
        for voice, cell in roll:
            row = kept.get(voice, "." * meter.steps)
            kept[voice] = row[:last.start] + (cell * last.steps)[:last.steps]
        return kept

    def _hits(self, rows: dict[str, str], begin: int) -> list[Note]:
        step = self.context.song.meter.step_ticks
        return [Note(begin + place * step, step, VOICES[voice], LEVELS[mark])
                for voice, row in rows.items() if voice in VOICES for place, mark in enumerate(row) if mark != "."]

    def rate(self, genomes: Sequence[DrumGenome], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return the energy, pulse, syncopation, dynamics and voices of each loop."""
        return [self._terms(item.notes) for item in made]

    def _terms(self, notes: tuple[Note, ...]) -> dict[str, float]:
        meter = self.context.song.meter
        places = [(note.start // meter.step_ticks) % meter.steps for note in notes]
        weight = sum(note.velocity for note in notes) or 1
        per_step = weight / 90 / (meter.steps * self.context.song.bars)
        strong = [note for note, place in zip(notes, places, strict=True) if meter.strengths[place] >= BEAT]
        off = [note for note, place in zip(notes, places, strict=True) if meter.strengths[place] < BEAT]
        downbeats = {note.start // meter.bar_ticks for note, place in zip(notes, places, strict=True)
                     if place == 0 and note.pitch in (36, 45)}
        backbeat = any(note.pitch in (37, 38, 39) and meter.strengths[place] in (GROUP, BEAT) and note.velocity >= 90
                       for note, place in zip(notes, places, strict=True))
        levels = {note.velocity for note in notes}
        share_off = sum(note.velocity for note in off) / weight
        return {
            "energy": max(0.0, 1 - 1.6 * abs(min(1.0, per_step / 1.4) - _DENSITY[self._energy])),
            "pulse": 0.5 * len(downbeats) / self.context.song.bars + 0.2 * backbeat
            + 0.3 * sum(note.velocity for note in strong) / weight,
            "syncopation": max(0.0, 1 - abs(share_off - _EASY_SYNCOPATION) / 0.7),
            "dynamics": min(1.0, (len(levels) - 1) / 3),
            "voices": min(1.0, len({note.pitch for note in notes}) / _ENOUGH_VOICES) * (
                1.0 if len({note.pitch for note in notes}) <= 7 else 0.7),
        }

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score."""
        return WEIGHTS

    def pattern(self, genome: DrumGenome) -> str:
        """Return the name of the template that the loop is based on."""
        return genome.template

    def explain(self, genome: DrumGenome, made: MadePart) -> str:
        """Return a line with the template, the voices, the hits per bar, the fill and the wanted energy."""
        per_bar = len(made.notes) / self.context.song.bars
        voices = ", ".join(sorted(voice for voice, row in genome.rows if row.strip(".")))
        return (f"{genome.template}: {voices}; {per_bar:.1f} hits per bar, fill: {genome.fill}, for {self._energy} "
                "energy")


def _set(row: str, step: int, mark: str) -> str:
    return row[:step] + mark + row[step + 1:]
