"""Folder names of packed threads: readable, from the title, and unique and stable, from the thread's id."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

LONGEST = 80


def slug(text: str) -> str:
    """Return ``text`` in lower case with everything but letters and digits as single hyphens, at most 80 long."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"['’`]", "", plain)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")


def directory_for(title: str, thread_id: str, crowded: bool = False) -> str:
    """Return the folder name of a new thread: its title's slug and the first eight characters of its id.

    It depends neither on which other titles there are nor on the order in which the threads came. ``crowded`` puts
    the whole id there, for ids that begin alike.
    """
    return f"{slug(title) or 'thread'}-{thread_id if crowded else thread_id[:8]}"


def shared_prefixes(thread_ids: list[str]) -> frozenset[str]:
    """Return the first eight characters that two or more different ids share."""
    counts = Counter(name[:8] for name in set(thread_ids))
    return frozenset(prefix for prefix, count in counts.items() if count > 1)
