"""Markdown, for Dagster's UI and a release's card. Only this module makes it, so that every text in it is escaped."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rainbow_assets.text import plain

_NUMBER = re.compile(r"[-+]?[\d.,]*%?")


class Markdown(str):
    """A text that is shown as Markdown: what its parts mean has been decided, and their texts are escaped."""


def escaped(text: object) -> Markdown:
    """Return ``text`` for running Markdown and table cells: one line, no markup, no HTML, no math.

    >>> print(escaped("**a** <b>|\\x1b[1m"))
    \\*\\*a\\*\\* &lt;b&gt;\\|\\\\u001b\\[1m
    """
    if isinstance(text, Markdown):
        return text
    one = plain(" ".join(str(text).split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markdown(re.sub(r"([\\`*_{}\[\]|#~$])", r"\\\1", one))


def code(text: object) -> Markdown:
    """Return ``text`` as a code span that is also safe in a table cell."""
    return Markdown("`" + verbatim(text).replace("|", "\\|") + "`")


def verbatim(text: object) -> Markdown:
    """Return ``text`` for the inside of a code span or block: one line that does not end it."""
    return Markdown(plain(" ".join(str(text).split())).replace("`", "'"))


def table(head: Sequence[str], rows: Sequence[Iterable[Any]], most: int = 200) -> Markdown:
    """Return a table of up to ``most`` of ``rows``, and how many more there are; columns of numbers align right.

    >>> print(table(("key", "threads"), [("C major", 3), ("D minor", 1)], 1))
    | key | threads |
    |---|---:|
    | C major | 3 |
    <BLANKLINE>
    ... and 1 more
    """
    if not rows:
        return Markdown("none")
    cells = [[escaped("" if value is None else value) for value in row] for row in rows[:most]]
    sides = ["---:" if all(map(_NUMBER.fullmatch, column)) else "---" for column in zip(*cells, strict=True)]
    lines = [f"| {' | '.join(row)} |" for row in (list(map(escaped, head)), *cells)]
    more = [f"\n... and {len(rows) - len(cells)} more"] if len(rows) > len(cells) else []
    return Markdown("\n".join([lines[0], f"|{'|'.join(sides)}|", *lines[1:], *more]))


def bullets(sentences: Iterable[object]) -> Markdown:
    """Return ``sentences`` as a list, or ``none``."""
    return Markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences) or "none")


def picture(png: bytes, what: str) -> Markdown:
    """Return a PNG with the bytes inside; ``what`` is its alternative text."""
    return Markdown(f"![{escaped(what)}](data:image/png;base64,{base64.b64encode(png).decode()})")


def blocks(*parts: str) -> Markdown:
    """Return ``parts`` below each other; those that are no Markdown yet are escaped."""
    return Markdown("\n\n".join(map(escaped, parts)))
