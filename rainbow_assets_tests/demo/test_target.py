"""The demo never writes over somebody's songs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rainbow_assets.demo.target import MARKER, claim
from rainbow_assets.demo.write import write_demo
from rainbow_assets.errors import UsageError


def test_a_folder_with_other_songs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "05_01").mkdir()
    (tmp_path / "05_01" / "05_01.yml").write_text("title: mine\n")
    with pytest.raises(UsageError, match=r"did not write \(05_01\); name an empty folder"):
        write_demo(tmp_path, 1, seconds=4)
    assert (tmp_path / "05_01" / "05_01.yml").read_text() == "title: mine\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["05_01"]


def test_songs_of_an_earlier_run_are_removed_with_replace_only(tmp_path: Path) -> None:
    claim(tmp_path, "demo corpus", ["01_01", "01_02"], replace=True)
    for name in ("01_01", "01_02"):
        (tmp_path / name).mkdir()
    claim(tmp_path, "demo corpus", ["01_01"], replace=False)
    assert (tmp_path / "01_02").is_dir()
    claim(tmp_path, "demo corpus", ["01_01"], replace=True)
    assert not (tmp_path / "01_02").exists() and (tmp_path / "01_01").is_dir()


def test_another_kind_of_output_is_refused(tmp_path: Path) -> None:
    claim(tmp_path, "demo corpus", ["01_01"], replace=True)
    with pytest.raises(UsageError, match="contains demo corpus, not stand-in media"):
        claim(tmp_path, "stand-in media", ["01_01"], replace=False)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": 1}', "\x00", '{"kind": "x", "songs": 3}'])
def test_a_broken_marker_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_text(text)
    with pytest.raises(UsageError, match="cannot be read; delete the folder"):
        claim(tmp_path, "demo corpus", ["01_01"], replace=True)


def test_a_marker_cannot_have_other_folders_removed(tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MARKER).write_text('{"kind": "demo corpus", "songs": ["../keep", "..", "01_01"]}')
    claim(tmp_path / "out", "demo corpus", ["02_01"], replace=True)
    assert (tmp_path / "keep").is_dir()


def test_wrong_numbers_and_a_file_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ask for 1 to 12"):
        write_demo(tmp_path, 13)
    with pytest.raises(UsageError, match="ask for 4 to 600"):
        write_demo(tmp_path, 1, seconds=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        write_demo(tmp_path / "file", 1)
