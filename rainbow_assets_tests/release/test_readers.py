"""A published version in the hands of other readers: polars, pyarrow, DuckDB, and the snippets of its own card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.manifest import read_manifest
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.hub_server.server import Hub, running
from rainbow_assets_tests.release import small

NAME = "earth/songs"
PATH = f"hf://datasets/{NAME}@v0.3.0"
POLARS = """
import json, sys
import polars as pl
from huggingface_hub import HfFileSystem
files = HfFileSystem()
frames = [pl.read_parquet(files.open(path).read()) for path in sorted(files.glob(sys.argv[1].removeprefix("hf://")))]
print(json.dumps(sorted(pl.concat(frames)["segment_id"].to_list())))
"""
PYARROW = """
import json, sys
import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import HfFileSystem
files, found = HfFileSystem(), []
for path in sorted(files.glob(sys.argv[1].removeprefix("hf://"))):
    found += pq.read_table(pa.BufferReader(files.cat_file(path)), columns=["segment_id"])["segment_id"].to_pylist()
print(json.dumps(sorted(found)))
"""
# DuckDB's own hf:// needs an extension from its server, and its bridge to fsspec a method that the Hub's lacks.
DUCKDB = """
import json, sys
import duckdb
from huggingface_hub import snapshot_download
folder = snapshot_download("earth/songs", repo_type="dataset", revision="v0.3.0")
pattern = folder + sys.argv[1].partition("@v0.3.0")[2]
query = f"select segment_id, octet_length(audio.bytes) from read_parquet('{pattern}')"
rows = duckdb.sql(query).fetchall()
assert all(size > 1000 for _, size in rows)
print(json.dumps(sorted(key for key, _ in rows)))
"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readers")
    shards = small.preview_parts(root / "parts")
    tables = [small.preview_table(shards), small.split_table(shards), small.vector_table(root)]
    small.stage(root / "3", tables, "0.3.0", NAME)
    return root / "3"


@pytest.fixture
def published(staged: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with running() as server:
        HuggingFaceHub(f"hf://{NAME}", server.endpoint, "hf_writer").publish(staged, read_manifest(staged, "here"))
        yield server


@pytest.mark.parametrize(("pattern", "songs"), [
    ("preview/*.parquet", tuple(small.SPLITS)), ("audio/test-*.parquet", ("05_01",)),
    ("audio/train-*.parquet", ("02_01", "05_02", "08_02")),
])
@pytest.mark.parametrize("code", [POLARS, PYARROW, DUCKDB], ids=["polars", "pyarrow", "duckdb"])
def test_other_readers_see_every_row(
    published: Hub, tmp_path: Path, code: str, pattern: str, songs: tuple[str, ...]
) -> None:
    found = json.loads(client.run(code, client.environment(published.endpoint, tmp_path), f"{PATH}/{pattern}"))
    assert found == sorted(f"{song}_t{n + 1:02d}_{n * 1000:07d}" for song in songs for n in range(3))


def test_the_snippets_of_the_card_run_against_the_published_version(
    published: Hub, staged: Path, tmp_path: Path
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (staged / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 3 and NAME in blocks[0]
    # IPython plays the sound in a notebook only; that it decodes is what can be seen here.
    code = "\n".join(blocks[:2]) + "\nprint(len(samples) / rate)\n"
    printed = client.run(code, client.environment(published.endpoint, tmp_path)).splitlines()
    assert printed[0].startswith("A song about Green.")
    assert float(printed[-1]) == pytest.approx(0.5, abs=0.01)
