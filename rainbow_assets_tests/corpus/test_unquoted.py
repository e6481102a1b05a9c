"""Values without quotes: the text stays what the writer wrote, and doubts are reported with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rainbow_assets.corpus.model import Song
from rainbow_assets.corpus.unquoted import NUMBERS, TEXTS
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets_tests.corpus.songs import GOOD, manifest, read

KINDS = ("comment_after_text", "unquoted_text")


def told(root: Path, text: str) -> tuple[Song, list[Anomaly]]:
    """Return the song and the doubts about its values."""
    reading = read(root, text)
    assert reading.song is not None
    return reading.song, [anomaly for anomaly in reading.anomalies if anomaly.kind in KINDS]


def with_line(name: str, line: str) -> tuple[str, int]:
    """Return the good manifest with ``line`` in place of its first line of field ``name``, and the line's number."""
    lines = manifest().splitlines()
    at = next(number for number, found in enumerate(lines) if found.lstrip(" -").startswith(f"{name}:"))
    indent = len(lines[at]) - len(lines[at].lstrip(" -"))
    lines[at] = lines[at][:indent] + line
    return "\n".join(lines) + "\n", at + 1


@pytest.mark.parametrize(("line", "title", "taken"), [
    ("title: &Burn it down", "it down", "&Burn"), ("title: &Me and You", "and You", "&Me"),
    ("title: ! Look", "Look", "!"), ("title: !Look out", "out", "!Look"),
])
def test_what_yaml_takes_from_a_text_for_its_own_syntax_is_told(
    tmp_path: Path, line: str, title: str, taken: str
) -> None:
    text, number = with_line("title", line)
    reading = read(tmp_path, text)
    assert reading.song is not None and reading.song.title == title
    (found,) = [anomaly for anomaly in reading.anomalies if anomaly.kind == "cut_text"]
    assert found.where == f"line {number}" and f"title: YAML takes {taken!r} for its own syntax" in found.message


@pytest.mark.parametrize("title", ["@home", "Kite: return", "*Kite*", "- Kite", "%Kite", "? Kite"])
def test_a_title_that_is_no_yaml_is_named_with_what_to_write(tmp_path: Path, title: str) -> None:
    text, number = with_line("title", f"title: {title}")
    reading = read(tmp_path, text)
    (found,) = [anomaly for anomaly in reading.anomalies if anomaly.kind == "unreadable_manifest"]
    assert reading.song is None and found.where == f"line {number}" and "needs quotes" in found.action


def test_a_comma_in_braces_that_cuts_a_name_is_told(tmp_path: Path) -> None:
    text, number = with_line("sounds_like", "sounds_like: [{name: Tyler, The Creator}]")
    rest = text.splitlines()
    while rest[number].startswith((" ", "-")):
        del rest[number]
    reading = read(tmp_path, "\n".join(rest) + "\n")
    assert reading.song is not None and reading.song.sounds_like == (("Tyler", None),)
    (found,) = [anomaly for anomaly in reading.anomalies if anomaly.kind == "cut_text"]
    assert found.where == f"line {number}" and "YAML takes 'The Creator' for its own syntax" in found.message


@pytest.mark.parametrize("line", [
    "title: &t Field\nsubtitle: *t", "title: &t 'Field'", "title: !!str Field", "title: Me & You!",
    "made: {with: a pen, by: }\ntitle: Field", "made: {with: , by: 2}\ntitle: Field",
])
def test_syntax_that_takes_nothing_from_a_text_is_quiet(tmp_path: Path, line: str) -> None:
    reading = read(tmp_path, with_line("title", line)[0])
    assert not [anomaly for anomaly in reading.anomalies if anomaly.kind == "cut_text"]


def test_the_good_manifest_has_no_doubts(tmp_path: Path) -> None:
    assert told(tmp_path, manifest())[1] == []


def test_words_after_a_number_sign_are_told(tmp_path: Path) -> None:
    """monarch-initiative/dismech 12094, jonschlinkert/gray-matter 90: "Take #9 of the Kite" is read as "Take"."""
    text = manifest().replace("title: Field", "title: Take #9 of the Kite").replace(
        "description: pad", "description: Guitar #1").replace("description: kick", "description: Guitar #2").replace(
        "key: Bb minor", "key: F# minor")
    song, doubts = told(tmp_path, text)
    assert (song.title, song.key.label, [track.description for track in song.tracks]) == (
        "Take", "F# minor", ["Guitar", "Guitar"])
    lines = [f"line {number}" for number, line in enumerate(text.splitlines(), start=1) if " #" in line]
    assert sorted(doubt.where for doubt in doubts) == sorted(lines) and len(lines) == 3
    assert {doubt.severity for doubt in doubts} == {"warning"}
    title = next(doubt for doubt in doubts if "title" in doubt.message)
    assert title.message == "title is read as 'Take', because '#9 of the Kite' after it is a comment"
    assert "quotes" in title.action


@pytest.mark.parametrize("line", [
    "title: Field#9", "title: 'Take #9' # the ninth", "title: |  # long\n  Field", 'title: "Field"# no',
])
def test_a_comment_that_cuts_nothing_is_quiet(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, with_line("title", line)[0])[1] == []


@pytest.mark.parametrize(("name", "line"), [
    ("bpm", "bpm: 120 # beats"), ("lyrics", "lyrics: yes # all"), ("structure", "structure: # in order"),
    ("id", "id: 02 # the pad"), ("mood", "mood:   # how it feels"), ("group", "group: # not yet known"),
    ("title", "# a line of its own\ntitle: Field"), ("genres", "master: 44100 # Hz\ngenres:"),
])
def test_comments_elsewhere_are_quiet(tmp_path: Path, name: str, line: str) -> None:
    assert told(tmp_path, with_line(name, line)[0])[1] == []


@pytest.mark.parametrize(("name", "line", "words"), [
    ("player", "player: #1 Nobody", "audio_tracks[1].player is read as empty, because '#1 Nobody'"),
    ("title", "title: 1999 #2", "title is read as '1999', because '#2'"),
    ("title", "title: Take\n  two #2", "title is read as 'Take two'"),
    ("genres", "mastered: Nobody #3\ngenres:", "mastered is read as 'Nobody'"),
    ("audio_file", "audio_file: 05_01_02.wav # dry", "audio_file is read as '05_01_02.wav'"),
])
def test_a_comment_right_after_a_text_is_told(tmp_path: Path, name: str, line: str, words: str) -> None:
    text, number = with_line(name, line)
    (doubt,) = told(tmp_path, text)[1]
    assert doubt.kind == "comment_after_text" and words in doubt.message
    assert doubt.where == f"line {number + (line.startswith('title: Take'))}"


def test_a_comment_in_a_list_of_texts(tmp_path: Path) -> None:
    song, (doubt,) = told(tmp_path, manifest().replace("- calm", "- calm #2"))
    assert song.mood == ("calm",) and "mood[0] is read as 'calm'" in doubt.message


@pytest.mark.parametrize(("name", "value", "words"), [
    ("title", "007", "the number 7 to"), ("title", "1.10", "the number 1.1 to"), ("title", "3:45", "the number 225 to"),
    ("title", "+5", "the number 5 to"), ("title", "1_000", "the number 1000 to"), ("title", "Yes", "the truth value true to"),
    ("group", "no", "the truth value false to"), ("title", "TRUE", "the truth value true to"),
    ("concept", "2020-01-02", "the date 2020-01-02 to"), ("key", "1e3", ""), ("player", "off", "the truth value false to"),
    ("section_name", "012", "the number 10 to"),
])
def test_a_text_keeps_its_form_and_other_readings_are_told(tmp_path: Path, name: str, value: str, words: str) -> None:
    text, number = with_line(name, f"{name}: {value}")
    song, doubts = told(tmp_path, text)
    held = {"title": song.title, "group": song.tracks[1].group, "player": song.tracks[1].player, "concept": song.concept,
            "key": song.key.raw, "section_name": song.sections[0].name}
    assert held[name] == value
    if words:
        (doubt,) = doubts
        assert (doubt.kind, doubt.severity, doubt.where) == ("unquoted_text", "warning", f"line {number}")
        assert words in doubt.message and f"read as the text {value!r}" in doubt.action


@pytest.mark.parametrize("line", ["title: 1999", "title: -1.5", "title: Nobody", "title: y", "title: '007'",
                                  "title: !!str 007x", "title: Yes, no", "title: ''"])
def test_texts_that_nobody_reads_otherwise_are_quiet(tmp_path: Path, line: str) -> None:
    assert told(tmp_path, with_line("title", line)[0])[1] == []


@pytest.mark.parametrize(("name", "line"), [
    ("release_date", "release_date: 2021-09-07"), ("manifest_id", "manifest_id: 05_01"), ("id", "id: 02"),
    ("start_time", "start_time: [00:00.000]"), ("lyrics", "lyrics: yes"), ("bpm", "bpm: 120.0"),
])
def test_fields_that_are_right_without_quotes_are_quiet(tmp_path: Path, name: str, line: str) -> None:
    assert told(tmp_path, with_line(name, line)[0])[1] == []


def test_a_running_time_in_minutes_is_told(tmp_path: Path) -> None:
    song, doubts = told(tmp_path, with_line("TRT", "TRT: 1:01")[0])
    assert song.total_ms == 61_000 and "the number 61 to" in doubts[0].message


@pytest.mark.parametrize("value", ["~", "null", "Null"])
def test_a_null_where_a_text_belongs_is_told(tmp_path: Path, value: str) -> None:
    song, (doubt,) = told(tmp_path, with_line("player", f"player: {value}")[0])
    assert song.tracks[1].player is None and f"{value} is no value" in doubt.message


def test_unknown_fields_are_told_only_if_a_number_loses_its_form(tmp_path: Path) -> None:
    text = "album: 007\nversion: 1.10\nmastered: yes\nloud: true\ngain: 0.5\nmade: 2020-01-01\n" + manifest()
    _, doubts = told(tmp_path, text)
    assert [doubt.where for doubt in doubts] == ["line 1", "line 2"]


def test_texts_and_numbers_are_all_fields() -> None:
    assert {"title", "structure.start_time", "audio_tracks.player", "sounds_like.name", "mood"} < TEXTS
    assert {"bpm", "lyrics", "audio_tracks.id", "sounds_like.discogs_id"} < NUMBERS
    assert GOOD.keys() - {"structure", "sounds_like", "audio_tracks"} <= TEXTS | NUMBERS
