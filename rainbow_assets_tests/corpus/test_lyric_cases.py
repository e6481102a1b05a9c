"""Lyrics as players write them, read with their song: right times, no stamp among the words."""

from __future__ import annotations

from pathlib import Path

import pytest

from rainbow_assets.corpus.manifest_rows import song_values
from rainbow_assets_tests.corpus.songs import manifest, read

ENHANCED = """[ti:Paper Kite]
[00:01.000] <00:01.000> Paper <00:01.480> kite <00:02.020> upon <00:02.610> the <00:03.170> hill <00:03.900>
[00:05.170]Wait [00:05.810]for [00:06.330]the [00:06.990]wind
[00:09.230]Plain line
"""
TENTHS = [4000 + 2000 * n + 100 * (7 * n % 10) for n in range(24)]


def test_stamps_of_words_are_a_column_and_never_words(tmp_path: Path) -> None:
    """jacquesh/foo_openlyrics 469 and 233: the stamps were read as words."""
    song = read(tmp_path, lrc=ENHANCED).song
    assert song is not None
    row = song_values(song, 60_731, None, "artist")
    assert row["lines"] == [{"start_ms": 1000, "text": "Paper kite upon the hill", "line_number": 2},
                            {"start_ms": 5170, "text": "Wait for the wind", "line_number": 3},
                            {"start_ms": 9230, "text": "Plain line", "line_number": 4}]
    assert [(word["start_ms"], word["text"], word["line_number"]) for word in row["word_times"]] == [
        (1000, "Paper", 2), (1480, "kite", 2), (2020, "upon", 2), (2610, "the", 2), (3170, "hill", 2),
        (5170, "Wait", 3), (5810, "for", 3), (6330, "the", 3), (6990, "wind", 3)]


def test_one_digit_is_tenths_of_a_second(tmp_path: Path) -> None:
    """tranxuanthang/lrcget 241: [00:12.5] is 12,500 ms, whatever the unit of the manifest."""
    text = "".join(f"[{ms // 60000:02d}:{ms // 1000 % 60:02d}.{ms // 100 % 10}]Line number {n}\n" for n, ms in enumerate(TENTHS))
    song = read(tmp_path, manifest(lambda entry: entry.update(bpm=117)), text).song
    assert song is not None and [line.start_ms for line in song.lines] == TENTHS


def test_stamps_of_words_decide_the_unit_with_those_of_lines(tmp_path: Path) -> None:
    """The lines alone could be frames at 25 per second; .48 and .61 of the words could not."""
    text = "".join(f"[00:{10 + 2 * n}.{4 * n:02d}] <00:{10 + 2 * n}.{4 * n + 40}>one <00:{10 + 2 * n}.{4 * n + 61}>two\n" for n in range(6))
    song = read(tmp_path, lrc=text).song
    assert song is not None and [line.start_ms for line in song.lines] == [10_000 + 2040 * n for n in range(6)]
    assert [word for line in song.lines for word in line.words] == [
        word for n in range(6) for word in ((10_400 + 2040 * n, "one"), (10_610 + 2040 * n, "two"))]


def test_a_section_name_in_brackets_is_reported_and_no_lyric(tmp_path: Path) -> None:
    reading = read(tmp_path, lrc="[00:12.613]\nFirst line\n[Chorus]\n[00:20.977] again [x2]\n[offset:+200]\n")
    assert reading.song is not None and [line.text for line in reading.song.lines] == ["First line", "again"]
    found = {(anomaly.kind, anomaly.where) for anomaly in reading.anomalies}
    assert found >= {("stray_bracket", "line 3"), ("stray_bracket", "line 4"), ("offset_tag", "line 5")}


def lyrics(root: Path, text: str) -> tuple[list[tuple[int, str]], set[tuple[str, str]]]:
    """Return the lines of a song with these lyrics, and (kind, place) of each anomaly of its lyrics."""
    reading = read(root, lrc=text)
    assert reading.song is not None
    return ([(line.start_ms, line.text) for line in reading.song.lines],
            {(anomaly.kind, anomaly.where) for anomaly in reading.anomalies if anomaly.file.endswith(".lrc")})


def test_marks_of_who_sings_are_no_words(tmp_path: Path) -> None:
    """The "Walaoke" form, and the voices of newer players."""
    text = "[00:12.613]F: First line\n[00:20.977]v2: <00:20.977>again <00:21.513>and\n[00:31.391]D:\nFor a day: two\n"
    found, told = lyrics(tmp_path, text)
    assert found == [(12_613, "First line"), (20_977, "again and"), (31_391, "For a day: two")]
    assert told == {("singer_mark", "line 1")}
    song = read(tmp_path / "again", lrc=text).song
    assert song is not None and [word for line in song.lines for word in line.words] == [(20_977, "again"), (21_513, "and")]


def test_characters_written_as_in_html_are_read(tmp_path: Path) -> None:
    found, told = lyrics(tmp_path, "[00:12.613]Don&#39;t &amp; won&apos;t&nbsp;go\n[00:20.977]R&B &c; &#7;\n")
    assert found == [(12_613, "Don't & won't go"), (20_977, "R&B &c; &#7;")] and told == {("odd_text", "line 1")}


@pytest.mark.parametrize("mark", ["\u200b", "\u200e", "\u2060", "\ufeff", "\u00ad", "\u00a0", "\u3000 \u200b"])
def test_what_is_not_shown_around_a_text_is_no_part_of_it(tmp_path: Path, mark: str) -> None:
    found, told = lyrics(tmp_path, f"{mark}[00:12.613]{mark}First line{mark}\n[00:20.977]{mark}again\n{mark}\n")
    assert found == [(12_613, "First line"), (20_977, "again")] and told <= {("control_character", "line 1"),
                                                                            ("control_character", "line 2")}


def test_the_stamps_of_a_chorus_are_in_no_order(tmp_path: Path) -> None:
    found, told = lyrics(tmp_path, "[00:12.613][00:31.391]Chorus\n[00:20.977]Verse\n")
    assert [text for _, text in found] == ["Chorus", "Verse", "Chorus"] and told == set()
    assert lyrics(tmp_path / "not", "[00:12.613][00:31.391]Chorus\n[00:10.977]Verse\n")[1] == {("unsorted_stamps", "line 2")}
