"""The parquet writer: what its files look like, and that their bytes follow from rows and schema alone."""

from __future__ import annotations

import ast
import hashlib
import io
import os
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


def calls(source: Path) -> Iterator[ast.Call]:
    """Yield the calls by which ``source`` reads the rows of Parquet through pyarrow."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        named = {keyword.arg for keyword in node.keywords}
        parquet_file = node.func.attr == "read" and "columns" in named
        if node.func.attr in ("read_table", "iter_batches", "read_row_group", "read_row_groups") or parquet_file:
            yield node


def test_arrows_threads_hold_no_python_bytes_when_a_program_ends() -> None:
    """A thread of Arrow that lets go of a Python stream while the interpreter ends aborts it (apache/arrow#34314)."""
    package = Path(parquet.__file__).parent.parent
    found = [(path, call) for path in sorted(package.rglob("*.py")) for call in calls(path)]
    threaded = [f"{path.relative_to(package)}:{call.lineno}" for path, call in found
                if not any(item.arg == "use_threads" and isinstance(item.value, ast.Constant) and item.value.value is False
                           for item in call.keywords)]
    assert len(found) > 8 and threaded == []
