"""A guard against mass deletion: a disk that is not mounted must not count as "every song was deleted".

Two kinds of loss are counted: songs (or threads) that would lose all their rows, because the folder is gone or cannot
be used any more, and missing files (sounds, MIDI) of the songs that stay.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.ledger import Delta, candidates
from rainbow_assets.text import some

NAMED = 5
"""How many missing songs or files a message names."""


class MassDeletion(RainbowError):
    """More source files disappeared at once than a person would delete on purpose."""


def vanished(delta: Delta) -> str | None:
    """Return why the deletions in ``delta`` are refused, or None if they are accepted.

    Only assets that read from outside the store (``RowAsset.source``) are examined: rows that they lose are lost in
    every asset downstream. The share of each kind of loss is compared with ``safety.max_vanished``.
    """
    step, shard = delta.step, delta.shard
    if step.source is None or delta.current or delta.index is None:
        return None
    most = delta.rules.safety.max_vanished
    why = _unusable(delta)
    for gone, before, what in _losses(delta, set(why)):
        if len(gone) <= most * before:
            continue
        how = "are gone or cannot be used" if why.keys() & set(gone) else "are gone at once"
        names = some([why.get(name, name) for name in gone], NAMED)
        return (f"{shard.where}: {len(gone)} of {before} {what}s {how} ({names}), more than "
                f"{most:.0%}; nothing was deleted. If a disk is not mounted, a file was emptied or a variable names "
                "another folder, fix that; if they were deleted on purpose, run: rainbow build --allow-deletes")
    return None


def _unusable(delta: Delta) -> dict[str, str]:
    """Return {part that had rows and cannot be used now: a sentence that names it and says why}."""
    if delta.step.unusable is None:
        return {}
    # What could not be used before had a single row, under its own id.
    used = set(delta.old.filter(pl.col("key") != pl.col("part"))["part"])
    return {part: why for part, why in delta.step.unusable(delta.shard).items() if part in used}


def _losses(delta: Delta, unusable: set[str]) -> Iterator[tuple[list[str], int, str]]:
    """Yield (what is gone or unusable, how many there were, what one is called) for each kind of loss."""
    new = delta.candidates
    before = set(delta.old["part"])
    lost = ((before - set(new["part"])) | unusable) - set(renamed(delta))
    lost -= set(moved(delta)) if lost else set()
    yield sorted(lost), len(before), delta.step.unit
    for column, what in delta.step.material.items():
        accounted = [*lost, *renamed(delta), *moved(delta)]
        had = delta.old.filter(pl.col(column).is_not_null(), ~pl.col("part").is_in(accounted))
        left = set(new.filter(pl.col(column).is_not_null())["key"])
        gone = sorted(set(had["key"]) - left)
        if len(gone) > 1:  # people delete single files every day
            yield gone, had.height, what


def renamed(delta: Delta) -> dict[str, str]:
    """Return {song that is gone: new song with the same files}; the set of its sounds identifies a song."""
    column = next(iter(delta.step.material), None)
    if column is None or not len(delta.old) or not len(delta.candidates):
        return {}
    was, now = (_files(frame, column) for frame in (delta.old, delta.candidates))
    fresh = {files: part for part, files in now.items() if part not in was and files}
    return {part: fresh[files] for part, files in was.items() if part not in now and files in fresh}


def moved(delta: Delta) -> dict[str, str]:
    """Return {song that is gone here: partition that has its files now}."""
    column, here = next(iter(delta.step.material), None), delta.shard.partition
    gone = set(delta.old["part"]) - set(delta.candidates["part"])
    if column is None or not delta.step.colored or not gone:
        return {}
    was, found = _files(delta.old.filter(pl.col("part").is_in(list(gone))), column), dict[str, str]()
    for other in delta.step.partitions:
        if other != here:
            wanted = candidates(delta.step, delta.shard.store.shard(delta.step.name, other), delta.rules)
            there = set(_files(wanted, column).values())
            found.update({part: other for part, files in was.items() if files and files in there})
    return found


def _files(frame: pl.DataFrame, column: str) -> dict[str, frozenset[str]]:
    """Return {part: digests of its files}."""
    return {str(part): frozenset(rows[column].drop_nulls()) for (part,), rows in frame.group_by("part")}


def require_present(delta: Delta) -> None:
    """Raise ``MassDeletion`` if ``delta`` would delete more than a person would delete on purpose."""
    sentence = vanished(delta)
    if sentence is not None:
        raise MassDeletion(sentence)
