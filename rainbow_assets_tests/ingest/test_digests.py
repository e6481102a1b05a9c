"""File digests: cached, and never stale."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from rainbow_assets.ingest.digests import FileDigests, file_sha256


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that were really read."""
    seen: list[str] = []

    def counting(path: Path, most: int) -> str:
        seen.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr("rainbow_assets.ingest.digests.file_sha256", counting)
    return seen


def test_a_file_is_read_once_across_processes(tmp_path: Path, counted: list[str]) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    for _ in range(3):
        digests = FileDigests(tmp_path, tmp_path / "cache" / "d.json")
        assert digests.digest("a.wav") == hashlib.sha256(b"one").hexdigest()
        assert digests.digest("a.wav") == hashlib.sha256(b"one").hexdigest()
        digests.save()
    assert counted == ["a.wav"]
    assert os.listdir(tmp_path / "cache") == ["d.json"]


def test_an_edit_of_equal_size_with_its_time_put_back_is_seen(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.wav", tmp_path / "d.json"
    path.write_bytes(b"one")
    digests = FileDigests(tmp_path, cache)
    digests.digest("a.wav")
    digests.save()
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert FileDigests(tmp_path, cache).digest("a.wav") == hashlib.sha256(b"two").hexdigest()


def test_a_replaced_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    digests = FileDigests(tmp_path, None)
    digests.digest("a.wav")
    (tmp_path / "b.wav").write_bytes(b"two")
    os.replace(tmp_path / "b.wav", path)
    assert digests.digest("a.wav") == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{\"version\": 1}", "{\"version\": 9, \"root\": \"x\", \"files\": {}}"])
def test_a_broken_cache_costs_a_read(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    cache = tmp_path / "d.json"
    cache.write_text(content)
    digests = FileDigests(tmp_path, cache)
    assert digests.digest("a.wav") == hashlib.sha256(b"one").hexdigest()
    digests.save()
    assert list(json.loads(cache.read_text())["files"]) == ["a.wav"]


def test_strange_entries_are_not_believed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    cache = tmp_path / "d.json"
    for entry in (None, 7, "abcde", [1, 2, 3, 4, 5], {"a": 1}):
        cache.write_text(json.dumps({"version": 1, "root": str(tmp_path), "files": {"a.wav": entry}}))
        assert FileDigests(tmp_path, cache).digest("a.wav") == hashlib.sha256(b"one").hexdigest()


def test_files_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(name.encode())
    cache = tmp_path / "d.json"
    digests = FileDigests(tmp_path, cache)
    for name in ("a.wav", "b.wav"):
        digests.digest(name)
    (tmp_path / "a.wav").unlink()
    digests.save()
    assert list(json.loads(cache.read_text())["files"]) == ["b.wav"]


def test_another_root_has_other_files(tmp_path: Path) -> None:
    for root, content in (("x", b"one"), ("y", b"two")):
        (tmp_path / root).mkdir()
        (tmp_path / root / "a.wav").write_bytes(content)
        digests = FileDigests(tmp_path / root, tmp_path / "d.json")
        assert digests.digest("a.wav") == hashlib.sha256(content).hexdigest()
        digests.save()
