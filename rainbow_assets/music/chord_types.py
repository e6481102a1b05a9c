"""Chord types: their names and interval sets, and finding the type of a chord name or of sounding notes.

A chord type is a set of pitch classes above the root, modulo the octave, so the voicing does not matter. If several
types fit some notes, the one with exactly these notes is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import pitch_class


@dataclass(frozen=True, slots=True)
class ChordType:
    """Symbol after the root (``maj7``), semitones above the root (sorted, modulo 12), and these as a bit mask."""

    symbol: str
    intervals: tuple[int, ...]
    mask: int

    @property
    def quality(self) -> str:
        """The symbol, or ``maj`` for the plain major triad, whose symbol is empty."""
        return self.symbol or "maj"

    @property
    def third(self) -> str | None:
        """``major``, ``minor``, or None if the chord has no third."""
        return "major" if 4 in self.intervals else "minor" if 3 in self.intervals else None


# A flat after the root belongs to the root, so C with a flat fifth is written C(b5): Cb5 is a fifth on C flat.
_TABLE = """
:0 4 7|m:0 3 7|dim:0 3 6|aug:0 4 8|5:0 7|sus2:0 2 7|sus4:0 5 7|sus4add9:0 2 5 7|(b5):0 4 6
6:0 4 7 9|m6:0 3 7 9|7:0 4 7 10|maj7:0 4 7 11|m7:0 3 7 10|mMaj7:0 3 7 11|m7b5:0 3 6 10|dim7:0 3 6 9|dimMaj7:0 3 6 11
7#5:0 4 8 10|maj7#5:0 4 8 11|7b5:0 4 6 10|maj7b5:0 4 6 11|m7#5:0 3 8 10|7sus4:0 5 7 10|7sus2:0 2 7 10|maj7sus4:0 5 7 11
maj7sus2:0 2 7 11|add9:0 2 4 7|madd9:0 2 3 7|add11:0 4 5 7|madd11:0 3 5 7|69:0 2 4 7 9|m69:0 2 3 7 9
9:0 2 4 7 10|maj9:0 2 4 7 11|m9:0 2 3 7 10|mMaj9:0 2 3 7 11|7b9:0 1 4 7 10|7#9:0 3 4 7 10|m7b9:0 1 3 7 10
m7b5b9:0 1 3 6 10|m9b5:0 2 3 6 10|9sus4:0 2 5 7 10|9#5:0 2 4 8 10|9b5:0 2 4 6 10|7b9sus4:0 1 5 7 10
m7add11:0 3 5 7 10|mMaj7add11:0 3 5 7 11|maj7add11:0 4 5 7 11|7add11:0 4 5 7 10|m7b5add11:0 3 5 6 10
7#11:0 4 6 7 10|maj7#11:0 4 6 7 11|7b13:0 4 7 8 10|7add13:0 4 7 9 10|maj7add13:0 4 7 9 11|m7add13:0 3 7 9 10
11:0 2 4 5 7 10|maj11:0 2 4 5 7 11|m11:0 2 3 5 7 10|mMaj11:0 2 3 5 7 11|m11b9:0 1 3 5 7 10|m11b5:0 2 3 5 6 10
m11b5b9:0 1 3 5 6 10|9#11:0 2 4 6 7 10|maj9#11:0 2 4 6 7 11|13(no11):0 2 4 7 9 10|maj13(no11):0 2 4 7 9 11
m13(no11):0 2 3 7 9 10|9b13:0 2 4 7 8 10|7b9b13:0 1 4 7 8 10|13sus4:0 2 5 7 9 10
13:0 2 4 5 7 9 10|maj13:0 2 4 5 7 9 11|m13:0 2 3 5 7 9 10|13#11:0 2 4 6 7 9 10|maj13#11:0 2 4 6 7 9 11
m11b13:0 2 3 5 7 8 10|m11b9b13:0 1 3 5 7 8 10|m11b5b9b13:0 1 3 5 6 8 10
"""


def _mask(intervals: Iterable[int]) -> int:
    return sum({1 << (interval % 12) for interval in intervals})


def _types() -> tuple[ChordType, ...]:
    found = []
    for entry in _TABLE.strip().replace("\n", "|").split("|"):
        symbol, intervals = entry.split(":")
        steps = tuple(int(step) for step in intervals.split())
        found.append(ChordType(symbol, steps, _mask(steps)))
    return tuple(found)


CHORD_TYPES = _types()
BY_SYMBOL = {chord_type.symbol: chord_type for chord_type in CHORD_TYPES}
BY_MASK = {chord_type.mask: chord_type for chord_type in CHORD_TYPES}
_SYNONYMS = {
    "maj": "", "major": "", "min": "m", "minor": "m", "-": "m", "o": "dim", "°": "dim", "+": "aug", "#5": "aug",
    "o7": "dim7", "°7": "dim7", "dim6": "dim7", "ø": "m7b5", "ø7": "m7b5", "min7b5": "m7b5", "M": "", "M7": "maj7",
    "M9": "maj9", "M11": "maj11", "M13": "maj13", "M6": "6", "dom7": "7", "dom9": "9", "2": "add9", "add2": "add9",
    "m2": "madd9", "madd2": "madd9", "4": "add11", "add4": "add11", "madd4": "madd11", "majadd9": "add9", "6/9": "69",
    "m6/9": "m69", "69sus4": "sus4add9", "mM7": "mMaj7", "mM9": "mMaj9", "mM7add11": "mMaj7add11", "minmaj7": "mMaj7",
    "mmaj7": "mMaj7", "mmaj9": "mMaj9", "m7b9b5": "m7b5b9", "aug7": "7#5", "7aug": "7#5", "augmaj7": "maj7#5",
    "M7#5": "maj7#5", "M7b5": "maj7b5", "sus": "sus4", "7sus": "7sus4", "9sus": "9sus4", "13sus": "13sus4",
    "Mb5": "(b5)", "b5": "(b5)",
    "dom13": "13", "dom11": "11", "add9sus4": "sus4add9", "m7#5": "m7#5", "maj6": "6", "maj69": "69", "alt": "7#9",
}
_NAME = re.compile(r"([A-G](?:bb|##|b|#)?)\s*(.*?)\s*(?:[/;]\s*([A-G](?:bb|##|b|#)?))?")
_REWRITES = (("♯", "#"), ("♭", "b"), ("Maj", "maj"), ("Min", "min"), ("Dim", "dim"), ("Aug", "aug"), ("Sus", "sus"),
             ("Add", "add"), ("+5", "#5"), ("-5", "b5"), ("+9", "#9"), ("-9", "b9"), ("+11", "#11"), ("-13", "b13"),
             (" ", ""))


def type_of_symbol(text: str) -> ChordType | None:
    """Return the chord type of ``text``, a chord name without its root in any usual spelling, or None."""
    if text in BY_SYMBOL:
        return BY_SYMBOL[text]
    symbol = text
    for old, new in _REWRITES:
        symbol = symbol.replace(old, new)
    for candidate in (symbol, _SYNONYMS.get(symbol), re.sub(r"^min(?!or|maj)", "m", symbol)):
        if candidate is not None and candidate in BY_SYMBOL:
            return BY_SYMBOL[candidate]
    short = re.sub(r"^min(?!or)", "m", symbol)
    return BY_SYMBOL.get(_SYNONYMS.get(short, short))


@dataclass(frozen=True, slots=True)
class ChordName:
    """Root, type and bass of a chord name; ``bass`` is None if the name has no slash."""

    root: str
    type: ChordType
    bass: str | None

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The pitch classes of the chord, including a slash bass."""
        root = pitch_class(self.root)
        own = {(root + step) % 12 for step in self.type.intervals}
        return frozenset(own | ({pitch_class(self.bass)} if self.bass else set()))


@lru_cache(maxsize=16384)
def parse_chord_name(name: str) -> ChordName:
    """Return the root, type and bass of a name: ``Gm7-5``, ``Db13``, ``C Maj``, ``Cmaj7/E``, ``BmajAdd9;F#``.

    ``C7(no5)`` is C7 without its fifth. Raises ``HarmonyUsageError`` if the text is not a chord name.

    >>> sorted(parse_chord_name("Cmaj7/E").pitch_classes)
    [0, 4, 7, 11]
    """
    found = _NAME.fullmatch(name.strip())
    if found is None:
        raise HarmonyUsageError(f"{name!r} is not a chord name; write a root and a type, for example F#m7 or Cmaj7/E")
    root, symbol, bass = found.groups()
    whole, without_fifth = symbol.removesuffix(NO_FIFTH), symbol.endswith(NO_FIFTH)
    chord_type = type_of_symbol(whole)
    if chord_type is None:
        raise HarmonyUsageError(f"the chord name {name!r} has the unknown type {symbol!r}; write for example Am7")
    return ChordName(root, no_fifth(chord_type) if without_fifth else chord_type, bass)


NO_FIFTH = "(no5)"


@lru_cache(maxsize=256)
def no_fifth(chord_type: ChordType) -> ChordType:
    """Return ``chord_type`` without its perfect fifth, named ``...(no5)``."""
    steps = tuple(step for step in chord_type.intervals if step != 7)
    return ChordType(chord_type.symbol + NO_FIFTH, steps, _mask(steps))


def rotate(mask: int, root: int) -> int:
    """Return the 12-bit ``mask`` of pitch classes as intervals above ``root``."""
    return ((mask >> root) | (mask << (12 - root))) & 0xFFF


@lru_cache(maxsize=65536)
def type_on_root(mask: int, root: int) -> ChordType | None:
    """Return the type of the pitch classes in ``mask`` over ``root``, exact or without its fifth; None if unknown."""
    above = rotate(mask, root)
    if above in BY_MASK:
        return BY_MASK[above]
    with_fifth = BY_MASK.get(above | 1 << 7)
    # Two notes without a fifth, such as a bare third, are an interval and not a chord.
    if with_fifth is None or above.bit_count() < 3 or not above & 1:
        return None
    return no_fifth(with_fifth)


@lru_cache(maxsize=65536)
def identify(mask: int, bass: int) -> tuple[int, ChordType] | None:
    """Return root and type of the pitch classes in ``mask`` over the pitch class ``bass``, or None.

    The bass is tried as the root first (C6, not Am7/C), then the other notes upwards from it. An exact type is better
    than one without its fifth. Doubled notes make no difference.
    """
    roots = [(bass + step) % 12 for step in range(12) if mask >> ((bass + step) % 12) & 1]
    named = [(root, chord_type) for root in roots if (chord_type := type_on_root(mask, root)) is not None]
    exact = [pair for pair in named if not pair[1].symbol.endswith(NO_FIFTH)]
    return (exact or named or [None])[0]


def pitch_mask(pitches: Iterable[int]) -> int:
    """Return the 12-bit mask of the pitch classes of MIDI ``pitches``."""
    return _mask(pitches)
