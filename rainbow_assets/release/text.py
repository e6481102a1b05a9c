"""The limit on text per row that keeps the dataset viewer's pages at 100 rows."""

from __future__ import annotations

BUDGET_BYTES = 1600
"""Largest number of text bytes per preview row; with more, the viewer shows fewer than 100 rows a page."""
CONCEPT_BYTES = 900
LYRIC_BYTES = 400
ELLIPSIS = " …"


def clip(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` bytes of UTF-8, cut at a word and marked with an ellipsis."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(ELLIPSIS.encode())
    kept = text.encode()[:room].decode("utf-8", "ignore")
    return (kept.rsplit(None, 1)[0] if " " in kept else kept) + ELLIPSIS


def within_budget(texts: dict[str, str | None]) -> dict[str, str]:
    """Return ``concept`` and ``lyric_text`` clipped to their shares of the budget; null becomes the empty text."""
    limits = {"concept": CONCEPT_BYTES, "lyric_text": LYRIC_BYTES}
    return {name: clip(value or "", limits[name]) for name, value in texts.items()}
