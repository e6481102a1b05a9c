"""Roman functions: the degree of a chord's root in its key, with an accidental.

Major functions are counted from the major scale (``bVII`` in C major is Bb), minor ones from the natural minor scale
(``VII`` in A minor is G, ``#vi`` is F#). Upper case is a major third, lower case a minor third. A chord without a third
has the case of the scale's own triad on that degree.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rainbow_assets.music.chord_types import ChordType
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import SCALES, Key, spell

NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")
DIATONIC = {"major": ("I", "ii", "iii", "IV", "V", "vi", "vii"), "minor": ("i", "ii", "III", "iv", "v", "VI", "VII")}
"""Functions of the triads on the seven degrees of each mode's scale."""
TONIC = {"major": "I", "minor": "i"}
_PLACES = {
    "major": ("0", "b1", "1", "b2", "2", "3", "#3", "4", "b5", "5", "b6", "6"),
    "minor": ("0", "b1", "1", "2", "#2", "3", "#3", "4", "5", "#5", "6", "#6"),
}
"""Accidental and degree by semitones above the tonic."""
_ROMAN = re.compile(r"([b#♭♯]?)(VII|VI|V|IV|III|II|I|vii|vi|v|iv|iii|ii|i)(.*)")


def place(offset: int, mode: str) -> tuple[str, int]:
    """Return (accidental, degree 0..6) of the note ``offset`` semitones above the tonic."""
    written = _PLACES[mode][offset % 12]
    return written[:-1], int(written[-1])


@lru_cache(maxsize=8192)
def function_of(offset: int, chord_type: ChordType, mode: str) -> str:
    """Return the roman function (``bII``, ``#vi``, ``V``) of a chord with its root ``offset`` above the tonic."""
    accidental, degree = place(offset, mode)
    numeral = NUMERALS[degree]
    third = chord_type.third
    lower = third == "minor" or (third is None and not accidental and DIATONIC[mode][degree].islower())
    return accidental + (numeral.lower() if lower else numeral)


def roman_of(function: str, chord_type: ChordType, inversion: int = 0) -> str:
    """Return function and type in one symbol: ``V7``, ``vii°7``, ``Imaj7``; inversions end in ``/1``, ``/2``."""
    symbol = chord_type.symbol
    lower = function.lstrip("b#").islower()
    if lower and symbol == "m":
        symbol = ""
    elif lower and symbol.startswith("dim") and symbol != "dimMaj7":
        symbol = "°" + symbol[3:]
    elif lower and symbol.startswith("m7b5"):
        symbol = "ø7" + symbol[4:]
    elif lower and symbol.startswith("m") and not symbol.startswith("maj"):
        symbol = symbol[1:]
    elif symbol == "aug":
        symbol = "+"
    return f"{function}{symbol}" + (f"/{inversion}" if inversion else "")


def parse_roman(text: str) -> tuple[str, str, str]:
    """Return the accidental, numeral and rest of a roman such as ``bVIIM7``; raise ``HarmonyUsageError``."""
    found = _ROMAN.fullmatch(text.strip())
    if found is None:
        raise HarmonyUsageError(f"{text!r} is not a roman function; write for example V, bII or #vi")
    accidental, numeral, rest = found.groups()
    return accidental.replace("♭", "b").replace("♯", "#"), numeral, rest


@lru_cache(maxsize=4096)
def offset_of(text: str, mode: str) -> int:
    """Return the semitones above the tonic of a roman function in ``mode``'s scale; raise ``HarmonyUsageError``."""
    accidental, numeral, _ = parse_roman(text)
    step = SCALES[mode][NUMERALS.index(numeral.upper())]
    return (step + accidental.count("#") - accidental.count("b")) % 12


def spell_root(offset: int, key: Key) -> str:
    """Return the name of the note ``offset`` above the tonic, with the letter of its degree."""
    return spell((key.pc + offset) % 12, key, place(offset, key.mode)[1])
