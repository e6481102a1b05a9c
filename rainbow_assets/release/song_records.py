"""What a version records of each song: its split, its number of rows, and a digest of their keys.

Two versions are compared by these without downloading a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SongRecord:
    """The rows of one song in a config, or in one of its files.

    ``keys`` is the exclusive or of the digests of all keys, 16 hex digits. So it depends neither on the order of rows
    nor on how they are cut into files. It is 0 for a table without a key.
    """

    split: str
    rows: int = 0
    keys: str = "0" * 16

    def plus(self, rows: int, keys: Iterable[str] = ()) -> SongRecord:
        """Return these rows and ``rows`` more with ``keys``.

        >>> one, two = (SongRecord("train").plus(2, keys) for keys in (["a", "b"], ["b", "a"]))
        >>> one == two, one == SongRecord("train").plus(2, ["a", "c"])
        (True, False)
        """
        found = int(self.keys, 16)
        for key in keys:
            found ^= int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
        return SongRecord(self.split, self.rows + rows, f"{found:016x}")

    def document(self) -> list[Any]:
        """Return the rows of a file as plain values; the split is that of the file."""
        return [self.rows, self.keys]

    @classmethod
    def parse(cls, split: str, document: Sequence[Any]) -> SongRecord:
        """Read what :meth:`document` returned for a file of ``split``; raise ValueError or TypeError."""
        rows, keys = document
        int(keys, 16)
        return cls(split, int(rows), str(keys))


def summed(files: Iterable[Mapping[str, SongRecord]]) -> dict[str, SongRecord]:
    """Return the rows of each song over all ``files`` of a config; a large song is in several of them."""
    found: dict[str, SongRecord] = {}
    for songs in files:
        for song, own in songs.items():
            other = found.get(song, SongRecord(own.split))
            both = int(own.keys, 16) ^ int(other.keys, 16)
            found[song] = SongRecord(own.split, own.rows + other.rows, f"{both:016x}")
    return found
