"""Keys and time signatures as the agents write them, read with a list of all corrections.

Spellings of keys seen: ``F# minor``, ``E ♭ major``, ``A# major`` (a rewritten flat), ``C major (resolving through
...)``, a KeySignature mapping, and prose that a first-letter rule cut apart (``A ll Keys (Chromatic Convergence)``).
Time signatures are filed under ``tempo``: a mapping, ``7/8``, or free text that is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["read", "prose", "missing"]
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MAJOR = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_MINOR = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
_MAJOR_LIKE = ("major", "lydian", "mixolydian")
_MODES = {"major": "major", "maj": "major", "ionian": "major", "minor": "minor", "min": "minor", "aeolian": "minor",
          "dorian": "dorian", "phrygian": "phrygian", "lydian": "lydian", "mixolydian": "mixolydian",
          "locrian": "locrian"}
_SIGNS = {"": 0, "natural": 0, "♮": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1, "##": 2, "♯♯": 2,
          "𝄪": 2, "bb": -2, "♭♭": -2, "𝄫": -2, "double sharp": 2, "double flat": -2}
_KEY = re.compile(
    r"\s*(?P<letter>[A-Ga-g])"
    r"(?:\s*(?P<sign>##|♯♯|bb|♭♭|#|b|♯|♭|♮|𝄪|𝄫)|(?:\s+|-)?(?P<word>sharp|flat|natural)\b)?"
    r"(?:[\s-]*(?P<mode>major|minor|maj|min|ionian|aeolian|dorian|phrygian|lydian|mixolydian|locrian)\b"
    r"|(?P<short>m)\b)?"
    r"(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_FRACTION = re.compile(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*")
_UNITS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class KeyReading:
    """A key as read: ``tonic`` in its usual spelling, ``mode``, the raw text, and what had to be corrected.

    ``status``: ``read``, ``prose`` (words, no key) or ``missing``. Without a key, tonic and mode are None.
    """

    tonic: str | None
    mode: str | None
    raw: str
    status: Status
    corrections: tuple[str, ...] = ()

    @property
    def label(self) -> str | None:
        """``Bb major``, or None where no key was read."""
        return f"{self.tonic} {self.mode}" if self.tonic and self.mode else None


def read_key(value: Any) -> KeyReading:
    """Read a key in any shape that the agents write. Pure; never raises."""
    if isinstance(value, dict):
        return _from_mapping(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return KeyReading(None, None, "", "missing")
    if not isinstance(value, str):
        return KeyReading(None, None, str(value), "prose", ("the key is no text",))
    return _from_text(value)


def _from_text(raw: str) -> KeyReading:
    found = _KEY.fullmatch(raw)
    if found is None:
        return KeyReading(None, None, raw, "prose", ("the text names no key",))
    letter, rest = found["letter"], found["rest"].strip()
    sign = (found["sign"] or found["word"] or "").lower()
    named = (found["mode"] or "").lower()
    if not named and not found["short"] and rest and not rest.startswith("("):
        # "A ll Keys": a letter and something that is neither accidental nor mode is a sentence, not a key.
        return KeyReading(None, None, raw, "prose", ("the text names no key",))
    corrections: list[str] = []
    if named:
        mode = _MODES[named]
    elif found["short"] == "m":
        mode = "minor"
    else:
        mode = "major"
        corrections.append("no mode is written; major is assumed")
    tonic = usual_tonic(letter.upper(), _SIGNS[sign], mode)
    signs = {"sharp": "#", "♯": "#", "flat": "b", "♭": "b", "natural": "", "♮": ""}
    plain = f"{letter.upper()}{signs.get(sign, sign)}"
    if plain != tonic:
        corrections.append(f"{plain} {mode} is written as its enharmonic {tonic} {mode}")
    if rest:
        corrections.append(f"the words after the key are left out: {rest[:80]!r}")
    if not corrections and raw != f"{tonic} {mode}":
        corrections.append(f"the spelling {raw[:40]!r} is written as {tonic} {mode}")
    return KeyReading(tonic, mode, raw, "read", tuple(corrections))


def _from_mapping(value: dict[Any, Any]) -> KeyReading:
    """Read ``{note: {pitch_name, accidental}, mode: {name}}`` and its flatter relatives."""
    raw = _flat(value)
    note, mode = value.get("note", value.get("tonic", value.get("root"))), value.get("mode", value.get("quality"))
    letter = note.get("pitch_name", note.get("name")) if isinstance(note, dict) else note
    sign = note.get("accidental") if isinstance(note, dict) else value.get("accidental")
    name = mode.get("name") if isinstance(mode, dict) else mode
    if not isinstance(letter, str) or not isinstance(name, str):
        return KeyReading(None, None, raw, "prose", ("the key's mapping has no note.pitch_name and mode.name",))
    sign = "" if sign is None or str(sign).lower() in ("none", "natural", "♮") else str(sign)
    read = _from_text(f"{letter}{' ' if len(sign) > 2 else ''}{sign} {name}")
    note_on_shape = "a key signature mapping is written as text"
    return KeyReading(read.tonic, read.mode, raw, read.status, (note_on_shape, *read.corrections))


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flat(item)}" for key, item in value.items()) + "}"
    return f"[{', '.join(map(_flat, value))}]" if isinstance(value, list) else str(value)


def usual_tonic(letter: str, semitones: int, mode: str) -> str:
    """Return the usual spelling of a tonic: 12 names per mode, so that enharmonics are one key."""
    pitch = (_STEPS[letter] + semitones) % 12
    return (_MAJOR if mode in _MAJOR_LIKE else _MINOR)[pitch]


def first_letter_label(value: Any) -> str:
    """Return the label that the original rule counted: first letter, accidental, ``minor`` if the text names it.

    Prose becomes the major of its first letter (``C hromatic Complete`` counts as C major) and enharmonics stay
    apart. Kept only to report the series that the published history was measured with.
    """
    text = value if isinstance(value, str) else read_key(value).label or ""
    found = re.match(r"\s*([A-Ga-g])\s*([#b♯♭])?(?![A-Za-z])", text) or re.match(r"\s*([A-Za-z])()", text)
    if found is None:
        return "unknown"
    sign = found[2] or ""
    mode = "minor" if "minor" in text.lower() else "major"
    return f"{found[1].upper()}{' ' if sign in ('♯', '♭') and sign else ''}{sign} {mode}"


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A time signature, or the free text in its place (``Moderato``), with what was corrected."""

    numerator: int | None
    denominator: int | None
    text: str | None
    corrections: tuple[str, ...] = ()

    @property
    def label(self) -> str | None:
        """``7/8``, or None where none was read."""
        return f"{self.numerator}/{self.denominator}" if self.numerator else None

    @property
    def mapping(self) -> dict[str, int] | None:
        """``{numerator: 7, denominator: 8}``, the shape of the manifest's ``tempo``."""
        if self.numerator is None or self.denominator is None:
            return None
        return {"numerator": self.numerator, "denominator": self.denominator}


def read_meter(value: Any) -> MeterReading:
    """Read a time signature in any shape that the agents write. Pure; never raises."""
    if isinstance(value, dict):
        top, bottom = value.get("numerator"), value.get("denominator")
        if _whole(top) and _whole(bottom):
            return _checked(int(str(top)), int(str(bottom)), ())
        return MeterReading(None, None, str(value)[:200], ("the time signature's mapping has no two numbers",))
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(map(_whole, value)):
        return _checked(int(value[0]), int(value[1]), ("a list is read as numerator and denominator",))
    if isinstance(value, str):
        found = _FRACTION.fullmatch(value)
        if found:
            return _checked(int(found[1]), int(found[2]), ())
        return MeterReading(None, None, value, ("a word stands where the time signature should be",))
    corrections = () if value is None else ("the time signature is neither a mapping nor text",)
    return MeterReading(None, None, None if value is None else str(value)[:200], corrections)


def _whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _checked(top: int, bottom: int, corrections: tuple[str, ...]) -> MeterReading:
    if not 1 <= top <= 32 or bottom not in _UNITS:
        return MeterReading(None, None, f"{top}/{bottom}", (*corrections, f"{top}/{bottom} is no time signature"))
    return MeterReading(top, bottom, None, corrections)
