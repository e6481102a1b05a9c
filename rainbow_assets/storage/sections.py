"""Sections of a large ledger: runs of whole parts that can be compared by digest, and read alone.

A ledger of a million rows takes a second to read, however small an edit was. So a large one is written in sections,
each a row group of its file. ``sections-<sha256>.json`` lists them with digests of their columns: a section that is
equal in two ledgers need not be read in either. It also has the place and the sha256 of each row group and of the
file's footer, so that what is read is verified without the rest.

Sections end where the digest of a part's name says so, as content-defined chunks do: an edit moves the borders of its
own section and of a few after it, and two ledgers with the same parts have the same borders.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.parquet import ParquetFile, open_parquet, read_groups

PREFIX = "sections-"
LEAST_ROWS, ONE_IN = 4096, 4
"""A section ends with the first part that brings it to ``LEAST_ROWS`` and has a digest that ``ONE_IN`` divides."""
GOOD = "good"
"""In ``LedgerSection.digests``: the keys and parts of the rows with values; those of all rows are under ``key``."""


@dataclass(frozen=True, slots=True)
class LedgerSection:
    """One row group: its rows, its bytes (``start`` and ``length`` in the file, their sha256), and column digests.

    ``digests``: ``key`` and ``in:`` columns over all rows, ``good`` and ``out:`` columns over the rows with values.
    """

    rows: int
    start: int
    length: int
    sha256: str
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sections:
    """All sections of a ledger in order; ``start`` and ``sha256`` are those of the file's footer."""

    start: int
    sha256: str
    sections: tuple[LedgerSection, ...]

    def to_json(self) -> bytes:
        """Return the sections as JSON; equal ones give equal bytes."""
        return (json.dumps(asdict(self), sort_keys=True) + "\n").encode()

    @classmethod
    @lru_cache(maxsize=64)
    def from_json(cls, data: bytes) -> Sections:
        """Return the sections in ``data``, which :meth:`to_json` wrote; cached by content."""
        document = json.loads(data)
        return cls(**{**document, "sections": tuple(LedgerSection(**item) for item in document["sections"])})


def cut(ledger: pl.DataFrame) -> list[pl.DataFrame]:
    """Return ``ledger``, sorted by key, in sections: runs of whole parts.

    It is one section if a part has rows in two places, because then no run of rows has all rows of its parts.
    """
    runs = ledger["part"].rle()
    lengths, names = runs.struct.field("len").to_list(), runs.struct.field("value").to_list()
    if len(set(names)) < len(names):
        return [ledger]
    found, start, rows = [], 0, 0
    for name, length in zip(names, lengths, strict=True):
        rows += length
        if rows >= LEAST_ROWS and hashlib.sha256(str(name).encode()).digest()[0] % ONE_IN == 0:
            found.append(ledger.slice(start, rows))
            start, rows = start + rows, 0
    return [*found, ledger.slice(start, rows)] if rows else found


def described(path: Path, pieces: list[pl.DataFrame]) -> Sections:
    """Return the sections of the ledger file ``path``, which has one row group for each of ``pieces``."""
    with open_parquet(path) as file:
        spans = [_span(file, number) for number in range(len(pieces))]
    data, footer = path.read_bytes(), max(end for _, end in spans)
    return Sections(footer, sha256_bytes(data[footer:]), tuple(
        LedgerSection(len(piece), start, end - start, sha256_bytes(data[start:end]), _digests(piece))
        for piece, (start, end) in zip(pieces, spans, strict=True)))


def _span(file: ParquetFile, number: int) -> tuple[int, int]:
    """Return where the row group begins and ends in its file."""
    group = file.metadata.row_group(number)
    columns = [group.column(n) for n in range(group.num_columns)]
    starts = [item.dictionary_page_offset or item.data_page_offset for item in columns]
    return min(starts), max(start + item.total_compressed_size for start, item in zip(starts, columns, strict=True))


def _digests(piece: pl.DataFrame) -> dict[str, str]:
    good = piece.filter(pl.col("status") == "ok")
    values = {name: (good if name.startswith("out:") else piece)[name] for name in piece.columns
              if name.startswith(("in:", "out:"))}
    values |= {"key": piece["key"] + "\t" + piece["part"], GOOD: good["key"] + "\t" + good["part"]}
    return {name: sha256_bytes("\n".join(column.fill_null("\t").to_list()).encode("utf-8", "surrogatepass"))[:32]
            for name, column in values.items()}


def read(path: Path, known: Sections, only: Collection[int], columns: list[str] | None) -> pl.DataFrame:
    """Return the rows of the sections ``only`` (numbers), in order; raise ``ValueError`` if the file is another."""
    with path.open("rb") as stream:
        for where, start, length, sha256 in [("footer", known.start, -1, known.sha256), *(
                (f"section {n}", known.sections[n].start, known.sections[n].length, known.sections[n].sha256)
                for n in only)]:
            stream.seek(start)
            if sha256_bytes(stream.read(length)) != sha256:
                raise ValueError(f"its {where} is not what {PREFIX}… lists")
    return read_groups(path, sorted(only), columns)
