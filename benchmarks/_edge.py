"""The edge that both sides of `lineage.py` resolve: rows with two fields, of which the consumer reads one.

Of N upstream rows, 1 in 100 moved in the field that is read, 1 in 100 in the other one, 1 in 1000 is gone and as many
are new. The right answer is N/1000 new, N/100 changed (less those gone), N/1000 removed; the rest is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One upstream row: its key and the digests of its fields."""

    key: str
    read: str
    unread: str


def digest(*values: object) -> str:
    """32 hex digits."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:32]


def before(rows: int) -> list[Row]:
    """The upstream as the consumer last saw it."""
    return [_row(number, "old", "old") for number in range(rows)]


def after(rows: int) -> list[Row]:
    """The upstream as it is now: every 1000th row is gone, new ones are at the end."""
    kept = [number for number in range(rows) if number % 1000 != 500]
    found = [_row(n, "new" if n % 100 == 7 else "old", "new" if n % 100 == 31 else "old") for n in kept]
    return found + [_row(rows + number, "old", "old") for number in range(rows // 1000)]


def answer(rows: int) -> dict[str, int]:
    """What both sides must say."""
    return {"new": rows // 1000, "changed": rows // 100, "removed": rows // 1000}


def _row(number: int, read: str, unread: str) -> Row:
    key = f"{number % 97:02d}_{number % 89:02d}_t{number % 24:02d}_{number:07d}"
    return Row(key, digest(number, "read", read), digest(number, "unread", unread))
