"""Shards are read whole or not at all, damage is named, and one writer holds the lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest

from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import ShardBusy, writer_lock
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets.storage.shard import DamagedShard, MissingShard, Part, ShardIndex
from rainbow_assets.storage.store import ShardStore

SCHEMA = pa.schema([("key", pa.string()), ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))])


@pytest.mark.parametrize("name", ["a::b", "a [1]*", "50% #?x=1", "memory::c", "é ~"])
def test_a_path_is_no_url_whatever_is_in_it(tmp_path, name):
    for root in (tmp_path / name, f"file://{tmp_path / name}"):
        files = Files(str(root))
        files.write("x/y", b"z")
        assert files.local and (tmp_path / name / "x/y").read_bytes() == b"z" == files.read("x/y")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def made(tmp_path, rows=3):
    shard = ShardStore(str(tmp_path)).shard("toy", "Green")
    table = pa.Table.from_pylist([{"key": f"k{n}", "audio": {"bytes": bytes([n]) * 50, "path": f"k{n}.flac"}}
                                  for n in range(rows)], schema=SCHEMA)
    with shard.files.staged() as staged:
        written = write_parquet(staged, [table], SCHEMA, ("audio",))
        shard.files.adopt(staged, "A-1.parquet")
    part = Part("A", "A-1.parquet", written.sha256, written.rows, written.bytes, {"songs": 1})
    shard.replace_index(ShardIndex("toy", "Green", "v1", (part,), "A-1.parquet", written.sha256))
    return shard


def test_round_trip(tmp_path):
    shard = made(tmp_path)
    assert shard.table(SCHEMA).num_rows == 3
    assert shard.table(SCHEMA, ["key"]).column_names == ["key"]
    assert shard.require_index().rows == 3


def test_a_shard_never_made_names_the_command(tmp_path):
    shard = ShardStore(str(tmp_path)).shard("toy", "Green")
    assert shard.index() is None
    with pytest.raises(MissingShard, match="--select toy --partition Green"):
        shard.require_index()


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_damage_to_a_part_is_found_by_digest_and_named(tmp_path, damage):
    shard = made(tmp_path)
    path = tmp_path / "shards/toy/Green/A-1.parquet"
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data[:-7] if damage == "cut" else data[:40] + bytes([data[40] ^ 1]) + data[41:])
    with pytest.raises(DamagedShard, match=r"toy/Green/A-1\.parquet.*--repair"):
        shard.table(SCHEMA)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 9, "parts": []}', b"\xff\xfe"])
def test_a_damaged_index_is_named(tmp_path, text):
    shard = made(tmp_path)
    (tmp_path / "shards/toy/Green/shard.json").write_bytes(text)
    with pytest.raises(DamagedShard, match=r"toy/Green/shard\.json"):
        shard.index()


def test_bytes_are_deterministic_and_media_is_stored_plain(tmp_path):
    import pyarrow.parquet as pq

    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    assert first.files.read("A-1.parquet") == second.files.read("A-1.parquet")
    meta = pq.read_metadata(tmp_path / "a/shards/toy/Green/A-1.parquet").row_group(0)
    kinds = {meta.column(n).path_in_schema: meta.column(n).compression for n in range(meta.num_columns)}
    assert kinds["audio.bytes"] == "UNCOMPRESSED"
    assert kinds["key"] != "UNCOMPRESSED"


def test_a_failed_write_leaves_nothing(tmp_path):
    def batches():
        yield SCHEMA.empty_table()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_parquet(tmp_path / "x.parquet", batches(), SCHEMA)
    assert list(tmp_path.iterdir()) == []


def test_files_are_replaced_whole(tmp_path):
    files = Files(str(tmp_path))
    files.write("a/b.json", b"one")
    files.write("a/b.json", b"two")
    assert files.read("a/b.json") == b"two"
    assert files.names("a") == ["b.json"]
    assert files.read("a/none") is None


@pytest.mark.parametrize("url", ["{tmp}", "memory://lock-test"])
def test_the_message_for_a_second_writer_names_the_first(tmp_path, url):
    files = Files(url.format(tmp=tmp_path)).below("shards/toy/Green")
    with writer_lock(files, "run-1"):
        with pytest.raises(ShardBusy, match=r"run-1 \(process \d+ on"), writer_lock(files, "run-2"):
            pass
    with writer_lock(files, "run-3"):
        pass


def test_a_dead_owner_does_not_hold_the_lock(tmp_path):
    folder = tmp_path / "shards/toy/Green"
    code = ("import sys, time; from rainbow_assets.storage.files import Files; "
            "from rainbow_assets.storage.lock import writer_lock\n"
            f"with writer_lock(Files({str(folder)!r}), 'doomed'):\n    print('held', flush=True); time.sleep(60)")
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline().strip() == "held"
    with pytest.raises(ShardBusy, match="doomed"), writer_lock(Files(str(folder)), "next"):
        pass
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    started = time.monotonic()
    with writer_lock(Files(str(folder)), "next", wait_s=5):
        assert time.monotonic() - started < 5
