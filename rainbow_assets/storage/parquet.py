"""The one Parquet writer and the one Parquet reader.

The writer: deterministic bytes, page index, content-defined chunks, media uncompressed.

The options are those that ``datasets`` 5.2 writes (``DEFAULT_CDC_OPTIONS``, ``get_parquet_column_options``), so that
the Hub's dataset viewer reads single pages and Xet stores an unchanged stretch of a file once. Media (FLAC, MIDI) are
compressed already and are stored as they are. Other columns use zstd instead of snappy: it is deterministic too, every
Parquet reader supports it, and the texts that each row of a song repeats take less space.

The reader: no thread of Arrow may reach a Python object. A thread that releases one while the interpreter shuts down
aborts the process, after all work is done (apache/arrow#34314). ``pq.read_table`` on a Python stream and a
``ParquetFile`` that reads ahead use Arrow's I/O threads whatever ``use_threads`` is. So Arrow opens the files itself,
bytes are copied into Arrow's memory, and the calling thread reads. A test searches the source: no other module may
read Parquet or run Arrow's query engine, which has threads too.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rainbow_assets.atomic import replacing

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
ROW_GROUP_BYTES = 100 * 1000 * 1000
MEDIA_ROW_GROUP_ROWS = 100
"""The Hub's viewer shows pages of 100 rows, and a reader that ignores the page index reads whole row groups."""
ROW_GROUP_ROWS = 64 * 1024
Source = str | os.PathLike[str] | bytes
"""A Parquet file: its local path, or its content."""
ParquetFile = pq.ParquetFile
Unreadable = (pa.ArrowInvalid, OSError)
"""Exceptions that reading raises for a file that is missing, cut or not Parquet."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """Rows, bytes and sha256 of a file that was written."""

    rows: int
    bytes: int
    sha256: str


def write_parquet(
    target: str | os.PathLike[str] | BinaryIO, batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema,
    media: tuple[str, ...] = (), as_groups: bool = False,
) -> WrittenFile:
    """Write ``batches`` to ``target``; ``media`` columns (``binary``, ``struct<bytes, path>``) are not compressed.

    A path is written atomically: to a temporary file beside it, which is flushed to disk and renamed. An open binary
    stream is written to and left open. With ``as_groups`` every batch is a row group; else the bytes depend on the rows
    and the schema alone, not on the batches. Memory is bounded by one row group (at most 100 MB; with media at most 100
    rows) and one incoming batch.
    """
    if not isinstance(target, (str, os.PathLike)):
        return _write(target, batches, schema, media, as_groups)
    with replacing(Path(target)) as stream:
        return _write(stream, batches, schema, media, as_groups)


class _Hashing:
    """A sink that hashes and counts the bytes that it writes to ``stream``."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.seen, self.bytes = stream, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.stream.write(view)
        self.seen.update(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        """Leave the stream open: its owner closes it."""


def _write(
    stream: BinaryIO, batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema, media: tuple[str, ...],
    as_groups: bool,
) -> WrittenFile:
    plain = [leaf for name in media for leaf in _leaves(schema.field(name))]
    packed = [leaf for item in schema for leaf in _leaves(item) if leaf not in plain]
    sink, rows = _Hashing(stream), 0
    options: dict[str, Any] = {
        "compression": {**dict.fromkeys(plain, "none"), **dict.fromkeys(packed, "zstd")},
        "use_dictionary": packed, "column_encoding": dict.fromkeys(plain, "PLAIN") or None,
        "write_statistics": packed, "write_page_index": True, "use_content_defined_chunking": CHUNKING,
    }
    # The sink is a Python object: only the calling thread writes to it, and both are closed before this returns.
    with pa.PythonFile(sink, mode="w") as file, pq.ParquetWriter(file, schema, **options) as writer:
        writer.add_key_value_metadata({"content_defined_chunking": json.dumps(CHUNKING)})
        limit = MEDIA_ROW_GROUP_ROWS if media else ROW_GROUP_ROWS
        for group in batches if as_groups else _row_groups(batches, schema, limit):
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
            del group
    return WrittenFile(rows, sink.bytes, sink.seen.hexdigest())


def _leaves(item: pa.Field, prefix: str = "") -> list[str]:
    """Return the Parquet leaf paths of a column, for example ``audio.bytes`` or ``sections.list.element.name``."""
    name = f"{prefix}{item.name}"
    if pa.types.is_struct(item.type):
        return [leaf for n in range(item.type.num_fields) for leaf in _leaves(item.type.field(n), f"{name}.")]
    if pa.types.is_list(item.type) or pa.types.is_large_list(item.type) or pa.types.is_fixed_size_list(item.type):
        return _leaves(item.type.value_field.with_name("element"), f"{name}.list.")
    return [name]


def _row_groups(
    batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema, limit: int
) -> Iterator[pa.Table]:
    """Yield the rows of ``batches`` in tables of at most ``limit`` rows and ``ROW_GROUP_BYTES``."""
    waiting, rows, size = [schema.empty_table()], 0, 0
    for batch in batches:
        table = (pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch).cast(schema)
        waiting.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
        del batch, table
        while rows >= limit or size > ROW_GROUP_BYTES:
            pending = pa.concat_tables(waiting)
            taken = _prefix(pending, limit)
            if taken == rows and rows < limit:
                break
            # A copy: a slice would keep the whole batch alive, and its chunk borders would move pages.
            group, rest = pending.slice(0, taken).combine_chunks(), pending.slice(taken)
            waiting, rows, size = [rest], rest.num_rows, rest.nbytes
            del pending, rest  # while the group is written, it is the only copy of its rows
            yield group
            del group
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()


def _prefix(table: pa.Table, limit: int) -> int:
    """Return how many first rows (at least 1) fit into ``limit`` rows and ``ROW_GROUP_BYTES``."""
    low, high = 1, min(limit, table.num_rows)
    while low < high:
        middle = (low + high + 1) // 2
        if table.slice(0, middle).nbytes <= ROW_GROUP_BYTES:
            low = middle
        else:
            high = middle - 1
    return low


def parquet_bytes(table: pa.Table, media: tuple[str, ...] = ()) -> bytes:
    """Return ``table`` as the content of a Parquet file."""
    sink = io.BytesIO()
    write_parquet(sink, [table], table.schema, media)
    return sink.getvalue()


@contextmanager
def open_parquet(source: Source, buffer_size: int = 0) -> Iterator[ParquetFile]:
    """Open ``source`` for reading by the calling thread; raise one of ``Unreadable``.

    With ``buffer_size`` (bytes) columns are read in pieces of that size, so that no row group is in memory as a whole.
    """
    native = _native(source) if isinstance(source, bytes) else pa.OSFile(os.fspath(source))
    with native, ParquetFile(native, buffer_size=buffer_size, pre_buffer=False) as file:
        yield file


def _native(data: bytes) -> pa.BufferReader:
    """Return a copy of ``data`` in Arrow's memory: a buffer around the bytes would reference a Python object."""
    sink = pa.BufferOutputStream()
    sink.write(data)
    return pa.BufferReader(sink.getvalue())


def read_parquet(source: Source, columns: list[str] | None = None) -> pa.Table:
    """Return the rows of ``source``, with all columns or with ``columns``."""
    with open_parquet(source) as file:
        return file.read(columns=columns, use_threads=False)


def read_batches(file: ParquetFile, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an open file, at most ``rows`` at a time."""
    yield from file.iter_batches(rows, columns=columns, use_threads=False)


def read_frame(source: Source, columns: list[str] | None = None) -> pl.DataFrame:
    """Return the rows of ``source`` as a polars frame; ``columns`` that the file does not have are left out."""
    with open_parquet(source) as file:
        present = file.schema_arrow.names
        chosen = None if columns is None else [name for name in columns if name in present]
        if isinstance(source, bytes):
            return pl.DataFrame(pl.from_arrow(file.read(columns=chosen, use_threads=False)))
    # Polars opens the file itself: that is faster, and its threads reference no Python object.
    return pl.read_parquet(os.fspath(source), columns=chosen, glob=False)


def read_groups(source: Source, groups: list[int], columns: list[str] | None = None) -> pl.DataFrame:
    """Return the rows of the row groups ``groups``; ``columns`` that the file does not have are left out."""
    with open_parquet(source) as file:
        present = file.schema_arrow.names
        chosen = None if columns is None else [name for name in columns if name in present]
        return pl.DataFrame(pl.from_arrow(file.read_row_groups(groups, columns=chosen, use_threads=False)))


def rows_of(table: pa.Table, column: str, values: Collection[str] | pa.Array) -> pa.Table:
    """Return the rows whose ``column`` is one of ``values``, in their order.

    It filters by a mask, because Arrow runs expressions on the threads of its query engine.
    """
    wanted = values if isinstance(values, pa.Array) else pa.array(sorted(values), table.schema.field(column).type)
    return table.filter(pc.is_in(table[column], value_set=wanted))  # pyright: ignore[reportAttributeAccessIssue]
