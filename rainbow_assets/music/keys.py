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
_FLAT_SIGNATURES = {"major": (1, 3, 5, 6, 8, 10), "minor": (0, 2, 3, 5, 7, 10)}
_KEY = re.compile(r"\s*([A-Ga-g])\s*([#b♯♭]?)\s*(|m|M|maj|min|major|minor)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """A tonic as it is spelled (``Bb``) and a mode (``major`` or ``minor``). A minor is A minor, not C major."""

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
        return "b" in self.tonic or ("#" not in self.tonic and self.pc in _FLAT_SIGNATURES[self.mode])


def pitch_class(name: str) -> int:
    """Return the pitch class of a note name (letter, then any ``b`` or ``#``); raise ``HarmonyUsageError``."""
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in LETTER_CLASS or accidentals.strip("b#"):
        raise HarmonyUsageError(f"{name!r} is not a note; write a letter A to G and an accidental, for example Bb")
    return (LETTER_CLASS[letter] + accidentals.count("#") - accidentals.count("b")) % 12


def parse_key(text: str, mode: str | None = None) -> Key:
    """Read ``A minor``, ``Am``, ``F# Major``, ``B♭`` (major where no mode is said) or a tonic and a ``mode``.

    Raises ``HarmonyUsageError`` with what to write instead.

    >>> parse_key("F# Major").label, parse_key("Am").label, parse_key("D", "minor").pc
    ('F# major', 'A minor', 2)
    """
    found = _KEY.fullmatch(text)
    if found is None:
        raise HarmonyUsageError(f"{text!r} is not a key; write a tonic and a mode, for example 'A minor' or 'Bb major'")
    letter, accidental, said = found.groups()
    spoken = None
    if said:
        spoken = "minor" if said == "m" or said.lower() in ("min", "minor") else "major"
    wanted = _mode(mode)
    if spoken and wanted and spoken != wanted:
        raise HarmonyUsageError(f"the key {text!r} and the mode {mode!r} contradict each other; give the mode once")
    tonic = letter.upper() + accidental.replace("♯", "#").replace("♭", "b").lower()
    return Key(tonic, spoken or wanted or "major")


def _mode(mode: str | None) -> str | None:
    if mode is None or mode.strip().lower() in MODES:
        return mode.strip().lower() if mode else None
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
