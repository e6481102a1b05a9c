"""A written name and the file that it means: equal but for what machines change in names."""

import os
import unicodedata
from pathlib import Path

import pytest

from rainbow_assets.ingest.names import AmbiguousName, FileNames, closest, files_below, has_ending, listing, twins
from rainbow_assets.ingest.paths import RefusedPath

NFC, NFD = (unicodedata.normalize(form, "Gitärre é.wav") for form in ("NFC", "NFD"))


def folder(root: Path, *names: str) -> Path:
    for name in names:
        (root / "song" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "song" / name).touch()
    return root / "song"


@pytest.mark.parametrize(("file", "name"), [
    ("a.wav", "a.wav"), ("stems/a.wav", "./stems//a.wav"), ("stems/gtr.wav", "Stems/Gtr.WAV"), (NFD, NFC), (NFC, NFD),
    ("a.wav", " a.wav "), ("a .wav ", "a .wav"), (" Stems /a.wav", "stems/a.wav"), ("a.wav", "a.wav."),
    ("straße.wav", "STRASSE.wav"), (f"STEMS/{NFD.upper()}", f"stems/{NFC}"),
])
def test_found(file: str, name: str, tmp_path: Path) -> None:
    assert FileNames(folder(tmp_path, file, "other.wav")).find(name) == file


@pytest.mark.parametrize("name", ["b.wav", "stems/a.wav", "a.flac", "a  b.wav", "other.wav/a.wav"])
def test_another_name_is_not_found(name: str, tmp_path: Path) -> None:
    assert FileNames(folder(tmp_path, "a.wav", "other.wav", "a b.wav")).find(name) is None


def test_the_exact_name_comes_first_and_two_others_are_ambiguous(tmp_path: Path) -> None:
    files = FileNames(folder(tmp_path, "gtr.wav", "Gtr.wav"))
    assert files.find("gtr.wav") == "gtr.wav"
    with pytest.raises(AmbiguousName, match="fits 2 files: 'Gtr.wav', 'gtr.wav'"):
        files.find("GTR.wav")


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    song = folder(tmp_path, "audio/a.wav", ".hidden.wav", ".cache/b.wav")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/c.wav").touch()
    (song / "c.wav").symlink_to("../out/c.wav")
    (song / "Out").symlink_to("../out")
    (song / "stems").symlink_to("audio")
    files = FileNames(song)
    for name in ("../out/c.wav", "c.wav", "Out/c.wav", ".hidden.wav"):
        with pytest.raises(RefusedPath):
            files.find(name)
    assert files.find("out/c.wav") is None and files.find("C.WAV") is None
    assert files.find("stems/a.wav") == "audio/a.wav"
    below = listing(song)
    assert below.names == files_below(song) == (".cache/b.wav", "audio/a.wav")
    assert set(below.odd) == {"c.wav", "Out"} and all("link out" in why for why in below.odd.values())


def test_the_folder_is_listed_once(tmp_path: Path) -> None:
    files = FileNames(folder(tmp_path, "a.wav"))
    (tmp_path / "song/b.wav").touch()
    assert files.find("A.wav") == "a.wav" and files.find("B.wav") is None
    assert FileNames(tmp_path / "song", ["b.wav"]).find("B.WAV") == "b.wav"


def test_closest_and_endings() -> None:
    assert closest("05_01.yml", ["05_01.YML", "a"]) == "05_01.YML"
    assert closest("05_01.yml", ["05_01.YML", "05_01.Yml"]) == "05_01.yml"
    assert has_ending("a.WAV ", (".wav",)) and not has_ending("wav", (".wav",))


def test_a_name_that_is_not_unicode_is_left_out(tmp_path: Path) -> None:
    song = folder(tmp_path, "a.wav")
    try:
        (Path(os.fsdecode(os.fsencode(song) + b"/Gt\xe9r.wav"))).touch()
    except OSError:
        pytest.skip("the file system has Unicode names only")
    below = listing(song)
    assert below.names == ("a.wav",) and list(below.odd) == ["Gt\\xe9r.wav"] and "not UTF-8" in below.odd["Gt\\xe9r.wav"]


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    song = folder(tmp_path, "a.wav")
    os.mkfifo(song / "pipe.wav")
    (song / "gone.wav").symlink_to("nowhere.wav")
    (song / "loop.wav").symlink_to("loop.wav")
    (song / "zero.wav").symlink_to("/dev/zero")
    below = listing(song)
    assert below.names == ("a.wav",) and set(below.odd) == {"pipe.wav", "gone.wav", "loop.wav", "zero.wav"}


@pytest.mark.parametrize(("names", "groups"), [
    (("a.wav", "A.wav", "b.wav"), 1), (("\u00e9.wav", "e\u0301.wav"), 1), (("a.wav", "a .wav"), 0), (("x/a", "X/a"), 1),
])
def test_names_that_are_one_elsewhere(names: tuple[str, ...], groups: int) -> None:
    assert len(twins(names)) == groups
