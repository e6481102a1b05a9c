"""A shard is a folder: immutable parts, a ledger, and ``shard.json``, the only file that is ever replaced.

Readers open ``shard.json`` first and then only the files that it lists, and compare their digests. So they see the old
shard or the new one, never a mixture, and a file that was cut or changed is reported by name and never used.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files, sha256_bytes
from rainbow_assets.storage.parquet import Unreadable, open_parquet, read_frame, read_parquet
from rainbow_assets.storage.sections import PREFIX, Sections
from rainbow_assets.storage.sections import read as read_sections

INDEX = "shard.json"
FORMAT = 2


class DamagedShard(RainbowError):
    """A file of a shard is missing, cut or changed; the message names it."""


class MissingShard(RainbowError):
    """The shard has never been written."""


class UndeclaredRead(RainbowError):
    """An asset read something that is not among its inputs: a change there would not make its rows stale."""


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable file with all rows of ``group`` (a song, a stem). ``facts`` are JSON values about it."""

    group: str
    name: str
    sha256: str
    rows: int
    bytes: int
    facts: dict[str, Any] = field(default_factory=dict)


def _dump(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """The content of ``shard.json``.

    ``inputs`` are the versions of everything that the shard was built from; ``facts`` are JSON values about it.
    """

    asset: str
    partition: str
    data_version: str
    parts: tuple[Part, ...]
    ledger: str
    ledger_sha256: str
    inputs: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    sections: str = ""
    """The file that lists the sections of a large ledger."""

    @property
    def rows(self) -> int:
        """Number of live rows."""
        return sum(part.rows for part in self.parts)

    def to_json(self) -> bytes:
        """Return the index as JSON, with a checksum; equal indexes give equal bytes."""
        document = {"format": FORMAT, **asdict(self)}
        if not self.sections:
            del document["sections"]
        return _dump({"checksum": sha256_bytes(_dump(document)), **document})

    @classmethod
    @lru_cache(maxsize=1024)
    def from_json(cls, data: bytes, where: str) -> ShardIndex:
        """Return the index in ``data``, cached by content; raise ``DamagedShard`` that names ``where``."""
        try:
            document = json.loads(data)
            if document["format"] != FORMAT:
                raise DamagedShard(f"{where} has another format than {FORMAT}; rebuild it: rainbow build --repair")
            if document.pop("checksum") != sha256_bytes(_dump(document)):
                raise DamagedShard(f"{where} does not match its checksum; rebuild it: rainbow build --repair")
            del document["format"]
            parts = tuple(Part(**part) for part in document.pop("parts"))
            return cls(parts=parts, **document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedShard(f"{where} cannot be read ({error}); rebuild it: rainbow build --repair") from error


@dataclass(frozen=True)
class Shard:
    """One asset in one color (or ``_all``): a handle for reading, through which the ledger also writes."""

    asset: str
    partition: str
    files: Files
    store: Any
    """The :class:`~rainbow_assets.storage.store.ShardStore` that this shard belongs to."""
    shown: frozenset[str] | None = field(default=None, kw_only=True)
    """The columns that may be read; None for all."""

    @property
    def where(self) -> str:
        """The name of this shard in messages: ``segments/Green``."""
        return f"{self.asset}/{self.partition}"

    def index(self) -> ShardIndex | None:
        """Return the live index, or None if the shard was never written; raise ``DamagedShard``."""
        data = self.files.read(INDEX)
        return None if data is None else ShardIndex.from_json(data, f"{self.where}/{INDEX}")

    def require_index(self) -> ShardIndex:
        """Return the live index; raise ``MissingShard`` with the command that builds the shard."""
        index = self.index()
        if index is None:
            choose = "" if self.partition == "_all" else f" --partition {self.partition}"
            raise MissingShard(
                f"{self.where} has not been built yet; run: dagster asset materialize -m rainbow_assets.definitions "
                f"--select {self.asset}{choose}"
            )
        return index

    def replace_index(self, index: ShardIndex) -> None:
        """Make ``index`` the live one, atomically."""
        self.files.write(INDEX, index.to_json())

    def ledger(
        self, columns: list[str] | None = None, sections: Collection[int] | None = None
    ) -> pl.DataFrame | None:
        """Return the ledger's rows, verified by digest, or None if the shard was never written.

        ``columns`` that the ledger does not have (older code wrote it) are left out. ``sections``: the numbers of the
        sections to read, of a shard for which :meth:`sections` is not None.
        """
        index = self.index()
        if index is None:
            return None
        known = self.sections() if sections is not None else None
        if known is None:
            self.verify(index.ledger, index.ledger_sha256)
        try:
            if known is not None and sections is not None:
                return read_sections(Path(self.files.path(index.ledger)), known, sections, columns)
            return read_frame(self.files.source(index.ledger), columns)
        except (*Unreadable, ValueError) as error:
            raise DamagedShard(
                f"{self.where}/{index.ledger} cannot be read ({error}); run: rainbow build --repair") from error

    def sections(self) -> Sections | None:
        """Return the sections of a large ledger on a local disk, else None; raise ``DamagedShard``."""
        index = self.index()
        if index is None or not index.sections or not self.files.local:
            return None
        data = self.files.read(index.sections)
        if data is None or f"{PREFIX}{sha256_bytes(data)}.json" != index.sections:
            raise DamagedShard(f"{self.where}/{index.sections} is missing or changed; run: rainbow build --repair")
        return Sections.from_json(data)

    def verify(self, name: str, sha256: str) -> None:
        """Raise ``DamagedShard``, with the name of the file, unless ``name`` exists and has the digest ``sha256``."""
        try:
            found = _digest_once(self.files, name)
        except FileNotFoundError:
            raise DamagedShard(f"{self.where}/{name} is missing; rebuild it: rainbow build --repair") from None
        if found != sha256:
            raise DamagedShard(
                f"{self.where}/{name} is not what shard.json lists (cut or changed); rebuild it: rainbow build --repair"
            )

    def _parquet(self, name: str, columns: list[str] | None) -> pa.Table:
        if self.shown is not None:
            hidden = [column for column in columns or () if column.partition(".")[0] not in self.shown]
            if hidden:
                raise UndeclaredRead(f"{', '.join(hidden)} of {self.where} is in no field that the asset declares as "
                                     "an input; add its field to the asset's reads")
            columns = sorted(self.shown) if columns is None else columns
        try:
            return read_parquet(self.files.source(name), columns)
        except Unreadable as error:
            raise DamagedShard(f"{self.where}/{name} cannot be read ({error}); run: rainbow build --repair") from error

    def read_part(self, part: Part, columns: list[str] | None = None) -> pa.Table:
        """Return the rows of one part, verified by digest."""
        self.verify(part.name, part.sha256)
        return self._parquet(part.name, columns)

    def rows_of(self, group: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the rows of the part ``group`` as plain values; an empty list if there is no such part."""
        return [row for part in self.require_index().parts if part.group == group
                for row in self.read_part(part, columns).to_pylist()]

    def tables(self, columns: list[str] | None = None) -> Iterator[tuple[Part, pa.Table]]:
        """Yield every live part with its rows, in order of group; only one part is in memory at a time."""
        for part in self.require_index().parts:
            yield part, self.read_part(part, columns)

    def table(self, schema: pa.Schema, columns: list[str] | None = None) -> pa.Table:
        """Return all rows of the shard as one table of ``schema`` (``columns`` narrows it)."""
        wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
        tables = [table.select(wanted.names).cast(wanted) for _, table in self.tables(wanted.names)]
        return pa.concat_tables(tables) if tables else wanted.empty_table()

    def rows(self, *columns: str, without: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return all rows of the shard as plain values, with ``columns`` (default: all that may be read).

        The columns ``without`` are not read: media columns would take most of the time and memory.
        """
        found = []
        for part in self.require_index().parts:
            names = list(columns) or None
            if without:
                self.verify(part.name, part.sha256)
                with open_parquet(self.files.source(part.name)) as file:
                    present = [name for name in file.schema_arrow.names if self.shown is None or name in self.shown]
                names = [name for name in names or present if name not in without]
            found += self.read_part(part, names).to_pylist()
        return found

    def frame(self, schema: pa.Schema, columns: list[str] | None = None) -> pl.DataFrame:
        """Return the rows of :meth:`table` as a frame."""
        return pl.DataFrame(pl.from_arrow(self.table(schema, columns)))


_SEEN: dict[tuple[str, int, float], str] = {}


def _digest_once(files: Files, name: str) -> str:
    """Return the sha256 of a file, computed once per process as long as path, size and modification time stay."""
    state = (files.path(name), *files.stat(name))
    if state not in _SEEN:
        _SEEN[state] = files.sha256(name)
    return _SEEN[state]
