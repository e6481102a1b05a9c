"""Keys and the spelling of notes in them. A pitch class is an integer 0 (C) .. 11 (B)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rainbow_assets.music.errors import HarmonyUsageError

MODES = ("major", "minor")
LETTERS = "CDEFGAB"
LETTER_CLASS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
"""Semitones above the tonic; minor is the natural minor scale."""
_DEGREES = {"major": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "minor": 9, "locrian": 11}
"""Semitones of each mode's tonic above the major tonic of the same signature."""
_FLAT_MAJORS = (1, 3, 5, 6, 8, 10)
_WITH_MAJOR_THIRD = ("major", "lydian", "mixolydian")
_MODE_NAMES = {**{mode: mode for mode in _DEGREES},
               "maj": "major", "ionian": "major", "min": "minor", "aeolian": "minor"}
_SIGNS = {"#": "#", "♯": "#", "sharp": "#", "b": "b", "♭": "b", "flat": "b", "♮": "", "natural": "",
          "𝄪": "##", "𝄫": "bb"}
_KEY = re.compile(
    r"\s*(?P<letter>[A-G])"
    r"(?:\s*(?P<symbol>##|♯♯|bb|♭♭|[#b♯♭♮𝄪𝄫])|[\s-]*(?P<double>double\s+)?(?P<word>sharp|flat|natural)\b)?"
    rf"(?:[\s-]*(?P<mode>{'|'.join(_MODE_NAMES)})\b|\s*(?P<short>m)\b)?\.?"
    r"(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeyText:
    """What a text holds of a key: the tonic as written (``A#``), the mode if one is written, and the words after it."""

    tonic: str
    mode: str | None
    rest: str


def find_key(text: str) -> KeyText | None:
    """Return the key that ``text`` starts with, None if it starts with no letter from A to G.

    >>> find_key("E ♭ major (resolving)")
    KeyText(tonic='Eb', mode='major', rest='(resolving)')
    """
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    symbol, word = found["symbol"] or "", (found["word"] or "").lower()
    sign = "".join(_SIGNS[part] for part in symbol.lower()) + _SIGNS.get(word, "") * (2 if found["double"] else 1)
    mode = _MODE_NAMES[found["mode"].lower()] if found["mode"] else {"m": "minor", "M": "major"}.get(found["short"])
    return KeyText(found["letter"].upper() + sign, mode, found["rest"].strip())


def accidentals(tonic: str, mode: str) -> int:
    """Return the sharps of a key's signature, flats as negative numbers.

    >>> accidentals("A", "major"), accidentals("Bb", "minor")
    (3, -5)
    """
    sharps = "FCGDAEB".index(tonic[0]) - 1 + 7 * (tonic.count("#") - tonic.count("b"))
    return sharps - 3 if mode == "minor" else sharps


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A tonic as it is spelled (``Bb``) and one of seven modes. A minor is A minor, not C major."""

    tonic: str
    mode: str

    @property
    def pc(self) -> int:
        """Pitch class of the tonic, 0..11."""
        return pitch_class(self.tonic)

    @property
    def label(self) -> str:
        """``Bb minor``."""
        return f"{self.tonic} {self.mode}"

    @property
    def flat(self) -> bool:
        """Whether the key's signature is written with flats."""
        return "b" in self.tonic or ("#" not in self.tonic and (self.pc - _DEGREES[self.mode]) % 12 in _FLAT_MAJORS)

    @property
    def usual(self) -> Key:
        """The key in one spelling per pitch class and mode, so that ``A# major`` and ``Bb major`` count as one."""
        if self.mode not in _WITH_MAJOR_THIRD:
            return Key(MINOR_TONICS[self.pc], self.mode)
        # Here agents write F#; chord packs, whose names are published too, write Gb (see key_of).
        return Key("F#" if self.pc == 6 else MAJOR_TONICS[self.pc], self.mode)

    @classmethod
    def parse(cls, text: str, mode: str | None = None) -> Key:
        """Read a key as it is written; ``mode`` (else major) is for a text without one.

        Raises ``HarmonyUsageError`` with what to write instead.

        >>> Key.parse("F♯ Major").label, Key.parse("Am").label, Key.parse("B-flat dorian").label
        ('F# major', 'A minor', 'Bb dorian')
        >>> Key.parse("A# major").usual.label, Key.parse("D", "minor").pc
        ('Bb major', 2)
        """
        found, wanted = find_key(text), _mode(mode)
        if found is None or found.rest:
            raise HarmonyUsageError(
                f"{text!r} is not a key; write a tonic and a mode, for example 'A minor' or 'Bb major'")
        if found.mode and wanted and found.mode != wanted:
            raise HarmonyUsageError(
                f"the key {text!r} and the mode {mode!r} contradict each other; give the mode once")
        return cls(found.tonic, found.mode or wanted or "major")


def pitch_class(name: str) -> int:
    """Return the pitch class of a note name (letter, then any ``b`` or ``#``); raise ``HarmonyUsageError``."""
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in LETTER_CLASS or accidentals.strip("b#"):
        raise HarmonyUsageError(f"{name!r} is not a note; write a letter A to G and an accidental, for example Bb")
    return (LETTER_CLASS[letter] + accidentals.count("#") - accidentals.count("b")) % 12


def parse_key(text: str, mode: str | None = None) -> Key:
    """Read a key whose chords are known, a major or minor one; raise ``HarmonyUsageError``. See ``Key.parse``."""
    key = Key.parse(text, mode)
    if key.mode not in MODES:
        close = Key(key.tonic, "major" if key.mode in _WITH_MAJOR_THIRD else "minor")
        raise HarmonyUsageError(f"{key.label!r} is not a key that chords are known of; write a major or minor one, for "
                                f"example {close.label!r}")
    return key


def _mode(mode: str | None) -> str | None:
    if mode is None:
        return None
    if mode.strip().lower() in _MODE_NAMES:
        return _MODE_NAMES[mode.strip().lower()]
    raise HarmonyUsageError(f"the mode {mode!r} is unknown; write 'major' or 'minor'")


def key_of(pc: int, mode: str) -> Key:
    """Return the usual spelling of the key on pitch class ``pc``."""
    return Key((MAJOR_TONICS if mode == "major" else MINOR_TONICS)[pc % 12], mode)


def all_keys() -> tuple[Key, ...]:
    """Return the 24 keys, major then minor, from C upwards."""
    return tuple(key_of(pc, mode) for mode in MODES for pc in range(12))


@lru_cache(maxsize=4096)
def spell(pc: int, key: Key, degree: int | None = None) -> str:
    """Return the name of ``pc`` in ``key``; ``degree`` 0..6 says which letter it is to be written with.

    Falls back to the key's sharps or flats where the letter would need a double accidental.
    """
    if degree is not None:
        letter = LETTERS[(LETTERS.index(key.tonic[0]) + degree) % 7]
        away = (pc - LETTER_CLASS[letter] + 6) % 12 - 6
        if abs(away) <= 1:
            return letter + ("", "#", "b")[away]
    return (FLATS if key.flat else SHARPS)[pc % 12]


def note_name(pitch: int, flat: bool = True) -> str:
    """Return a MIDI pitch as a name with its octave; middle C (60) is ``C4``."""
    return f"{(FLATS if flat else SHARPS)[pitch % 12]}{pitch // 12 - 1}"
