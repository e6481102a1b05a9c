"""The interviewee's answers in a thread's dialogue, and how each begins."""

from __future__ import annotations

import re

SPEAKER = "**Walsh:**"
_WORDS = re.compile(r"[A-Za-z'’]+")
OPENING_WORDS = 4


def openers(text: str) -> list[str]:
    """Return the first four words, lower case, of each answer in the Markdown ``text``; punctuation is left out."""
    found = []
    for answer in text.split(SPEAKER)[1:]:
        words = _WORDS.findall(answer[:400])[:OPENING_WORDS]
        if words:
            found.append(" ".join(words).lower().replace("’", "'"))
    return found
