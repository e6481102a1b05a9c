"""Time signatures, which the agents file under ``tempo``: a mapping, ``7/8``, or free text that is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rainbow_assets.music.meter import UNITS, parse_signature

MOST_BEATS = 32


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
