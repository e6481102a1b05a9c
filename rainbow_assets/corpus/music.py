"""Keys and time signatures as text, read."""

from __future__ import annotations

import re
import unicodedata

from rainbow_assets.corpus.model import SongKey

KEY = re.compile(r"^([A-Ga-g])\s*(#|b|♯|♭|-?\s*sharp|-?\s*flat)?\s*[- ]?\s*(major|minor|maj|min|m|M)\.?$",
                 re.IGNORECASE)
SIGNS = {"♯": "#", "#": "#", "sharp": "#", "♭": "b", "b": "b", "flat": "b"}
SIGNATURE = re.compile(r"^\s*([0-9]{1,3})\s*/\s*([0-9]{1,3})\s*$")


def parse_key(text: str) -> SongKey:
    """Read ``Bb minor``, ``F♯ Major``, ``C#min``, ``B-flat major``; what cannot be read has no tonic and no mode."""
    match = KEY.match(" ".join(unicodedata.normalize("NFC", text).split()))
    if match is None:
        return SongKey(None, None, text)
    sign = SIGNS[match[2].lower().strip("- ")] if match[2] else ""
    major = match[3] == "M" or match[3].lower().startswith("maj")
    return SongKey(match[1].upper() + sign, "major" if major else "minor", text)


def parse_signature(text: str) -> tuple[int, int] | None:
    """Read ``7/8``; None where it is no fraction or has a zero."""
    match = SIGNATURE.match(text)
    if match is None or not int(match[1]) or not int(match[2]):
        return None
    return int(match[1]), int(match[2])


def usual(signature: tuple[int, int]) -> bool:
    """Tell whether a time signature has up to 16 beats of a power of two up to 32."""
    return signature[0] <= 16 and signature[1] in (1, 2, 4, 8, 16, 32)
