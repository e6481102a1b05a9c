"""Choosing the segments of a preview by hash rank, song by song, so that a change of the songs changes few choices."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from rainbow_assets.errors import RainbowError


class DuplicateSegment(RainbowError):
    """The same segment was offered twice."""


def hash_rank(seed: int, kind: str, name: str) -> str:
    """Return the 64 hex digits that rank ``name``; they depend on the arguments alone."""
    return hashlib.sha256(f"{seed}\0{kind}\0{name}".encode()).hexdigest()


def preview_rows(
    rows: pl.DataFrame | Iterable[Mapping[str, Any]], samples: int, seed: int, slice_column: str | None = None
) -> list[str]:
    """Return min(``samples``, eligible) segment ids in order of rank.

    ``rows`` are those of one color, with ``segment_id``, ``song_id`` and ``eligible``. Songs take turns in the order
    of their own hash rank; on its turn a song gives its next segment by hash rank. So every song has an equal share
    (or all its segments), the choice in a color depends on that color's rows alone, a smaller ``samples`` gives the
    beginning of a larger one, and a new segment or song displaces at most as many rows as it adds. With
    ``slice_column`` (for example ``start_ms``) a song gives each of its slices once before any slice by a second stem.
    Raises ``DuplicateSegment``.
    """
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows))
    if frame.is_empty() or samples <= 0:
        return []
    by_song: dict[str, list[tuple[str, str, Any]]] = {}
    for row in frame.filter(pl.col("eligible")).iter_rows(named=True):
        key = row["segment_id"]
        ranked = (hash_rank(seed, "segment", key), key, row[slice_column] if slice_column else key)
        by_song.setdefault(row["song_id"], []).append(ranked)
    turns = []
    for song, ranked in by_song.items():
        turn = hash_rank(seed, "song", song)
        turns += [(place, turn, key) for place, key in enumerate(_song_order(song, ranked))]
    return [key for _, _, key in sorted(turns)[:samples]]


def _song_order(song: str, ranked: list[tuple[str, str, Any]]) -> list[str]:
    """Return the segments of one song in order of (how often their slice came before, hash rank)."""
    seen: dict[Any, int] = {}
    order = []
    for rank, key, where in sorted(ranked, key=lambda item: item[:2]):
        order.append((seen.get(where, 0), rank, key))
        seen[where] = seen.get(where, 0) + 1
    keys = [key for _, _, key in sorted(order)]
    if len(set(keys)) != len(keys):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        raise DuplicateSegment(f"song {song} offers {twice[0]} twice to the preview; segment ids must be unique")
    return keys
