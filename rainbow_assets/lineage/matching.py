"""Which keys of one list are also in another, and where: the inner loop of every comparison of ledgers.

Two ledgers are sorted by key and differ in few places. So they are walked side by side, in whole blocks while they
agree. Lists in another order, or with too many differences, are matched by hash.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

NEAR, FAR = 1 << 10, 1 << 16
"""Rows that are compared at once: right after a difference, and at most (blocks double while the lists agree)."""
FEW = 5000
"""Differences (runs of added or removed keys) up to which walking costs less than hashing every key."""


@dataclass(frozen=True)
class Match:
    """``found``: for each key, True if the other list has it. ``used``: for each key of the other list, the same.

    ``places`` are the places of the found keys in the other list, or None if both lists have the same order.
    """

    found: pl.Series
    used: pl.Series
    places: pl.Series | None

    def mine(self, values: pl.Series) -> pl.Series:
        """Return the values of the keys that were found, in order."""
        return values if self.found.all() else values.filter(self.found)

    def theirs(self, values: pl.Series) -> pl.Series:
        """Return the other list's values for the keys that were found, in the same order."""
        if self.places is not None:
            return values.gather(self.places)
        return values if self.used.all() else values.filter(self.used)


def match(keys: pl.Series, among: pl.Series) -> Match:
    """Find each of ``keys`` in ``among``; neither list may have a key twice."""
    ordered = all(series.flags["SORTED_ASC"] or ascending(series) for series in (keys, among))
    walked = _walk(keys, among) if ordered else None
    return walked or _hashed(keys, among)


def ascending(keys: pl.Series) -> bool:
    """Return True if every key is greater than the one before, so that no key is there twice."""
    return len(keys) < 2 or bool((keys.slice(1) > keys.slice(0, len(keys) - 1)).all())


def _walk(keys: pl.Series, among: pl.Series) -> Match | None:
    # Blocks are compared by 64-bit hashes: numbers are compared many times as fast as strings.
    mine, other = keys.hash().to_numpy(), among.hash().to_numpy()
    found, used = np.ones(len(mine), dtype=bool), np.ones(len(other), dtype=bool)
    here, there, block = 0, 0, NEAR
    for _ in range(FEW + len(mine) // NEAR):
        length = min(block, len(mine) - here, len(other) - there)
        if length == 0:
            found[here:], used[there:] = False, False
            matched = Match(_flags(found), _flags(used), None)
            # Compare the strings once, because a collision of hashes would pair two different keys.
            return matched if (matched.mine(keys) == matched.theirs(among)).all() else None
        differs = mine[here:here + length] != other[there:there + length]
        agreed = int(differs.argmax())
        if not differs[agreed]:
            here, there, block = here + length, there + length, min(block * 2, FAR)
            continue
        here, there, block = here + agreed, there + agreed, NEAR
        # Most differences are a single key that was added or removed: then the next keys agree again.
        if there + 1 < len(other) and other[there + 1] == mine[here]:
            used[there], there = False, there + 1
        elif here + 1 < len(mine) and mine[here + 1] == other[there]:
            found[here], here = False, here + 1
        elif keys[here] < among[there]:
            until = _skip(keys, here, among[there])
            found[here:until], here = False, until
        else:
            until = _skip(among, there, keys[here])
            used[there:until], there = False, until
    return None


def _skip(keys: pl.Series, start: int, bound: str) -> int:
    """Return the first place after ``start`` whose key is not below ``bound``."""
    width = 1
    while start + width < len(keys) and keys[start + width] < bound:
        width *= 2
    return bisect_left(keys, bound, start + width // 2, min(start + width, len(keys)))


def _hashed(keys: pl.Series, among: pl.Series) -> Match:
    # 64-bit hashes are matched three times as fast as strings. The matches are then compared as strings; after a
    # collision everything is matched by strings.
    places = _join(keys.hash(), among.hash())
    exact = places.is_not_null()
    if len(places) != len(keys) or not (keys.filter(exact) == among.gather(places.drop_nulls())).all():
        places = _join(keys, among)
    found, used = places.is_not_null(), np.zeros(len(among), dtype=bool)
    used[places.drop_nulls().to_numpy()] = True
    return Match(found, _flags(used), places.drop_nulls())


def _flags(values: np.ndarray) -> pl.Series:
    # As bits for Arrow: given an array, polars imports numpy's masked arrays and Arrow imports pandas, and either takes
    # longer than the comparison of a song.
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pl.Series(pa.BooleanArray.from_buffers(pa.bool_(), len(values), [None, bits]))


def _join(left: pl.Series, right: pl.Series) -> pl.Series:
    places = pl.DataFrame({"on": right, "place": pl.int_range(len(right), dtype=pl.UInt32, eager=True)})
    return pl.DataFrame({"on": left}).join(places, on="on", how="left", maintain_order="left")["place"]
