"""File names out of a manifest stay in the song's folder."""

from pathlib import Path

import pytest

from rainbow_assets.ingest.paths import RefusedPath, vet


@pytest.mark.parametrize("name", [
    "", " ", "/etc/passwd", "../a.wav", "a/../../b.wav", "..", ".", "./", "a\\b.wav", "..\\a.wav", "C:\\a.wav", "C:a.wav",
    "~/a.wav", "a\0b.wav", "a\nb.wav", "//host/share.wav", "x" * 300 + ".wav", "a/..", "\x7f.wav",
])
def test_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedPath) as caught:
        vet(tmp_path, name)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["a.wav", "sub/a.wav", "./a.wav", "a..wav", "é – ü.wav", "a b.wav", "...wav"])
def test_accepted_whether_or_not_it_exists(name: str, tmp_path: Path) -> None:
    assert vet(tmp_path, name) == tmp_path / name


def test_links(tmp_path: Path) -> None:
    folder = tmp_path / "song"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "out.wav").touch()
    (folder / "in.wav").touch()
    (folder / "good.wav").symlink_to("in.wav")
    (folder / "bad.wav").symlink_to("../out.wav")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    (folder / "dangling.wav").symlink_to("../not-there.wav")
    assert vet(folder, "good.wav") == folder / "good.wav"
    for name in ("bad.wav", "up/out.wav", "dangling.wav", "up/song/../out.wav", "loop/a.wav"):
        with pytest.raises(RefusedPath):
            vet(folder, name)


def test_a_folder_reached_through_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.wav").touch()
    (tmp_path / "song").symlink_to("real")
    assert vet(tmp_path / "song", "a.wav").exists()
