"""Words for people: numbers with their nouns, lists, and texts from outside that a reader's screen must not obey."""

from __future__ import annotations

import html as standard
import re
from collections.abc import Sequence

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
                     "\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters that command a screen or a reader instead of being shown: control characters except tab and line feed,
separators of lines and paragraphs, those that turn the direction of writing, byte order marks, half surrogate pairs."""
_HTML = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5});")
MACHINE_PATH = r"(^|[\s'\"(=])(/(Users|home|Volumes|root|tmp|work|mnt|var|private|data)/|[A-Za-z]:\\|file://)"
"""Matches an absolute path of a person's machine inside a text. Polars reads it too, so it has no look-around."""


def from_html(text: str) -> str:
    """Return ``text`` with the characters that are written as in HTML; a control character stays as it is written.

    >>> from_html("Don&#39;t &amp; won&apos;t, &#7; R&B")
    "Don't & won't, &#7; R&B"
    """
    return _HTML.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    character = standard.unescape(found[0]).replace("\u00a0", " ")
    return found[0] if not character or CONTROL.search(character) else character


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


def plain(text: str) -> str:
    """Return ``text`` with its control characters written out as JSON does; a JSON document keeps its value.

    >>> print(plain("a title \\x1b[31m in red"))
    a title \\u001b[31m in red
    """
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def line(text: str) -> str:
    """Return ``text`` as one line of a report: :func:`plain`, and its line feeds are written out as well.

    >>> print(line("a title\\nerror   05_01: forged"))
    a title\\nerror   05_01: forged
    """
    return plain(text).replace("\n", "\\n")


def html(text: str) -> str:
    """Return ``text`` for HTML, attributes included, as it is."""
    return standard.escape(plain(text), quote=True)
