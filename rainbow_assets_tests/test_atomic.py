"""A file that is replaced is the old one or the new one, and nothing is left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rainbow_assets.atomic import move_in, replace_file, replacing


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    for data in (b"one", b"two"):
        replace_file(path, data)
        assert path.read_bytes() == data and os.listdir(path.parent) == ["b.json"]
    (tmp_path / "new").write_bytes(b"three")
    move_in(tmp_path / "new", path)
    assert path.read_bytes() == b"three" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt()])
def test_an_error_changes_nothing(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "x"
    replace_file(path, b"old")
    with pytest.raises(type(error)), replacing(path) as stream:
        stream.write(b"half")
        raise error
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["x"]


def test_bytes_are_on_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *args, real=real, name=name: done.append(name) or real(*args))
    replace_file(tmp_path / "x", b"1")
    assert done == ["fsync", "replace", "fsync"][:2 if os.name == "nt" else 3]
