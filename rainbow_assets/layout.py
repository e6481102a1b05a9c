"""Texts of several lines for a terminal, made here alone so that a line break inside a value never starts a new line.

A title with a line break could otherwise look like a line of the program.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rainbow_assets.markdown import Markdown
from rainbow_assets.text import line, plain


class Lines(str):
    """A text of several lines, each of which is one of the program: the line breaks of its values are written out."""


def layout(lines: Iterable[str]) -> Lines:
    """Return ``lines`` below each other, each on one line; a ``Lines`` among them keeps its own.

    >>> print(layout(["title: a\\nb", layout(["one", "two"])]))
    title: a\\nb
    one
    two
    """
    return Lines("\n".join(map(shown, lines)))


def document(value: Any, *, sort_keys: bool = False) -> Lines:
    """Return ``value`` as an indented JSON document."""
    return Lines(plain(json.dumps(value, indent=1, sort_keys=sort_keys, ensure_ascii=False)))


def shown(text: str) -> str:
    """Return ``text`` for a terminal: one line, unless its layout was decided; control characters are written out."""
    return plain(text) if isinstance(text, Lines | Markdown) else line(text)
