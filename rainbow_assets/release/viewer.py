"""Checking a written file against the dataset viewer's rules: what would break a page, or leave a row without a player.

Source: huggingface/dataset-viewer f62009e05 (``libcommon/viewer_utils``, ``chart/env/prod.yaml``): one undecodable
Audio cell fails the whole page; only ``.flac .wav .mp3 .opus`` bytes pass through unchanged, by the path's ending; a
page is 100 rows, 200,000 bytes of response and 300 MB of scanned row groups; a list of floats without ``emb`` in its
column's name makes the dataset a time series.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from rainbow_assets.release.bundle import FILE_BYTES
from rainbow_assets.release.features import SAMPLING_RATE, audio_columns
from rainbow_assets.release.text import BUDGET_BYTES
from rainbow_assets.sound.flac import FlacMismatch, decode_flac
from rainbow_assets.storage.parquet import (
    MEDIA_ROW_GROUP_ROWS,
    ROW_GROUP_BYTES,
    ParquetFile,
    Source,
    Unreadable,
    open_parquet,
    read_batches,
)

MAX_COLUMNS, MAX_NAME = 1000, 500


def viewer_problems(path: Path, preview: bool = False) -> list[str]:
    """Return a sentence for everything in the parquet file ``path`` that the viewer could not show; empty is good.

    Every Audio cell is decoded to its end. ``preview`` adds the rules of the default config: an Audio column, at most
    1.6 kB of text per row, no vectors.
    """
    try:
        found = problems_of(path, path.stat().st_size, preview)
    except OSError as error:
        found = [f"cannot be read as parquet: {error}"]
    return [f"{path.name}: {sentence}" for sentence in found]


def problems_of(source: Source, size: int, preview: bool = False) -> list[str]:
    """Do what :func:`viewer_problems` does, for a parquet file of ``size`` bytes on the disk or in memory."""
    try:
        with open_parquet(source) as file:
            sounds = audio_columns(file.schema_arrow)
            return [*_layout(file, size, bool(sounds)), *_columns(file.schema_arrow, preview),
                    *_cells(file, sounds, preview)]
    except Unreadable as error:
        return [f"cannot be read as parquet: {error}"]


def _layout(file: ParquetFile, size: int, media: bool) -> Iterator[str]:
    if size > FILE_BYTES:
        yield f"the file has {size:,} bytes, more than {FILE_BYTES:,}"
    unindexed: set[str] = set()
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        if group.total_byte_size > ROW_GROUP_BYTES * 1.02:
            yield f"row group {number} has {group.total_byte_size:,} bytes, more than {ROW_GROUP_BYTES:,}"
        if media and group.num_rows > MEDIA_ROW_GROUP_ROWS:
            yield f"row group {number} has {group.num_rows} rows of media, more than {MEDIA_ROW_GROUP_ROWS}"
        columns = [group.column(place) for place in range(group.num_columns)]
        unindexed |= {column.path_in_schema for column in columns if not column.has_offset_index}
    if unindexed:
        yield f"column {', '.join(sorted(unindexed))}: no page index, so the viewer reads whole row groups"


def _columns(schema: pa.Schema, preview: bool) -> Iterator[str]:
    if len(schema) > MAX_COLUMNS:
        yield f"{len(schema):,} columns, more than {MAX_COLUMNS:,}"
    features = _declared(schema)
    if features is None:
        yield "no 'huggingface' metadata, so Audio columns would be shown as bytes"
    elif list(features) != schema.names:
        yield "the 'huggingface' metadata names other columns than the file has"
    for item in schema:
        if len(item.name) > MAX_NAME:
            yield f"column {item.name[:40]}...: the name has {len(item.name)} characters, more than {MAX_NAME}"
        if _is_vector(item.type) and "emb" not in item.name:
            yield f"column {item.name}: a list of floats without 'emb' in its name is taken for a time series"
        if preview and _is_vector(item.type):
            yield f"column {item.name}: vectors do not belong in a preview, they leave room for 10 rows a page"
    if features is not None:
        yield from _players(schema, features)
    if preview and not audio_columns(schema):
        yield "a preview without an Audio column"


def _players(schema: pa.Schema, features: dict[str, Any]) -> Iterator[str]:
    for name in audio_columns(schema):
        declared = features.get(name)
        if not isinstance(declared, dict) or declared.get("_type") != "Audio":
            yield f"column {name}: not declared as Audio, so it has no player"
        elif declared.get("sampling_rate") != SAMPLING_RATE:
            yield f"column {name}: declared with {declared.get('sampling_rate')} Hz, not {SAMPLING_RATE}"


def _declared(schema: pa.Schema) -> dict[str, Any] | None:
    try:
        return dict(json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, ValueError, TypeError):
        return None


def _is_vector(kind: pa.DataType) -> bool:
    listed = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(listed and (pa.types.is_floating(kind.value_type) or _is_vector(kind.value_type)))


def _cells(file: ParquetFile, sounds: tuple[str, ...], preview: bool) -> Iterator[str]:
    texts = [item.name for item in file.schema_arrow if pa.types.is_string(item.type)] if preview else []
    row = 0
    batches = read_batches(file, 16, [*texts, *sounds])
    for batch in batches if texts or sounds else ():
        for cells in batch.to_pylist():
            size = sum(len((cells[name] or "").encode()) for name in texts)
            if size > BUDGET_BYTES:
                yield f"row {row}: {size:,} bytes of text, more than {BUDGET_BYTES:,}"
            for name in sounds:
                problem = audio_problem(cells[name])
                if problem:
                    yield f"row {row}, column {name}: {problem}"
            row += 1


def audio_problem(cell: dict[str, Any] | None, rate: int = SAMPLING_RATE) -> str | None:
    """Return why an Audio cell (``bytes``, ``path``) would not play, or None; the FLAC is decoded to its end."""
    if cell is None or not cell["bytes"]:
        return "there is no audio"
    if not (cell["path"] or "").endswith(".flac"):
        return f"the path is {cell['path']!r}; it must end in .flac"
    data: bytes = cell["bytes"]
    try:
        samples, _, found = decode_flac(data)
    except FlacMismatch as error:
        return str(error)
    # STREAMINFO (RFC 9639, section 8.2): 36 bits of total samples, after marker, block header and 13.5 bytes.
    promised = int.from_bytes(data[21:26], "big") & ((1 << 36) - 1)
    if len(samples) != promised or not promised:
        return f"the FLAC promises {promised:,} samples and decodes to {len(samples):,}: it was cut"
    return None if found == rate else f"the FLAC has {found} Hz, not {rate}"
