"""What is too large, too many, elsewhere or unreadable in one song is named; nothing waits, and the other songs are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.source import load_source, manifest_rows
from rainbow_assets.errors import UsageError
from rainbow_assets.ingest import names
from rainbow_assets.settings import SettingsError, load_rules
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus.songs import GOOD, manifest, write
from rainbow_assets_tests.in_time import in_time


def built(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """{place: message} of the anomalies of the first song, in lint and in a build, which have the second song whole."""
    write(root, manifest(lambda document: document.update(album_sequence=2, manifest_id="05_02")), song="05_02")
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))
    with in_time(5):
        report = lint_report(root)
    with in_time(5):
        source = load_source(ShardStore(str(root.parent / "data")).shard("base_manifest", "Green"))
        rows = [row for song in source.folders for row in manifest_rows(source, song)]
    assert sum(row["id"] == "05_02" for row in rows) == len(GOOD["audio_tracks"])
    return {entry.file: entry.message for entry in report.anomalies if entry.of == "05_01"}


@pytest.mark.parametrize("name", ["05_01.yml", "05_01.lrc", "05_01_main.wav", "05_01_02.mid", "session.logicx"])
def test_a_file_of_a_terabyte_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    folder = write(tmp_path / "corpus")
    with open(folder / name, "wb") as stream:
        stream.truncate(1 << 40)
    found = built(tmp_path / "corpus", monkeypatch)
    assert f"05_01/{name}" in found or name == "session.logicx"


@pytest.mark.parametrize("name", ["05_01.yml", "05_01.lrc", "05_01_main.wav", "05_01_02.mid"])
def test_a_file_that_may_not_be_read_stops_no_other_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    folder = write(tmp_path / "corpus")
    (folder / name).touch()
    real = os.open

    def refused(path: str, *more: int, **named: int) -> int:
        if os.fspath(path) == str(folder / name):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", refused)
    assert "Permission denied" in built(tmp_path / "corpus", monkeypatch)[f"05_01/{name}"]


@pytest.mark.parametrize("target", ["/", "/proc", "elsewhere"])
def test_a_song_folder_that_is_a_link_out_of_the_corpus_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
):
    write(tmp_path, song="elsewhere")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/05_01").symlink_to(tmp_path / target)
    assert "link out of the corpus" in built(tmp_path / "corpus", monkeypatch)["05_01"]


def test_a_song_of_too_many_files_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(names, "MOST_FILES", 20)
    folder = write(tmp_path / "corpus")
    for number in range(20):
        (folder / f"{number}.txt").touch()
    assert built(tmp_path / "corpus", monkeypatch)["05_01"] == "it cannot be listed (it has more than 20 files)"


@pytest.mark.parametrize("text", [f"a = {'9' * 5000}", f"a = {'[' * 5000}{']' * 5000}", "a = ", "a = 1979-99-99"])
def test_no_toml_is_a_traceback(tmp_path: Path, text: str):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/corpus.toml").write_text(text)
    with pytest.raises(UsageError, match="it is not valid TOML"):
        lint_report(tmp_path / "corpus")
    with pytest.raises(SettingsError, match="it is not valid TOML"):
        load_rules(tmp_path / "corpus/corpus.toml")
