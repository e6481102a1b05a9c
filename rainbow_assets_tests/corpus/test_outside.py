"""What a song's texts bring along: control characters and machine paths are reported, and kept."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.reader import read_song
from rainbow_assets.text import MACHINE_PATH
from rainbow_assets_tests.corpus.songs import LRC, manifest, write

KINDS = ("control_character", "machine_path")


def found(root: Path) -> list[tuple[str, str, str]]:
    return [(item.file.partition("/")[2], item.where, item.message) for item in lint_report(root).anomalies if item.kind in KINDS]


@pytest.mark.parametrize(("value", "said"), [
    (r'"a\0b"', "title has the character U+0000 (control character)"),
    (r'"\e[31mred"', "title has the character U+001B (control character)"),
    (r'"a\u202eb"', "title has the character U+202E (right-to-left override)"),
    (r'"a\rb"', "title has the character U+000D (control character)"),
    ("/Users/anna/Music/kite", "title has a path of a person's machine: /Users/anna/Music/kite"),
    (r"see C:\Users\anna\kite", r"title has a path of a person's machine: C:\Users\anna\kite"),
    ("'file:///home/anna/kite'", "title has a path of a person's machine: file:///home/anna/kite"),
])
def test_a_title_is_reported_with_its_line_and_kept(tmp_path: Path, value: str, said: str):
    text = manifest().replace("title: Field", f"title: {value}")
    number = text.split("\n").index(f"title: {value}") + 1
    folder = write(tmp_path, text)
    assert found(tmp_path) == [("05_01.yml", f"line {number}", said)]
    song = read_song(folder, tmp_path).song
    assert song is not None and len(song.title) >= 3, "kept as it is"


def test_names_of_fields_and_files_and_lines_of_lyrics_are_read_too(tmp_path: Path):
    folder = write(tmp_path, manifest() + '"odd \\e field": 1\nnotes: |\n  one\n  /home/anna/notes.txt\n')
    (folder / "a\x1bb.txt").touch()
    (folder / "05_01.lrc").write_text(f"{LRC.rstrip()}\n[00:09.000]sung \x1b[2J at /Volumes/Disk/a\n", "utf-8")
    messages = [message for _, _, message in found(tmp_path)]
    assert sorted(message.partition(" has ")[0] for message in messages) == sorted(
        ["odd \x1b field", "notes", "its name", "the line", "the line"])
    assert "\x1b" not in lint_report(tmp_path).to_text()


def test_a_forged_line_stays_in_its_line(tmp_path: Path):
    folder = write(tmp_path)
    (folder / "a\nerror   05_01, forged\x1b.txt").touch()
    assert not any(line.startswith("error") for line in lint_report(tmp_path).to_text().splitlines())


@pytest.mark.parametrize("text", ["/Users/anna", "a /home/x", "=/tmp/a", r"D:\\a", "file:///x", "and/or", "/usr/lib", "1/2", "http://x/home/y"])
def test_the_rule_is_the_same_for_lint_and_for_the_check_before_a_release(text: str):
    assert pl.Series([text]).str.contains(MACHINE_PATH).item() == bool(re.search(MACHINE_PATH, text))
