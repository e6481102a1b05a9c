"""Time signatures, which the agents file under ``tempo``: a mapping, ``7/8``, or free text that is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_FRACTION = re.compile(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*")
_UNITS = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A time signature, or the free text that stood in its place (``Moderato``), with what was corrected."""

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
    said = () if value is None else ("the time signature is neither a mapping nor text",)
    return MeterReading(None, None, None if value is None else str(value)[:200], said)


def _whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdecimal())


def _checked(top: int, bottom: int, said: tuple[str, ...]) -> MeterReading:
    if not 1 <= top <= 32 or bottom not in _UNITS:
        return MeterReading(None, None, f"{top}/{bottom}", (*said, f"{top}/{bottom} is no time signature"))
    return MeterReading(top, bottom, None, said)
