"""Numbers and lists as words, for messages."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return the number and its noun, singular or plural.

    >>> counted(1, "row"), counted(2_500, "row"), counted(2, "piece of music", "pieces of music")
    ('1 row', '2,500 rows', '2 pieces of music')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def some(names: Sequence[str], most: int = 5, between: str = ", ") -> str:
    """Return the first ``most`` of ``names`` as a list in words, and how many more there are.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more
