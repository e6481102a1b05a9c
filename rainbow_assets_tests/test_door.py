"""One way to open files from outside: it never waits, never leaves the folder, and never reads without a bound."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

import pytest

from rainbow_assets.door import RefusedFile, inside, read_file

PACKAGE = Path(__file__).resolve().parents[1] / "rainbow_assets"
OUTSIDE = ("composition", "corpus", "fitness", "harmony", "ingest", "music", "segments", "sound", "threads", "settings.py")
"""What reads files that people or other programs wrote."""
OWN = {
    ("composition/sound.py", "read_bytes"),  # a soundfont
    ("threads/checks.py", "read_text"), ("threads/measured.py", "read_text"),  # threads that were packed
    ("threads/result_feedback.py", "read_bytes"), ("threads/shrinkwrap.py", "read_bytes"),
}
"""Modules that read files of this program, or of the system, themselves."""


def test_the_content_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "empty").touch()
    assert read_file(tmp_path / "a") == read_file(tmp_path / "a", 3_000_000, tmp_path) == b"x" * 3_000_000
    assert read_file(tmp_path / "empty", 0) == b""
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "b")


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    with open(tmp_path / "a", "wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(RefusedFile, match=r"1,099,511,627,776 bytes, and at most 100 "):
        read_file(tmp_path / "a", 100)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "socket"])
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        socket.socket(socket.AF_UNIX).bind(str(path))
    with pytest.raises(RefusedFile, match=r"only regular files are read|cannot be opened"):
        read_file(path)


def test_links_stay_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "below").mkdir(parents=True)
    (root / "below/a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    for name, target in (("in", "below/a"), ("out", "../b"), ("loop", "loop"), ("through", "below/../../b")):
        (root / name).symlink_to(target)
    assert read_file(root / "in", root=root) == b"a" and read_file(root / "out") == b"b"
    for name in ("out", "loop", "through"):
        assert not inside(root / name, root)
        with pytest.raises(RefusedFile, match="link out of its folder"):
            read_file(root / name, root=root)


def test_a_name_with_a_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="cannot be opened"):
        read_file(tmp_path / "a\0b")


def opening(path: Path) -> set[str]:
    """Return the ways in which a module opens files itself."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("read_bytes", "read_text") or (name == "open" and isinstance(node.func, ast.Name)):
                found.add(name)
    return found


def test_every_room_uses_the_door() -> None:
    modules = [path for name in OUTSIDE for path in
               ([PACKAGE / name] if name.endswith(".py") else sorted((PACKAGE / name).rglob("*.py")))]
    found = {(path.relative_to(PACKAGE).as_posix(), way) for path in modules for way in opening(path)}
    assert found == OWN
