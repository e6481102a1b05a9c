"""What texts repeat: watched phrases, phrases and title words found by counting, openings of answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

WATCHED = (
    "transmigration", "seven chromatic methodologies", "chromatic methodologies", "narcissistic",
    "consciousness archaeology", "frequency archaeology", "prism synthesis", "information time space",
    "information through time into space", "information architecture", "white light", "pure information",
)
"""Phrases that are always reported, as words only: ``information → time → space`` is ``information time space``."""
INTERJECTIONS = frozenset({
    "look", "okay", "ok", "oh", "yeah", "man", "dude", "honestly", "well", "holy", "fuck", "god", "so", "listen",
    "right",
})
_STOP = frozenset({
    "a", "all", "an", "and", "are", "as", "at", "be", "becomes", "been", "but", "by", "can", "each", "for", "from",
    "has", "have", "how", "in", "into", "is", "it", "its", "itself", "not", "of", "on", "one", "or", "our", "own",
    "she", "so", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "through", "to", "was", "we", "what", "when", "where", "which", "while", "who", "will", "with", "within",
    "without", "you", "your",
})
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
SPEAKER = "**Walsh:**"
"""Before each answer of the interviewee in a thread's dialogue."""
_SPOKEN = re.compile(r"[A-Za-z'’]+")
OPENING_WORDS = 4
LONGEST = 4
EXCERPT = 200
"""Characters of a concept that the original index kept, and judged it by."""


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, apostrophes kept, everything else gone."""
    return _WORD.findall(text.lower().replace("’", "'"))


def plain(text: str) -> str:
    """Return the words of ``text`` joined by single spaces, with one at each end: a phrase is found whole or not."""
    return f" {' '.join(words(text))} "


def phrases_in(text: str, phrases: Iterable[str]) -> list[str]:
    """Return those of ``phrases`` that ``text`` contains as whole words."""
    flat = plain(text)
    return [phrase for phrase in phrases if plain(phrase) in flat]


def common_phrases(texts: Sequence[str], least: float) -> list[str]:
    """Return phrases of two to four words that at least ``least`` of the texts hold, the longest of each family.

    A phrase neither begins nor ends with a word of grammar; one that occurs only inside a longer common phrase is
    left out. Sorted.
    """
    if not texts:
        return []
    counts: Counter[str] = Counter()
    for text in texts:
        found = words(text)
        counts.update({
            " ".join(found[start:start + length])
            for length in range(2, LONGEST + 1) for start in range(len(found) - length + 1)
            if found[start] not in _STOP and found[start + length - 1] not in _STOP})
    common = {phrase: count for phrase, count in counts.items() if count / len(texts) >= least and count > 1}
    return sorted(phrase for phrase, count in common.items()
                  if not any(other != phrase and common[other] >= count and plain(phrase) in plain(other)
                             for other in common))


def title_words(title: str) -> list[str]:
    """Return the words of a title that carry meaning, each once, sorted: four letters or more, no grammar."""
    return sorted({word.removesuffix("'s") for word in words(title) if len(word) >= 4 and word not in _STOP})


def opener(opening: str) -> str:
    """Return what an answer's opening is counted under: an interjection alone, else its first two words."""
    found = words(opening)
    if not found:
        return ""
    return found[0] if found[0] in INTERJECTIONS else " ".join(found[:2])


def same_title(first: str, second: str) -> bool:
    """Return True if two titles are the same words, whatever their case and punctuation."""
    return bool(words(first)) and words(first) == words(second)


def openers(text: str) -> list[str]:
    """Return the first four words, lower case, of each answer in the Markdown ``text``; punctuation is left out."""
    found = []
    for answer in text.split(SPEAKER)[1:]:
        opening = _SPOKEN.findall(answer[:400])[:OPENING_WORDS]
        if opening:
            found.append(" ".join(opening).lower().replace("’", "'"))
    return found
