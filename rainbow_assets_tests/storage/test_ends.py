"""Programs end as they should: with their own exit code, never by a signal."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.lineage.toy import World

PROGRAMS = {
    "shard": "from rainbow_assets.storage.store import ShardStore\n"
             "shard = ShardStore(data).shard('toy_words', 'Red')\n"
             "print(sum(len(table) for _, table in shard.tables()), len(shard.ledger()))",
    "bytes": "from rainbow_assets.storage.parquet import read_frame, read_parquet\n"
             "content = open(big, 'rb').read()\nprint(read_parquet(content).num_rows, len(read_frame(content)))",
    "batches": "from rainbow_assets.storage.parquet import open_parquet, read_batches\n"
               "file = open_parquet(big)\nprint(next(read_batches(file.__enter__(), 10)).num_rows)",
    "polars": "import polars as pl\nfrom rainbow_assets.storage.parquet import read_frame\n"
              "print(read_frame(big).lazy().group_by('a').len().collect().height)",
    "onnx": "from rainbow_assets.embeddings.encoders import load_encoder\n"
            "from rainbow_assets.embeddings.specs import MINILM_TEXT\n"
            "encoder = load_encoder(MINILM_TEXT)\n"
            "print(encoder.forward([encoder.prepare(b'some words')]).shape)",
    "full disk": "import resource, signal, pyarrow as pa\nfrom rainbow_assets.storage.parquet import write_parquet\n"
                 "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
                 "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
                 "table = pa.table({'a': range(200_000)})\n"
                 "try:\n    write_parquet(big + '.new', [table], table.schema)\n    raise SystemExit(3)\n"
                 "except OSError as error:\n    assert error.filename == big + '.new'",
    "symusic": "import symusic\nscore = symusic.Score(480)\nscore.tracks.append(symusic.Track())\nprint(len(score.dumps_midi()))",
}
ABORTS = "import os; os.abort()"


def run(code: str, folder: Path) -> int:
    """Run a short program and return its exit code."""
    head = f"data, big = {str(folder / 'data')!r}, {str(folder / 'big.parquet')!r}\n"
    return subprocess.run([sys.executable, "-c", head + code], capture_output=True, timeout=120, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "2"}).returncode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard and a larger file."""
    found = tmp_path_factory.mktemp("ends")
    words = World({f"w{n}": (f"part{n % 3}", f"word{n}", "") for n in range(300)}).words()
    assert bring_up_to_date(words, ShardStore(str(found / "data")), "Red").problem is None
    table = pa.table({"a": [n % 7 for n in range(300_000)], "b": [f"text {n}" for n in range(300_000)]})
    write_parquet(found / "big.parquet", [table], table.schema)
    return found


def test_a_signal_would_be_seen(folder: Path) -> None:
    assert run(ABORTS, folder) < 0


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_ends_with_0(folder: Path, name: str) -> None:
    assert run(PROGRAMS[name], folder) == 0


@pytest.mark.counted
@pytest.mark.heavy
def test_many_programs_at_once_end_with_0(folder: Path) -> None:
    """Three at a time on two cores, so that threads are often interrupted while an interpreter ends."""
    names = list(itertools.islice(itertools.cycle(sorted(PROGRAMS)), count("short_programs")))
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda name: run(PROGRAMS[name], folder), names))
    assert [(name, code) for name, code in zip(names, codes, strict=True) if code] == []
