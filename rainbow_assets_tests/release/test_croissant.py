"""The Croissant file, read by the reference reader."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rainbow_assets.release.bundle import Bundle, ReleaseTable, write_bundle
from rainbow_assets.release.croissant import NAME, render_croissant
from rainbow_assets.release.versions import Version
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.release import small

VERSION = Version(0, 3, 0)


@pytest.fixture
def staged(tmp_path: Path) -> tuple[Path, Bundle]:
    folder = tmp_path / "release"
    folder.mkdir()
    bundle = write_bundle([small.preview_table(small.preview_parts(tmp_path / "parts")), small.vector_table(tmp_path)],
                          folder)
    (folder / NAME).write_bytes(render_croissant(bundle, VERSION))
    return folder, bundle


def reference_reader(folder: Path, code: str) -> Any:
    """Run ``code`` on ``mlc`` and ``dataset`` in a process of its own and return its ``found``.

    The reader's logging (absl) keeps hold of the stderr it was imported under, and closes it when another library sets
    up its own logging: here that stderr is the test run's.
    """
    if importlib.util.find_spec("mlcroissant") is None:
        pytest.skip("mlcroissant is not installed")
    script = ("import json, sys\nimport mlcroissant as mlc\nfolder, path = sys.argv[1:]\n"
              "dataset = mlc.Dataset(jsonld=path, mapping={'repo': folder})\n"
              f"{code}\nprint(json.dumps(found)){client.END}")
    done = subprocess.run([sys.executable, "-c", script, str(folder), str(folder / NAME)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mlcroissant" not in sys.modules, "the reader was imported into the test run itself"
    return json.loads(done.stdout.splitlines()[-1])


def test_the_reference_reader_finds_nothing_wrong(staged: tuple[Path, Bundle]) -> None:
    found = reference_reader(staged[0], (
        "told = dataset.metadata\n"
        "found = {'errors': list(told.issues.errors), 'version': str(told.version),\n"
        "         'fields': {one.name: [field.name for field in one.fields] for one in told.record_sets}}"))
    assert found["errors"] == [] and found["version"] == "0.3.0"
    assert list(found["fields"]) == ["preview", "embeddings"]
    assert set(found["fields"]["preview"]) == set(small.PREVIEW_SCHEMA.names)


def test_the_reference_reader_reads_the_rows(staged: tuple[Path, Bundle]) -> None:
    found = reference_reader(staged[0], (
        "found = [[row['embeddings/segment_id'].decode(), [float(x) for x in row['embeddings/lyric_emb']]]\n"
        "         for row in dataset.records('embeddings')]"))
    assert [key for key, _ in found] == [f"05_01_t01_{n:07d}" for n in range(10)]
    assert found[3][1] == [3, 0, 0, 1]


def test_every_file_is_listed_with_its_digest_and_every_column_with_its_meaning(staged: tuple[Path, Bundle]) -> None:
    folder, bundle = staged
    document = json.loads((folder / NAME).read_bytes())
    listed = {item["@id"]: item["sha256"] for item in document["distribution"] if item["@id"].endswith(".parquet")}
    assert listed == {file.path: hashlib.sha256((folder / file.path).read_bytes()).hexdigest() for file in bundle.files}
    fields = {field["@id"]: field for one in document["recordSet"] for field in one["field"]}
    assert fields["preview/audio"]["dataType"] == "sc:AudioObject"
    assert fields["embeddings/lyric_emb"] | {"repeated": True, "dataType": "sc:Float", "description": "vector"} == fields[
        "embeddings/lyric_emb"]
    assert render_croissant(bundle, VERSION) == (folder / NAME).read_bytes()


@pytest.mark.parametrize(("kind", "said"), [
    (pa.bool_(), "sc:Boolean"), (pa.int64(), "sc:Integer"), (pa.float64(), "sc:Float"), (pa.string(), "sc:Text")])
def test_types_have_their_names(tmp_path: Path, kind: pa.DataType, said: str) -> None:
    schema = pa.schema([("song_id", pa.string()), ("x", kind)])
    part = small.part(tmp_path / "part.parquet", "05_01", [{"song_id": "05_01", "x": None}], schema)
    bundle = write_bundle([ReleaseTable("one", {"Green": [part]}, schema)], tmp_path)
    document = json.loads(render_croissant(bundle, VERSION))
    assert document["recordSet"][0]["field"][1]["dataType"] == said
