"""Ids of stems, and the song and stem of a longer id. Ids nest: song, song_t05, song_t05_0012000."""

from __future__ import annotations

import polars as pl

MIX_TRACK = 0
"""Track number of the main mix; manifests number stems from 1."""


def stem_id(song_id: str, track_id: int) -> str:
    """Return ``{song}_t{track:02d}``."""
    return f"{song_id}_t{track_id:02d}"


def song_of(key: pl.Expr) -> pl.Expr:
    """Return the song part of a stem or segment id."""
    return key.str.extract(r"^(.*)_t\d+(?:_\d+)?$", 1)


def stem_of(key: pl.Expr) -> pl.Expr:
    """Return the stem part of a segment id."""
    return key.str.extract(r"^(.*_t\d+)_\d+$", 1)
