"""The colors of proposals, checked against the Rainbow Table with every correction listed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rainbow_assets import taxonomy
from rainbow_assets.taxonomy import Color, UnknownColor

_ALIASES = {"W": "A"}
"""Letters that the agents use for a color whose own letter is another."""
_TRANSPARENT = "t"
_WITH_HEX = re.compile(r"\s*(.+?)\s*\(0x[0-9a-fA-F]+\)\s*")


@dataclass(frozen=True, slots=True)
class Correction:
    """One value that was replaced: its field, the value found, and the one of the Rainbow Table (or the rule)."""

    field: str
    found: str
    canonical: str
    reason: str


@dataclass(frozen=True, slots=True)
class ColorReading:
    """The color meant (None if the table has no such color), the raw text and what was corrected."""

    color: Color | None
    raw: str
    corrections: tuple[Correction, ...] = ()


def read_color(value: Any) -> ColorReading:
    """Read a color in any shape that the agents write: a name, a letter, ``Name (0xhex)`` or a mapping. Pure."""
    if isinstance(value, dict):
        return _from_mapping(value)
    if not isinstance(value, str) or not value.strip():
        return ColorReading(None, "" if value is None else str(value)[:200])
    color = find_color(value)
    if color is None:
        return ColorReading(None, value)
    if value == color.name:
        return ColorReading(color, value)
    return ColorReading(color, value, (Correction("rainbow_color", value, color.name, "written as its name"),))


@lru_cache(maxsize=1024)
def find_color(text: str) -> Color | None:
    """Return the color that ``text`` names: ``White``, ``indigo``, ``Y``, ``W`` or ``Blue (0x00ff)``; else None."""
    found = _WITH_HEX.fullmatch(text)
    plain = (found[1] if found else text).strip()
    try:
        return taxonomy.resolve(_ALIASES.get(plain.upper(), plain))
    except UnknownColor:
        return None


def color_of_letter(letter: str) -> Color | None:
    """Return the color of a file name's letter; None for ``t`` (transparent: no color was set) and strangers."""
    return None if letter.lower() == _TRANSPARENT else find_color(letter)


def _from_mapping(value: dict[Any, Any]) -> ColorReading:
    name, letter = value.get("color_name", value.get("name")), value.get("mnemonic_character_value")
    raw = str(name if name is not None else letter if letter is not None else value)[:200]
    color = find_color(str(name)) if name is not None else None
    corrections: list[Correction] = []
    if color is None and letter is not None:
        color = find_color(str(letter))
        if color is not None:
            corrections.append(Correction("color_name", str(name), color.name, "taken from the letter"))
    if color is None:
        return ColorReading(None, raw)
    if name is not None and str(name) != color.name and not corrections:
        corrections.append(Correction("color_name", str(name), color.name, "written as its name"))
    for field, canonical in _canonical(color).items():
        if field in value and _plain(value[field], field) != canonical:
            corrections.append(Correction(field, _said(value[field], field), _text(canonical), "the Rainbow Table"))
    return ColorReading(color, raw, tuple(corrections))


def _canonical(color: Color) -> dict[str, Any]:
    return {
        "mnemonic_character_value": color.mnemonic,
        "hex_value": int(color.hex, 16),
        "temporal_mode": color.temporal,
        "objectional_mode": color.spatial,
        "ontological_mode": tuple(sorted(color.ontological)) or None,
    }


def _plain(value: Any, field: str) -> Any:
    """The value with different spellings of one thing made equal: None and ``"None"``, list order, hex text."""
    if value is None or value == "None" or value in ([], ""):
        return None
    if field == "hex_value":
        if isinstance(value, str):
            digits = value.lower().removeprefix("#").removeprefix("0x")
            return int(digits, 16) if re.fullmatch(r"[0-9a-f]{1,8}", digits) else value
        return value
    if field == "ontological_mode":
        items = value if isinstance(value, list) else [value]
        return tuple(sorted(str(item) for item in items if item not in (None, "None"))) or None
    return str(value)


def _said(value: Any, field: str) -> str:
    plain = _plain(value, field)
    return f"{plain:06X}" if field == "hex_value" and isinstance(plain, int) else _text(plain)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int):
        return f"{value:06X}"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
