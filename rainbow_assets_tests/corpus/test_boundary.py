"""One song that cannot be read is quarantined, and the others are not touched by it, whatever it holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rainbow_assets.corpus import builder, tables
from rainbow_assets.corpus.base_manifest import BASE_MANIFEST
from rainbow_assets.corpus.lint import LintReport, lint_report
from rainbow_assets.corpus.source import load_source, manifest_rows
from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.corpus.songs import LRC, manifest, write
from rainbow_assets_tests.in_time import in_time
from rainbow_assets_tests.segments.midi_files import END, chunk, header

GOOD = manifest()
SECONDS = 20


def pair(root: Path, text: str | bytes = GOOD, lrc: str | bytes = LRC) -> Path:
    """Write a song to be spoiled and a good one; return the folder of the first."""
    write(root, GOOD.replace("05_01", "05_02").replace("album_sequence: 1", "album_sequence: 2"), song="05_02")
    return write(root, text, lrc)


def both(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LintReport, dict[str, int]]:
    """Return the lint report and the number of rows of each song; fail unless the good song has all its rows."""
    monkeypatch.setenv("RAINBOW_CORPUS", str(root))
    with in_time(SECONDS):
        report = lint_report(root)
        source = load_source(ShardStore(str(root.parent / "data")).shard("base_manifest", "Green"))
        rows = {folder.name: manifest_rows(source, folder) for folder in source.folders}
        for found in rows.values():
            pa.Table.from_pylist(found, schema=tables.SCHEMA)
    counts = {song: len(found) for song, found in rows.items()}
    assert counts["05_02"] == 2 and not [entry for entry in report.anomalies if entry.of == "05_02"
                                         and entry.kind not in ("no_media", "missing_file")]
    assert not [entry for entry in report.anomalies if entry.kind == "bug"]
    return report, counts


@pytest.mark.parametrize(("old", "new"), [
    ("vocals: true", "vocals: !!bool maybe"), ("bpm: 120", 'bpm: !!int ""'), ("bpm: 120", "bpm: !!float x"),
    ("bpm: 120", "bpm: 1e400"), ("bpm: 120", "bpm: .nan"), ("bpm: 120", "bpm: 0"), ("bpm: 120", "bpm: 99999999999999999"),
    ("title: Field", 'title: "\\ud800"'), ("title: Field", "title: &a [*a]"), ("title: Field", "title: " + "[" * 60),
])
def test_a_value_that_no_song_can_have_quarantines_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    assert old in GOOD
    pair(tmp_path / "corpus", GOOD.replace(old, new))
    report, rows = both(tmp_path / "corpus", monkeypatch)
    assert rows["05_01"] == 0 and [entry.song_id for entry in report.quarantined] == ["05_01"]


@pytest.mark.parametrize(("old", "new", "kind"), [
    ("album_sequence: 1", "album_sequence: 99999999999", "wrong_type"),
    ("discogs_id: 7", "discogs_id: 99999999999999999999", "wrong_type"),
    ("id: 2", "id: 99999999999", "wrong_type"), ("4/4", "99999999999999999999/4", "odd_time_signature"),
    ("'[01:00.731]'", "'[99999999999:00.731]'", "bad_stamp"), ("title: Field", "title: [a, b]", "wrong_type"),
])
def test_a_value_beyond_its_column_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, kind: str
) -> None:
    assert old in GOOD
    pair(tmp_path / "corpus", GOOD.replace(old, new))
    report, rows = both(tmp_path / "corpus", monkeypatch)
    assert rows["05_01"] and kind in {entry.kind for entry in report.anomalies}


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def link(target: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    return make


def sparse(path: Path) -> None:
    with path.open("ab") as stream:
        stream.truncate(200 << 20)


@pytest.mark.parametrize("spoil", [pipe, link("/dev/zero"), link("/etc/hostname"), link("nowhere"), sparse])
@pytest.mark.parametrize("name", ["05_01.yml", "05_01.lrc", "05_01_main.wav", "05_01_02.mid"])
def test_what_is_no_file_of_the_song_is_named_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, spoil: Callable[[Path], None]
) -> None:
    spoil(pair(tmp_path / "corpus") / name)
    report, rows = both(tmp_path / "corpus", monkeypatch)
    assert (rows["05_01"] == 0) is name.endswith(".yml")
    assert name in {entry.file.partition("/")[2] for entry in report.anomalies if entry.of == "05_01"}


@pytest.mark.parametrize("spoil", [pipe, link("/dev/zero"), Path.mkdir])
def test_the_decisions_are_a_file(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    pair(tmp_path / "corpus")
    spoil(tmp_path / "corpus/corpus.toml")
    with in_time(SECONDS), pytest.raises(UsageError, match="corpus.toml: it is a"):
        lint_report(tmp_path / "corpus")


def test_a_midi_file_without_end_contradicts_its_song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = b"\xff\xff\xff\x7f"
    (pair(tmp_path / "corpus") / "05_01_02.mid").write_bytes(
        header() + chunk(far + b"\x90\x3c\x40" + far + b"\x80\x3c\x40" + END))
    report, _ = both(tmp_path / "corpus", monkeypatch)
    assert report.quarantined[0].reason == "contradiction"


def test_names_that_are_not_utf8_and_folders_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pair(tmp_path / "corpus")
    (folder / "05_01_main.wav").mkdir()
    for name in (os.fsencode(folder) + b"/f\xe9.wav", os.fsencode(tmp_path / "corpus") + b"/f\xe9"):
        try:
            os.mkdir(name) if name.endswith(b"f\xe9") else os.close(os.open(name, os.O_CREAT))
        except OSError:
            pytest.skip("the file system has Unicode names only")
    report, rows = both(tmp_path / "corpus", monkeypatch)
    assert rows["05_01"] == 2 and "05_01/f\\xe9.wav" in {entry.file for entry in report.anomalies}
    report.to_text().encode()
    report.to_json().encode()


@pytest.mark.parametrize("lrc", [
    "".join(f"[{n // 6000:02d}:{n // 100 % 60:02d}.{n % 100:02d}] word {n}\n" for n in range(20_000)),
    "".join(f"[{n // 6000:02d}:{n // 100 % 60:02d}.{n % 100:02d}]" for n in range(20_000)) + "la",
    "[00:01.00]" + "".join(f"<00:{n % 60:02d}.00>w " for n in range(20_000)),
    "[00:01.00]" + "[" * 200_000, "[00:01.00]" + "a " * 1_000_000, "hello\n" * 20_000, "[99999999999999:00.00] a\n",
    "[00:01.00] a\n" * 100_000, "[00:01.00]" * 100_000 + "la",
])
def test_lyrics_of_any_size_are_read_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lrc: str) -> None:
    pair(tmp_path / "corpus", lrc=lrc)
    _, rows = both(tmp_path / "corpus", monkeypatch)
    assert rows["05_01"] == 2


def test_a_bug_in_one_song_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pair(tmp_path / "corpus")
    monkeypatch.setenv("RAINBOW_CORPUS", str(tmp_path / "corpus"))
    real: Callable[..., Any] = builder.build_song

    def broken(files: Any, *rest: Any) -> Any:
        if files.folder.name == "05_01":
            raise ZeroDivisionError("division by zero")
        return real(files, *rest)

    monkeypatch.setattr(builder, "build_song", broken)
    store = ShardStore(str(tmp_path / "data"))
    with caplog.at_level(logging.ERROR):
        result = bring_up_to_date(BASE_MANIFEST, store, "Green")
    assert result.report is not None and result.report.rows == 2 and result.report.quarantined == {"bug": 1}
    assert "ZeroDivisionError: division by zero" in caplog.text and "test_boundary.py" in caplog.text
    ledger = store.shard("base_manifest", "Green").ledger(["part", "reason", "sentence"])
    assert ledger is not None
    (row,) = ledger.filter(ledger["reason"] == "bug").to_dicts()
    assert row["part"] == "05_01" and "ZeroDivisionError in test_boundary.py" in row["sentence"]
