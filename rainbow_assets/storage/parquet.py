"""The one parquet writer: deterministic bytes, page index, content-defined chunks, media uncompressed.

Settings follow what ``datasets`` 5.2 writes, so that the Hub's dataset viewer reads single pages and Xet stores an
unchanged stretch of a file once. Media (FLAC, MIDI) is already compressed and is stored plain.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
ROW_GROUP_BYTES = 100 * 1000 * 1000
MEDIA_ROW_GROUP_ROWS = 100
ROW_GROUP_ROWS = 64 * 1024


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What was written: rows, bytes, and the sha256 of the file."""

    rows: int
    bytes: int
    sha256: str


def write_parquet(
    target: str | os.PathLike[str], batches: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema,
    media: tuple[str, ...] = (),
) -> WrittenFile:
    """Write ``batches`` of ``schema`` to the local file ``target``, all or nothing; ``media`` columns stay plain."""
    path = Path(target)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    leaves = [leaf for name in media for leaf in _leaves(schema.field(name))]
    compression = {leaf: "none" if leaf in leaves else "zstd" for item in schema for leaf in _leaves(item)}
    try:
        with pq.ParquetWriter(
            str(temporary), schema, compression=compression or "zstd", write_page_index=True,
            use_dictionary=[leaf for leaf in compression if leaf not in leaves],
            use_content_defined_chunking=CHUNKING, write_statistics=[leaf for leaf in compression if leaf not in leaves],
        ) as writer:
            for batch in batches:
                table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
                for group in _row_groups(table.cast(schema), bool(media)):
                    writer.write_table(group, row_group_size=max(1, group.num_rows))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with open(path, "rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return WrittenFile(pq.read_metadata(path).num_rows, path.stat().st_size, sha256)


def _leaves(item: pa.Field, prefix: str = "") -> list[str]:
    """Parquet leaf paths of a column, for example ``audio.bytes`` or ``sections.list.element.name``."""
    name = f"{prefix}{item.name}"
    if pa.types.is_struct(item.type):
        return [leaf for n in range(item.type.num_fields) for leaf in _leaves(item.type.field(n), f"{name}.")]
    if pa.types.is_list(item.type) or pa.types.is_fixed_size_list(item.type):
        return _leaves(item.type.value_field.with_name("element"), f"{name}.list.")
    return [name]


def _row_groups(table: pa.Table, media: bool) -> Iterable[pa.Table]:
    limit = MEDIA_ROW_GROUP_ROWS if media else ROW_GROUP_ROWS
    start = 0
    while start < table.num_rows:
        rows = min(limit, table.num_rows - start)
        while rows > 1 and table.slice(start, rows).nbytes > ROW_GROUP_BYTES:
            rows = max(1, rows // 2)
        yield table.slice(start, rows)
        start += rows
