"""Folders of songs: each one is accounted for, whatever is in it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.lint import lint, lint_report
from rainbow_assets.corpus.reader import folder_color, read_corpus, read_song, song_folders, stray_folders
from rainbow_assets.errors import UsageError
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets_tests.corpus.songs import LRC, kinds, manifest, read, write
from rainbow_assets_tests.counts import examples


def corpus(root: Path) -> Path:
    write(root, song="05_01")
    write(root, manifest(lambda d: d.update(rainbow_color="Q")), song="05_02")
    write(root, "a: [", song="03_01")
    write(root, "a: [", song="42_01")
    write(root, manifest(lambda d: d.update(rainbow_color="R", manifest_id="04_01")), song="04_01")
    (root / "09_01").mkdir()
    (root / "notes").mkdir()
    (root / ".hidden").mkdir()
    (root / "readme.txt").touch()
    return root


def test_folders(tmp_path: Path) -> None:
    root = corpus(tmp_path)
    assert [p.name for p in song_folders(root)] == ["03_01", "04_01", "05_01", "05_02", "09_01", "42_01"]
    assert [p.name for p in stray_folders(root)] == ["notes"]


def test_every_folder_is_a_song_or_set_aside_in_exactly_one_color(tmp_path: Path) -> None:
    root = corpus(tmp_path)
    readings = read_corpus(root)
    assert [r.song_id for r in readings] == [p.name for p in song_folders(root)]
    assert all((r.song is None) != (r.quarantined is None) for r in readings)
    by_color = {color: [r.song_id for r in read_corpus(root, color)] for color in COLOR_NAMES}
    assert sorted(name for names in by_color.values() for name in names) == [p.name for p in song_folders(root)]
    assert by_color["Green"] == ["05_01", "05_02"] and by_color["Orange"] == ["03_01"] and by_color["White"] == ["09_01"]
    assert by_color["Red"] == ["04_01"] and by_color["Black"] == ["42_01"]
    for color, names in by_color.items():
        for reading in read_corpus(root, color):
            said = reading.song.rainbow_color if reading.song else reading.quarantined and reading.quarantined.rainbow_color
            assert said == color and reading.song_id in names


def test_reasons(tmp_path: Path) -> None:
    reasons = {r.song_id: r.quarantined.reason for r in read_corpus(corpus(tmp_path)) if r.quarantined}
    assert reasons == {"05_02": "unknown_color", "03_01": "unreadable_manifest", "42_01": "unreadable_manifest",
                       "09_01": "unreadable_manifest"}


@pytest.mark.parametrize("line", ["rainbow_color: G", "'rainbow_color': \"G\"", "rainbow_color:   Green # field", "rainbow_color: g"])
def test_the_color_is_that_of_the_parsed_manifest(line: str, tmp_path: Path) -> None:
    folder = write(tmp_path, manifest().replace("rainbow_color: G", line), song="07_01")
    song = read_song(folder, tmp_path).song
    assert folder_color(folder) == "Green" and song is not None and song.rainbow_color == "Green"


def test_a_color_in_a_comment_is_no_color(tmp_path: Path) -> None:
    folder = write(tmp_path, "# rainbow_color: Z\n" + manifest())
    assert folder_color(folder) == "Green"


def test_no_corpus_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_corpus(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="evidence"):
        read_song(tmp_path, tmp_path, timecode="seconds")


def test_a_manifest_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "05_01" / "05_01.yml").mkdir(parents=True)
    reading = read_song(tmp_path / "05_01", tmp_path)
    assert reading.quarantined is not None and "only regular files" in reading.quarantined.message


def test_literal_reading_keeps_hours_markers_and_order(tmp_path: Path) -> None:
    folder = write(tmp_path, lrc="[60:41.25]\nb\n[60:11.007]\na")
    song = read_song(folder, tmp_path, timecode="ms").song
    assert song is not None
    assert [(line.start_ms, line.text) for line in song.lines] == [(3641250, "b"), (3611007, "a")]
    assert [(s.start_ms, s.end_ms) for s in song.sections] == [(0, 10417), (10418, 40838), (40839, 60731)]
    assert song.manifest_timecode.unit == "ms" and not song.manifest_timecode.ambiguous


def test_sections_that_differ_by_the_marker_of_a_join_meet(tmp_path: Path) -> None:
    def spoil(document: dict) -> None:
        ends = ["[00:08.013]", "[00:16.024]", "[00:23.999]", "[00:32.007]"]
        starts = ["[00:00.000]", "[00:08.014]", "[00:17.000]", "[00:24.000]"]
        document["structure"] = [{"section_name": f"S{n}", "start_time": start, "end_time": end, "description": ""}
                                 for n, (start, end) in enumerate(zip(starts, ends, strict=True))]
        document["TRT"] = "[00:32.007]"

    folder = write(tmp_path, manifest(spoil), lrc=None)
    (tmp_path / "corpus.toml").write_text("[song.\"05_01\"]\nunit = \"frames\"\nfps = 25")
    song = read_song(folder, tmp_path).song
    assert song is not None
    # .024 -> .000 is one frame, too; .999 -> .000 meets at the full second.
    assert [(s.start_ms, s.end_ms) for s in song.sections] == [(0, 8520), (8520, 16960), (16960, 24000), (24000, 32280)]


ENDS = {
    "TRT and the last section agree": ("[01:00.731]", "[01:00.731]", LRC, 60731),
    "TRT is longer": ("[01:30.731]", "[01:00.731]", LRC, 90731),
    "TRT is shorter": ("[00:45.731]", "[01:00.731]", LRC, 60731),
    "both are nonsense": ("[00:03.086]", "[00:03.086]", LRC, 40838),
    "both are nonsense, and the words go on": ("[00:03.086]", "[00:03.086]", LRC + "\n[00:51.273]\nmore", 51273),
    "there is no TRT": ("", "[01:00.731]", LRC, 60731),
    "a stamp is far too late": ("[01:00.731]", "[01:00.731]", LRC + "\n[55:51.273]\nmore", 60731),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_end_is_the_largest_believable_time(name: str, tmp_path: Path) -> None:
    trt, end, lrc, wanted = ENDS[name]

    def spoil(document: dict) -> None:
        document["TRT"] = trt
        document["structure"][2]["end_time"] = end

    song = read(tmp_path, manifest(spoil), lrc).song
    assert song is not None and song.end_ms == wanted


def test_lint(tmp_path: Path) -> None:
    root = corpus(tmp_path)
    report = lint_report(root)
    assert (report.songs, len(report.quarantined)) == (2, 4)
    assert list(report.anomalies) == lint(root) == sorted(report.anomalies)
    found = {(a.of, a.kind) for a in report.anomalies}
    assert {("notes", "stray_folder"), ("05_01", "no_media"), ("04_01", "no_media"), ("05_02", "unknown_color")} <= found
    assert "6 songs found = 2 usable + 4 quarantined" in report.to_text()
    assert report.to_json() == lint_report(root).to_json() and str(tmp_path) not in report.to_json() + report.to_text()


def test_lint_names_each_missing_file_where_others_are_there(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "05_01_02.wav").write_bytes(b"no audio")
    (folder / "05_01_02.mid").touch()
    report = lint_report(tmp_path)
    assert [(a.kind, a.file) for a in report.anomalies] == [
        ("unreadable_midi", "05_01/05_01_02.mid"), ("unreadable_audio", "05_01/05_01_02.wav"), ("missing_file", "05_01/05_01_03.wav"),
        ("missing_file", "05_01/05_01_drums.mid"), ("missing_file", "05_01/05_01_main.wav")]


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    root = corpus(tmp_path)
    assert read_corpus(root) == read_corpus(root)


@settings(max_examples=examples(120), deadline=None)
@given(st.data())
def test_nothing_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A manifest with bytes replaced anywhere is a song or a quarantine entry."""
    text = bytearray(manifest().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at:at + data.draw(st.integers(0, 12))] = data.draw(st.binary(max_size=6) | st.sampled_from(
            [b"- ", b": ", b"[", b"]", b"{", b"\n", b"null", b"&a ", b"*a", b"!!set ", b"99999999999999999999999", b"-1", b"'"]))
    lrc = data.draw(st.binary(max_size=40) | st.just(LRC.encode()))
    reading = read(tmp_path_factory.mktemp("song"), bytes(text), lrc)
    assert (reading.song is None) != (reading.quarantined is None)
    assert kinds(reading) or reading.song is not None


def test_a_kind_that_is_not_on_the_list_is_a_slip_of_the_program() -> None:
    with pytest.raises(KeyError):
        AnomalyLog("05_01").add("no_such_kind", "f", "w", "m", "a")
