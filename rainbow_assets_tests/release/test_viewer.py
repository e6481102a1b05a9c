"""The viewer's rules find each fault that they are there for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.features import PREVIEW_SCHEMA, with_features
from rainbow_assets.release.viewer import audio_problem, viewer_problems
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets_tests.release import small

SCHEMA = with_features(PREVIEW_SCHEMA)
Change = Callable[[dict[str, Any]], None]


def good_rows(count: int = 3) -> list[dict[str, Any]]:
    rows = [small.preview_row("Green", "05_01", 1, n * 1000, n) for n in range(count)]
    return [{name: row[name] for name in SCHEMA.names} for row in rows]


def problems(tmp_path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> list[str]:
    write_parquet(tmp_path / "x.parquet", [pa.Table.from_pylist(rows, schema=schema)], schema, ("audio",))
    return viewer_problems(tmp_path / "x.parquet", preview=True)


def test_what_the_bundle_writes_is_good(tmp_path: Path) -> None:
    tables = [small.preview_table(small.preview_parts(tmp_path / "parts")), small.vector_table(tmp_path)]
    for file in write_bundle(tables, tmp_path / "out").files:
        assert viewer_problems(tmp_path / "out" / file.path, preview=file.config == "preview") == []


@pytest.mark.parametrize(("change", "said"), [
    (lambda row: row.update(audio=None), "row 1, column audio: there is no audio"),
    (lambda row: row["audio"].update(bytes=b""), "there is no audio"),
    (lambda row: row["audio"].update(bytes=b"RIFF garbage"), "cannot be decoded as FLAC"),
    (lambda row: row["audio"].update(bytes=row["audio"]["bytes"][:-900]), "column audio"),
    (lambda row: row["audio"].update(path=None), "must end in .flac"),
    (lambda row: row["audio"].update(path="05_01.FLAC"), "must end in .flac"),
    (lambda row: row.update(concept="é" * 900), "more than 1,600"),
])
def test_one_bad_row_is_found(tmp_path: Path, change: Change, said: str) -> None:
    rows = good_rows()
    change(rows[1])
    found = problems(tmp_path, rows)
    assert len(found) == 1 and said in found[0] and "row 1" in found[0]


def test_a_cut_flac_is_found_at_every_length() -> None:
    data = small.tone(440, 0.5)
    assert audio_problem({"bytes": data, "path": "x.flac"}) is None
    for cut in [*range(60), *range(60, len(data), 997), len(data) - 1]:
        assert audio_problem({"bytes": data[:cut], "path": "x.flac"}), cut


def test_columns_and_layout(tmp_path: Path) -> None:
    rows = good_rows()
    assert any("no 'huggingface' metadata" in one for one in problems(tmp_path, rows, PREVIEW_SCHEMA))
    wide = with_features(PREVIEW_SCHEMA.append(pa.field("waveform", pa.list_(pa.float32()))))
    found = problems(tmp_path, [{**row, "waveform": [0.0]} for row in rows], wide)
    assert any("time series" in one for one in found) and any("do not belong in a preview" in one for one in found)
    other = with_features(PREVIEW_SCHEMA, 22050)
    assert any("declared with 22050 Hz" in one for one in problems(tmp_path, rows, other))
    bare = PREVIEW_SCHEMA.with_metadata({"huggingface": '{"info": {"features": {}}}'})
    found = problems(tmp_path, rows, bare)
    assert any("not declared as Audio" in one for one in found) and any("names other columns" in one for one in found)
    pq.write_table(pa.Table.from_pylist(good_rows(101), schema=SCHEMA), tmp_path / "y.parquet")
    found = viewer_problems(tmp_path / "y.parquet")
    assert any("no page index" in one for one in found) and any("101 rows of media" in one for one in found)


def test_no_parquet_at_all_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"nothing")
    assert "cannot be read as parquet" in viewer_problems(tmp_path / "x.parquet")[0]
    assert "cannot be read as parquet" in viewer_problems(tmp_path / "none.parquet")[0]
