"""The notes of a stand-in stem: in the song's key and meter, section by section, with rests."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rainbow_assets.corpus.model import Song
from rainbow_assets.demo.stand_in_band import Player
from rainbow_assets.demo.stand_in_drums import PATTERNS
from rainbow_assets.music.clock import PPQ, Clock, Note, separated
from rainbow_assets.music.draws import generator

SILENT_SHARE = 0.4
"""Share of stretches in which a stem rests, as measured on the released songs."""
STRETCH_MS = 30000
SHORTEST_MS = 1000
LAST_LINE_MS = 3000
LONGEST_LINE_MS = 6000
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
TONICS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a section, at most half a minute long, in which a stem either plays or rests."""

    start_ms: int
    end_ms: int
    section: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The time, harmony and stretches that all stems of a song share."""

    song: Song
    seed: int
    clock: Clock
    length_ms: int
    stretches: tuple[Stretch, ...]

    def rng(self, *names: object) -> np.random.Generator:
        """Return the random numbers of this song for one purpose."""
        return generator("stand-in", self.seed, self.song.song_id, *names)

    @property
    def step(self) -> int:
        """The pulse in ticks: the note value that lasts between a fifth and two fifths of a second."""
        ticks = PPQ
        while self.clock.seconds(ticks) >= 0.4 and ticks > 1:
            ticks //= 2
        while self.clock.seconds(ticks) < 0.2:
            ticks *= 2
        return ticks

    def roots(self, section: str) -> list[int]:
        """Return the scale positions of the section's four chords; a repeated name is a repeated progression."""
        return [0, *(int(n) for n in self.rng("harmony", section).permutation((1, 3, 4, 5))[:3])]

    def pitch(self, position: int, base: int) -> int:
        """Return the MIDI pitch of a scale position above the tonic at or over ``base``."""
        tonic, mode = self.song.key.tonic or "C", self.song.key.mode or "minor"
        number = TONICS[tonic[0]] + tonic.count("#") - tonic.count("b")
        scale = SCALES[mode]
        return base + (number - base) % 12 + scale[position % 7] + 12 * (position // 7)


def song_length_ms(song: Song) -> int:
    """Return the length of a stand-in: the largest of last section end, last stamp + 3 s, and TRT."""
    return max([song.end_ms, *(line.start_ms + LAST_LINE_MS for line in song.lines)])


def sheet(song: Song, seed: int) -> Sheet:
    """Return the sheet of a song, with its sections cut into stretches that cover it from start to end."""
    length = song_length_ms(song)
    inside = {ms for section in song.sections for ms in (section.start_ms, section.end_ms) if 0 < ms < length}
    borders = [0]
    for ms in sorted(inside):
        if ms - borders[-1] >= SHORTEST_MS and length - ms >= SHORTEST_MS:
            borders.append(ms)
    stretches: list[Stretch] = []
    for start, end in zip(borders, [*borders[1:], length], strict=True):
        middle = (start + end) // 2
        name = next((s.name for s in song.sections if s.start_ms <= middle < s.end_ms), "")
        count = max(1, -(-(end - start) // STRETCH_MS))
        cuts = [start + (end - start) * n // count for n in range(count + 1)]
        stretches += [Stretch(a, b, name) for a, b in pairwise(cuts)]
    return Sheet(song, seed, Clock(song.bpm, song.time_signature), length, tuple(stretches))


def rests(paper: Sheet, names: list[str]) -> dict[str, set[int]]:
    """Return by stem name the stretches in which it rests: about 40 %, never all, and never all stems at once."""
    count = len(paper.stretches)
    found: dict[str, set[int]] = {}
    for name in names:
        draws = paper.rng("rests", name).random(count)
        # The stretch with the highest draw is always played, so that no stem is empty.
        found[name] = {n for n in range(count) if draws[n] < SILENT_SHARE and n != int(draws.argmax())}
    for n in range(count):
        if names and all(n in found[name] for name in names):
            found[names[n % len(names)]].discard(n)
    return found


def play(paper: Sheet, player: Player, name: str, resting: set[int]) -> list[Note]:
    """Return the notes of one stem."""
    rng, notes = paper.rng("part", name), []
    octave = 12 * int(rng.integers(0, 2)) if player.part in ("chords", "lead", "arpeggio", "strum") else 0
    bar = paper.clock.bar_ticks
    # A bar of several seconds is halved, so that more than one chord is played in it.
    while paper.clock.seconds(bar) > 4 and bar > 2 * paper.step:
        bar //= 2
    while bar < paper.step:  # bars shorter than a pulse are joined
        bar *= 2
    for number, stretch in enumerate(paper.stretches):
        if number in resting:
            continue
        start, end = paper.clock.ticks(stretch.start_ms), paper.clock.ticks(stretch.end_ms)
        first = -(-start // bar) * bar if player.part != "voice" else start
        if end - first < bar:
            first = start
        if player.part == "voice":
            notes += _sing(paper, player, stretch, rng)
            continue
        roots = paper.roots(stretch.section)
        dense = "chorus" in stretch.section.lower()
        for count, place in enumerate(range(first, end, bar)):
            room = min(bar, end - place)
            root = roots[count % len(roots)]
            pattern = PATTERNS.get(player.part)
            if pattern:
                hits = pattern(room, paper.step, count, dense)
                notes += [Note(place + at, paper.step // 2, player.keys[key % len(player.keys)], velocity)
                          for at, key, velocity in hits]
            else:
                notes += _tune(paper, player, place, room, root, octave, dense, rng)
    return separated(notes)


def _tune(
    paper: Sheet, player: Player, place: int, room: int, root: int, octave: int, dense: bool, rng: np.random.Generator
) -> list[Note]:
    """Return one bar of a pitched part over the chord on ``root``."""
    step, base = paper.step, player.base + octave
    chord = [paper.pitch(root + offset, base) for offset in (0, 2, 4)]
    if player.part == "bass":
        return [Note(place + at, round(min(step * 2, room - at) * 0.8), paper.pitch(root, base), 104 if at == 0 else 88)
                for at in range(0, room, step * 2)]
    if player.part == "chords":
        return [Note(place, round(room * 0.95), pitch, 80) for pitch in chord]
    if player.part == "drone":
        return [Note(place, room, pitch, 76) for pitch in (paper.pitch(0, base), paper.pitch(4, base))]
    if player.part == "strum":
        return [Note(place + at, min(step * 2, room - at), pitch, 92 if at == 0 else 74)
                for at in range(0, room, step * (1 if dense else 2)) for pitch in chord]
    if player.part == "arpeggio":
        return [Note(place + at, round(step * 0.8), [*chord, chord[1] + 12][n % 4], 90)
                for n, at in enumerate(range(0, room, step))]
    kept = [at for n, at in enumerate(range(0, room, step)) if n == 0 or rng.random() < (0.75 if dense else 0.5)]
    return [Note(place + at, min(after - at, step * 2), paper.pitch(root + int(rng.integers(-2, 6)), base), 92)
            for at, after in zip(kept, [*kept[1:], room], strict=True)]


def _sing(paper: Sheet, player: Player, stretch: Stretch, rng: np.random.Generator) -> list[Note]:
    """Return notes for each lyric line that starts in the stretch, two pulses each; without lyrics, for all of it."""
    starts = [*(line.start_ms for line in paper.song.lines), paper.length_ms]
    sung = [(start, min(end, start + LONGEST_LINE_MS, stretch.end_ms)) for start, end in pairwise(starts)
            if stretch.start_ms <= start < stretch.end_ms]
    if not paper.song.lines:
        sung = [(stretch.start_ms, stretch.end_ms)]
    notes, roots, length = [], paper.roots(stretch.section), paper.step * 2
    for number, (start_ms, end_ms) in enumerate(sung):
        start, end = paper.clock.ticks(start_ms), paper.clock.ticks(end_ms)
        for at in range(start, end, length):
            position = roots[number % len(roots)] + int(rng.integers(-1, 5))
            notes.append(Note(at, max(1, round(min(length, end - at) * 0.9)), paper.pitch(position, player.base), 96))
    return notes
