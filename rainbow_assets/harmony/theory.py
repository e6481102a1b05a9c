"""The built-in theory pack: chords and progressions of all 24 keys, made by rule, so that nothing has to be bought.

Every key holds the exact transposition of what C holds, voicings included, so scores do not depend on the key.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rainbow_assets.digests import digest
from rainbow_assets.harmony.model import Chord, Pack, Progression, Step, make_chord
from rainbow_assets.harmony.theory_tables import BORROWED, COLORED, PROGRESSIONS
from rainbow_assets.music.chord_types import BY_SYMBOL, ChordType, type_on_root
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.functions import NUMERALS, offset_of, parse_roman
from rainbow_assets.music.keys import MODES, SCALES, Key, all_keys

NAME = "builtin"
BASS_FLOOR = 36
"""The bass lies in the octave from here (C2), before transposition."""
CORE_FLOOR = 55
"""Root, third, fifth and seventh lie close together in the octave from here (G3)."""
COLOR_FLOOR = 67
"""Ninth, eleventh and thirteenth lie in the octave from here (G4)."""
BPM = 90.0
BEATS_PER_CHORD = 4
STACKS = {3: "triad", 4: "seventh", 5: "ninth", 6: "eleventh", 7: "thirteenth"}


class Recipe(NamedTuple):
    """A chord before it is placed in a key: root above the tonic, type, bass tone (index), category."""

    offset: int
    type: ChordType
    tone: int
    category: str


def voice(offset: int, chord_type: ChordType, tone: int, tonic: int) -> tuple[int, ...]:
    """Return the MIDI pitches of a chord whose root is ``offset`` above ``tonic`` (0..11), with ``tone`` in the bass.

    The bass is doubled in the core, so common tones of neighboring chords stay where they are. Keys above F are
    voiced below C, so no key is more than six semitones away from C's voicing.
    """
    shift = tonic if tonic <= 5 else tonic - 12
    steps = chord_type.intervals
    core = _core(chord_type)
    pitches = {_above(BASS_FLOOR, offset + steps[tone])}
    pitches.update(_above(CORE_FLOOR if step in core else COLOR_FLOOR, offset + step) for step in steps)
    return tuple(sorted(pitch + shift for pitch in pitches))


def _core(chord_type: ChordType) -> set[int]:
    """Chord tones that belong to the close middle voices: at most root, third (or its suspension), fifth, seventh."""
    steps = chord_type.intervals
    third = [step for step in (4, 3, 5, 2) if step in steps][:1]
    fifth = [step for step in (7, 6, 8) if step in steps][:1]
    seventh = [step for step in (11, 10) if step in steps][:1] or [9] * (9 in steps)
    return {0, *third, *fifth, *seventh}


def _above(floor: int, pc: int) -> int:
    return floor + (pc - floor) % 12


@lru_cache(maxsize=2)
def recipes(mode: str) -> tuple[Recipe, ...]:
    """Return every chord of the pack in ``mode``, before it is placed in a key; no two have the same notes."""
    scale = SCALES[mode]
    made: list[Recipe] = []
    for size, category in STACKS.items():
        for degree, offset in enumerate(scale):
            steps = {(scale[(degree + 2 * third) % 7] - offset) % 12 for third in range(size)}
            chord_type = type_on_root(sum(1 << step for step in steps), 0)
            assert chord_type is not None, f"the {category} on degree {degree + 1} of {mode} has no name"
            made.append(Recipe(offset, chord_type, 0, category))
    for symbol in COLORED:
        chord_type = BY_SYMBOL[symbol]
        made += [Recipe(offset, chord_type, 0, "colored") for offset in scale
                 if all((offset + step) % 12 in scale for step in chord_type.intervals)]
    for tone in (1, 2):
        made += [recipe._replace(tone=tone, category="inversion") for recipe in made[:7]]
    for text in BORROWED[mode].split():
        offset, chord_type = read_roman(text, mode)
        made.append(Recipe(offset, chord_type, 0, "borrowed"))
    distinct: dict[tuple[int, str, int], Recipe] = {}
    for recipe in made:
        distinct.setdefault((recipe.offset, recipe.type.symbol, recipe.tone), recipe)
    return tuple(distinct.values())


def read_roman(text: str, mode: str) -> tuple[int, ChordType]:
    """Read a full roman (``V7``, ``iiø7``, ``bIImaj7``, ``vii°7``) as (semitones above the tonic, chord type).

    Raises ``HarmonyUsageError`` for what is no roman or names an unknown type.
    """
    _, numeral, rest = parse_roman(text)
    lower = numeral.islower()
    symbol = rest.replace("ø7", "m7b5")
    if symbol.startswith("°"):
        symbol = "dim" + symbol[1:]
    elif symbol == "+":
        symbol = "aug"
    elif lower and not symbol.startswith(("m", "sus", "7sus", "9sus")):
        symbol = "m" + symbol
    if symbol not in BY_SYMBOL:
        raise HarmonyUsageError(f"the roman {text!r} has the chord type {rest!r}, which is not known")
    return offset_of(text, mode), BY_SYMBOL[symbol]


def key_chords(key: Key) -> tuple[Chord, ...]:
    """Return the pack's chords in ``key``, in the pack's order."""
    return tuple(_place(recipe, key) for recipe in recipes(key.mode))


def _place(recipe: Recipe, key: Key) -> Chord:
    voicing = voice(recipe.offset, recipe.type, recipe.tone, key.pc)
    root = (key.pc + recipe.offset) % 12
    source = f"{key.tonic} {key.mode}/{recipe.category}/{NUMERALS[recipe.offset * 7 // 12]}-{recipe.type.quality}"
    return make_chord(key, root, recipe.type, voicing, recipe.category, NAME, source)


def key_progressions(key: Key) -> tuple[Progression, ...]:
    """Return the pack's progressions in ``key``: 24 of diatonic triads and 24 advanced ones."""
    made = []
    duration = round(BEATS_PER_CHORD * 60000 / BPM)
    for category, lines in PROGRESSIONS[key.mode].items():
        for line in lines:
            declared = tuple(line.split())
            steps = []
            for position, text in enumerate(declared):
                offset, chord_type = read_roman(text, key.mode)
                chord = _place(Recipe(offset, chord_type, 0, category), key)
                steps.append(Step(chord.function, chord.roman, chord.name, chord.voicing, position * duration,
                                  duration))
            identity = f"{NAME}:{key.tonic}_{key.mode}:{category}:{'-'.join(declared)}"
            made.append(Progression(
                progression_id=identity, name=line, key=key, category=category, style="plain", bpm=BPM,
                steps=tuple(steps), declared=declared, pack=NAME,
                source_file=f"{key.tonic} {key.mode}/{category}/{line}",
            ))
    return tuple(made)


@lru_cache(maxsize=1)
def theory_pack() -> Pack:
    """Return the built-in pack: 24 keys, each with the same chords and 48 progressions (96 per pair of keys)."""
    chords = tuple(chord for key in all_keys() for chord in key_chords(key))
    progressions = tuple(item for key in all_keys() for item in key_progressions(key))
    rules = [[[recipe.offset, recipe.type.symbol, recipe.tone, recipe.category] for recipe in recipes(mode)]
             for mode in MODES]
    identity = digest(rules, PROGRESSIONS, BASS_FLOOR, CORE_FLOOR, COLOR_FLOOR, BPM, BEATS_PER_CHORD)
    return Pack(NAME, identity, 0, chords, progressions)
