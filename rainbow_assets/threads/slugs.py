"""Folder names of packed threads: readable, from the title, and unique and stable, from the thread's id."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80


def slug(text: str) -> str:
    """Return ``text`` in lower case with everything but letters and digits as single hyphens, at most 80 long."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"['’`]", "", plain)
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].rstrip("-")


def directory_for(title: str, thread_id: str, known: dict[str, str]) -> str:
    """Return the folder of a thread: the one it has in ``known`` ({thread id: folder}), else a new one.

    A new name is the title's slug and the first eight characters of the id, so that it depends neither on which
    other threads there are nor on the order in which they came. A later title does not rename the folder.
    """
    if thread_id in known:
        return known[thread_id]
    name = f"{slug(title) or 'thread'}-{thread_id[:8]}"
    taken = {folder for owner, folder in known.items() if owner != thread_id}
    return name if name not in taken else f"{slug(title) or 'thread'}-{thread_id}"
