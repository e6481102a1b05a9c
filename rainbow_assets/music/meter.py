"""Time signatures as text. ``composition.meter`` says what a bar of one looks like."""

from __future__ import annotations

import re

UNITS = (1, 2, 4, 8, 16, 32)
"""Note values that a beat can have, as parts of a whole note."""
_SIGNATURE = re.compile(r"\s*([0-9]{1,3})\s*/\s*([0-9]{1,3})\s*")


def parse_signature(text: str) -> tuple[int, int] | None:
    """Read a time signature as (beats, unit); None if ``text`` is no fraction or has a zero.

    >>> parse_signature("7/8"), parse_signature("Moderato")
    ((7, 8), None)
    """
    found = _SIGNATURE.fullmatch(text)
    if found is None or not int(found[1]) or not int(found[2]):
        return None
    return int(found[1]), int(found[2])


def usual(signature: tuple[int, int]) -> bool:
    """Return True if a time signature has up to 16 beats of a power of two up to 32."""
    return signature[0] <= 16 and signature[1] in UNITS
