"""Keys and time signatures as the agents write them, read with a list of all corrections.

Spellings of keys seen: ``F# minor``, ``E ♭ major``, ``A# major`` (a rewritten flat), ``C major (resolving through
...)``, a KeySignature mapping, and prose that a first-letter rule cut apart (``A ll Keys (Chromatic Convergence)``).
Time signatures are filed under ``tempo``: a mapping, ``7/8``, or free text that is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from rainbow_assets.music.keys import Key, find_key
from rainbow_assets.music.meter import UNITS, parse_signature

Status = Literal["read", "prose", "missing"]
MOST_BEATS = 32


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
    found = find_key(raw)
    # "A ll Keys": a letter and something that is neither accidental nor mode is a sentence, not a key.
    if found is None or (found.mode is None and found.rest and not found.rest.startswith("(")):
        return KeyReading(None, None, raw, "prose", ("the text names no key",))
    written = Key(found.tonic, found.mode or "major")
    key = written.usual
    corrections: list[str] = []
    if found.mode is None:
        corrections.append("no mode is written; major is assumed")
    if written != key:
        corrections.append(f"{written.label} is written as its enharmonic {key.label}")
    if found.rest:
        corrections.append(f"the words after the key are left out: {found.rest[:80]!r}")
    if not corrections and raw != key.label:
        corrections.append(f"the spelling {raw[:40]!r} is written as {key.label}")
    return KeyReading(key.tonic, key.mode, raw, "read", tuple(corrections))


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


def first_letter_label(value: Any) -> str:
    """Return the label that the original rule counted: first letter, accidental, ``minor`` where it says so.

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
    """A time signature, or the free text that stood in its place (``Moderato``)."""

    numerator: int | None
    denominator: int | None
    text: str | None

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
    found = _two_numbers(value)
    if found is None:
        return MeterReading(None, None, value if isinstance(value, str) or value is None else str(value)[:200])
    top, bottom = found
    if not 1 <= top <= MOST_BEATS or bottom not in UNITS:
        return MeterReading(None, None, f"{top}/{bottom}")
    return MeterReading(top, bottom, None)


def _two_numbers(value: Any) -> tuple[int, int] | None:
    if isinstance(value, str):
        return parse_signature(value)
    both: Any = (value.get("numerator"), value.get("denominator")) if isinstance(value, dict) else value
    if isinstance(both, (list, tuple)) and len(both) == 2 and all(map(_whole, both)):
        return int(both[0]), int(both[1])
    return None


def _whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, str) and len(value) < 10 and value.isdecimal())
