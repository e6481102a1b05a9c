"""Words for people: numbers with their nouns, names, tables."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any


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


def markdown_table(head: Sequence[str], rows: Sequence[Iterable[Any]], most: int = 12) -> str:
    """Return a Markdown table of up to ``most`` of ``rows``, and how many more there are.

    >>> print(markdown_table(("key", "threads"), [("C major", 3), ("D minor", 1)], 1))
    | key | threads |
    |---|---|
    | C major | 3 |
    <BLANKLINE>
    ... and 1 more
    """
    if not rows:
        return "none"
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(markdown_cell(value) for value in row)} |" for row in rows[:most]]
    return "\n".join([*lines, *([f"\n... and {len(rows) - most} more"] if len(rows) > most else [])])


def markdown_cell(value: Any) -> str:
    """Return ``value`` as a text that Markdown shows as it is, on one line."""
    return html.escape(str(value), quote=False).replace("|", "\\|").replace("\n", " ")
