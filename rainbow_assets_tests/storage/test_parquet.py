"""The parquet writer: what its files look like, and that their bytes follow from rows and schema alone."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.storage import parquet
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets_tests.counts import examples

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([
    ("key", pa.string()), ("emb", pa.list_(pa.float32(), 2)), ("spans", pa.list_(pa.struct([("a", pa.int64())]))),
    ("audio", AUDIO), ("midi", pa.binary()),
])


def rows(count: int, size: int = 500) -> pa.Table:
    noise = hashlib.shake_256(b"noise").digest(size)
    return pa.Table.from_pylist([
        {"key": f"k{n:05d}", "emb": [n, 1], "spans": [{"a": n}], "midi": b"MThd" if n % 2 else None,
         "audio": {"bytes": noise + bytes([n % 256]), "path": f"{n}.flac"}} for n in range(count)
    ], schema=SCHEMA)


def test_media_is_plain_and_the_rest_packed(tmp_path: Path) -> None:
    written = write_parquet(tmp_path / "x.parquet", [rows(250)], SCHEMA, ("audio", "midi"))
    data = (tmp_path / "x.parquet").read_bytes()
    assert (written.rows, written.bytes, written.sha256) == (250, len(data), hashlib.sha256(data).hexdigest())
    meta = pq.read_metadata(tmp_path / "x.parquet")
    assert [meta.row_group(n).num_rows for n in range(meta.num_row_groups)] == [100, 100, 50]
    columns = {meta.row_group(0).column(n).path_in_schema: meta.row_group(0).column(n) for n in range(meta.num_columns)}
    for name in ("audio.bytes", "audio.path", "midi"):
        assert columns[name].compression == "UNCOMPRESSED" and not columns[name].has_dictionary_page
    for name in ("key", "emb.list.element", "spans.list.element.a"):
        assert columns[name].compression == "ZSTD"
    assert all(column.has_offset_index for column in columns.values())
    assert pq.read_table(tmp_path / "x.parquet").equals(rows(250))
    assert os.listdir(tmp_path) == ["x.parquet"]


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.integers(0, 60), max_size=12))
def test_bytes_do_not_depend_on_the_batches(sizes: list[int]) -> None:
    table = rows(sum(sizes))
    whole, pieces = io.BytesIO(), io.BytesIO()
    expected = write_parquet(whole, [table], SCHEMA, ("audio",))
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    found = write_parquet(pieces, (table.slice(a, n) for a, n in zip(starts, sizes, strict=True)), SCHEMA, ("audio",))
    assert found == expected and whole.getvalue() == pieces.getvalue()


def test_row_groups_stay_below_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 20_000)
    seen = set()
    for size in (1, 7, 400):
        out = io.BytesIO()
        seen.add(write_parquet(out, rows(400).to_batches(size), SCHEMA, ("audio",)))
        meta = pq.ParquetFile(out).metadata
        assert max(meta.row_group(n).total_byte_size for n in range(meta.num_row_groups)) < 22_000
        assert meta.num_rows == 400
    assert len(seen) == 1


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    write_parquet(tmp_path / "x.parquet", [rows(3)], SCHEMA)
    before = (tmp_path / "x.parquet").read_bytes()

    def breaking() -> Iterator[pa.Table]:
        yield rows(5)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_parquet(tmp_path / "x.parquet", breaking(), SCHEMA)
    assert (tmp_path / "x.parquet").read_bytes() == before
    assert os.listdir(tmp_path) == ["x.parquet"]


def test_no_rows_is_a_file_with_columns() -> None:
    out = io.BytesIO()
    assert write_parquet(out, [], SCHEMA).rows == 0
    assert pq.read_table(out).schema.names == SCHEMA.names


FORBIDDEN_MODULES = {f"pyarrow.{name}" for name in ("parquet", "dataset", "acero", "csv", "json", "feather", "ipc", "orc", "fs")}
FORBIDDEN_NAMES = {"read_parquet", "scan_parquet", "read_parquet_schema", "read_parquet_metadata", "read_ipc", "scan_ipc",
                   "from_parquet", "load_dataset", "PythonFile", "field"}
"""Attributes of polars, pyarrow, pyarrow.compute and datasets that read files, or start Arrow's query engine."""
LIBRARIES = {"pl", "pa", "pc", "polars", "pyarrow", "datasets", "Dataset"}


def other_readers(source: str) -> Iterator[str]:
    """Yield what in ``source`` reads tables by another way than the one reader."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno}: {name.name}" for name in node.names if name.name in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom):
            full = {f"{node.module}.{name.name}" for name in node.names} | {str(node.module)}
            yield from (f"{node.lineno}: {name}" for name in sorted(full & FORBIDDEN_MODULES))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = node.value.id in LIBRARIES and node.attr in FORBIDDEN_NAMES
            # pa.field() makes a schema's column; pc.field() an expression for the query engine.
            if known and (node.attr != "field" or node.value.id == "pc"):
                yield f"{node.lineno}: {node.value.id}.{node.attr}"


@pytest.mark.parametrize("line", [
    "import pyarrow.parquet as pq", "from pyarrow import parquet", "from pyarrow.parquet import read_table",
    "import pyarrow.dataset as ds", "pl.scan_parquet('x')", "rows.filter(pc.field('a') == 1)", "datasets.load_dataset('x')",
])
def test_other_readers_are_found(line: str) -> None:
    assert list(other_readers(line))


def test_nothing_but_the_reader_reads_parquet() -> None:
    """Nothing of Python's may be reachable from an Arrow thread when the interpreter ends (apache/arrow#34314)."""
    package = Path(parquet.__file__).parent.parent
    places = [*package.rglob("*.py"), *(package.parent / "benchmarks").glob("*.py")]
    found = {str(path.relative_to(package.parent)): list(other_readers(path.read_text("utf-8"))) for path in sorted(places)}
    assert len(found) > 100
    assert {path: lines for path, lines in found.items() if lines and path != "rainbow_assets/storage/parquet.py"} == {}


def test_a_path_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "we [1] #2 100% é"
    folder.mkdir()
    write_parquet(folder / "a*.parquet", [rows(7)], SCHEMA)
    path = folder / "a*.parquet"
    for source in (path, str(path), path.read_bytes()):
        assert parquet.read_parquet(source).num_rows == 7
        assert parquet.read_frame(source, [SCHEMA.names[0], "not there"]).shape == (7, 1)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 100])
def test_what_is_no_parquet_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.parquet").write_bytes(content)
    for source in (tmp_path / "bad.parquet", content):
        with pytest.raises(parquet.Unreadable):
            parquet.read_frame(source)


def test_memory_of_a_file_in_hand_is_arrows_own(tmp_path: Path) -> None:
    """The bytes may go while the table is in use: no buffer of it holds them."""
    data = parquet.parquet_bytes(rows(50))
    before = sys.getrefcount(data)
    table = parquet.read_parquet(data)
    assert sys.getrefcount(data) == before and table.num_rows == 50
