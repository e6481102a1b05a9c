"""Assign songs to folds, and hide inputs that several songs share, so that no model is tested on what it learned."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import polars as pl

SHARED = {"lyric": "lyric_of_two_songs", "audio": "sound_of_two_songs", "roll": "music_of_two_songs"}
"""Reasons for hiding an input of a row: another song has the same input."""
NO_INPUT = "no_input"


def groups(concepts: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return {song: group}. Songs that share a concept (digest) are one group, named after its first song."""
    owner: dict[str, str] = {}
    parent = {song: song for song in concepts}

    def root(song: str) -> str:
        while parent[song] != song:
            song = parent[song]
        return song

    for song in sorted(concepts):
        for concept in concepts[song]:
            first = owner.setdefault(concept, song)
            low, high = sorted((root(first), root(song)))
            parent[high] = low
    return {song: root(song) for song in sorted(concepts)}


def folds(colors: Mapping[str, str], group: Mapping[str, str], count: int, seed: int) -> dict[str, int]:
    """Return {song: fold}: the groups of each color are assigned to folds in turn, in the order of their hashes.

    ``colors`` is {song: color}. A group has the color of its first song.
    """
    by_color: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(group.values())):
        by_color[colors[name]].append(name)
    assigned: dict[str, int] = {}
    # Counted across colors: if each color started at fold 0, the first folds would get more songs than the last.
    at = 0
    for color in sorted(by_color):
        ranked = sorted(by_color[color], key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).hexdigest())
        for name in ranked:
            assigned[name] = at % count
            at += 1
    return {song: assigned[name] for song, name in group.items()}


def usable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``uses_concept``, ``uses_lyric``, ``uses_audio``, ``uses_roll`` (bool) and ``reason`` (or null) per row.

    ``frame`` has ``group`` and the digests ``concept``, ``lyric``, ``audio`` and ``roll`` (null: the row has none).
    An input that several groups of songs share cannot distinguish their colors, and a model could be trained on an
    input that it is tested with. It is therefore hidden in both. A row without any input is not used.
    """
    uses, reasons = [pl.col("concept").is_not_null().alias("uses_concept")], []
    for name, shared in SHARED.items():
        several = pl.col(name).is_not_null() & (pl.col("group").n_unique().over(name) > 1)
        uses.append((pl.col(name).is_not_null() & ~several).alias(f"uses_{name}"))
        reasons.append(pl.when(several).then(pl.lit(shared)))
    empty = pl.all_horizontal(pl.col(name).is_null() for name in ("concept", *SHARED))
    nothing = pl.when(empty).then(pl.lit(NO_INPUT))
    reason = pl.concat_str(*reasons, nothing, separator=", ", ignore_nulls=True)
    return frame.select(*uses, pl.when(reason != "").then(reason).alias("reason"))
