"""LRC: whatever the form, no lyric is lost and what is odd is reported with its line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.corpus.anomalies import KINDS, AnomalyLog
from rainbow_assets.corpus.lrc import INVISIBLE, SINGER, RawLyrics, decode, parse, read_stamp
from rainbow_assets.text import from_html
from rainbow_assets_tests.corpus.songs import kinds, read
from rainbow_assets_tests.counts import examples


def parsed(text: str) -> tuple[RawLyrics, list[tuple[str, str]]]:
    notes = AnomalyLog("05_01")
    lyrics = parse(text, "05_01/05_01.lrc", notes)
    return lyrics, [(a.kind, a.where) for a in notes.sorted()]


def rows(text: str) -> list[tuple[int, int, str, int, str]]:
    return [(s.minutes, s.seconds, s.fraction, s.line_number, s.text) for s in parsed(text)[0].stamps]


def test_stamp_then_next_line() -> None:
    lyrics, found = parsed("[ti: T]\n[ar:A]\n[00:01.000]\none\n[00:02.500]\ntwo")
    assert lyrics.tags == {"ti": "T", "ar": "A"} and found == []
    assert [(s.literal_ms, s.text, s.line_number) for s in lyrics.stamps] == [(1000, "one", 3), (2500, "two", 5)]


def test_inline_and_several_stamps() -> None:
    assert rows("[00:01.000] one\n[00:02.000][00:05.000]twice\n[00:03.000]\nthree") == [
        (0, 1, "000", 1, "one"), (0, 2, "000", 2, "twice"), (0, 5, "000", 2, "twice"), (0, 3, "000", 3, "three")]


@pytest.mark.parametrize("text", [
    "\ufeff[00:01.000]\none\n[00:02.000]\ntwo", "[00:01.000]\r\none\r\n[00:02.000]\r\ntwo\r\n",
    "[00:01.000]\rone\r[00:02.000]\rtwo", "\n\n[00:01.000]\n\none\n\n\n[00:02.000]\ntwo\n\n",
    "  [00:01.000]  \n\tone \n[00:02.000]two",
])
def test_line_ends_blanks_and_marks_do_not_matter(text: str) -> None:
    lyrics, found = parsed(text)
    assert [(s.literal_ms, s.text) for s in lyrics.stamps] == [(1000, "one"), (2000, "two")] and found == []


def test_a_stamp_without_words_is_an_instrumental_line() -> None:
    assert rows("[00:01.000]\n[00:02.000]\ntwo\n[00:03.000]") == [
        (0, 1, "000", 1, ""), (0, 2, "000", 2, "two"), (0, 3, "000", 4, "")]


CASES: dict[str, tuple[str, str, str, list[tuple[int, str]]]] = {
    "a colon before the fraction": ("[01:04:110]\na", "odd_stamp", "line 1", [(64110, "a")]),
    "a slash before the fraction": ("[02:52/071]\na", "odd_stamp", "line 1", [(172071, "a")]),
    "a comma before the fraction": ("[02:52,071] a", "odd_stamp", "line 1", [(172071, "a")]),
    "four digits": ("[01:03.2047]\na", "odd_stamp", "line 1", [(63204, "a")]),
    "one digit of minutes": ("[2:08.221]\na", "odd_stamp", "line 1", [(128221, "a")]),
    "a space inside": ("[00:18.086 ]\na", "odd_stamp", "line 1", [(18086, "a")]),
    "spaces all over": ("[ 00 : 18 . 086 ]\na", "odd_stamp", "line 1", [(18086, "a")]),
    "two digits of fraction": ("[00:42.25]\na\n[00:48.29]\nb", "odd_stamp", "line 1", [(42250, "a"), (48290, "b")]),
    "no fraction": ("[00:42]\na", "odd_stamp", "line 1", [(42000, "a")]),
    "99 seconds": ("[00:01.000]\na\n[00:99.000]\nb", "bad_stamp", "line 3", [(1000, "a\nb")]),
    "99 seconds, inline": ("[00:01.000] a\n[00:99.000] b", "bad_stamp", "line 2", [(1000, "a\nb")]),
    "hours, minutes, seconds, frames": ("[00:01.000]\na\n[01:00:42:13]\nb", "odd_stamp", "line 3",
                                        [(1000, "a"), (3642130, "b")]),
    "hours": ("[01:00:42.500] b", "odd_stamp", "line 1", [(3642500, "b")]),
    "tenths": ("[00:12.5] a", "odd_stamp", "line 1", [(12500, "a")]),
    "a section's name": ("[00:01.000]\na\n[Chorus]\n[00:02.000] b", "stray_bracket", "line 3", [(1000, "a"), (2000, "b")]),
    "a section's name with a colon": ("[00:01.000] a\n[Chorus: all]\n[00:02.000] b", "stray_bracket", "line 2",
                                      [(1000, "a"), (2000, "b")]),
    "a bracket among words": ("[00:01.000] again [x2] and <i>again</i>", "stray_bracket", "line 1", [(1000, "again and again")]),
    "a bracket that never closes": ("[00:01.000] a\n[00:02.000 b", "stray_bracket", "line 2", [(1000, "a\nb")]),
    "a lone number": ("[00:01.000]\na\n[42]\nb", "bad_stamp", "line 3", [(1000, "a\nb")]),
    "one good and one bad stamp": ("[00:01.000][00:61.000] a", "bad_stamp", "line 1", [(1000, "a")]),
    "words before the first stamp": ("hello\n[00:01.000]\na", "stray_text", "line 1", [(1000, "a")]),
    "a second line of words": ("[00:01.000]\na\nb", "stray_text", "line 3", [(1000, "a\nb")]),
    "an offset": ("[offset:+250]\n[00:01.000]\na", "offset_tag", "line 1", [(1000, "a")]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_odd_stamp_is_reported_and_no_word_is_lost(name: str) -> None:
    text, kind, where, wanted = CASES[name]
    lyrics, found = parsed(text)
    assert (kind, where) in found
    assert [(s.literal_ms, s.text) for s in lyrics.stamps] == wanted


ENHANCED = """[ti:Paper Kite]
[00:01.000] <00:01.000> Paper <00:01.480> kite <00:02.020> upon <00:02.610> the <00:03.170> hill <00:03.900>
[00:05.170]Wait [00:05.810]for [00:06.330]the [00:06.990]wind
[00:09.230]Plain line <3
<00:10.000>No <00:10.500>stamp
[00:12.000]
<00:12.100>On the <00:12.500>next
[00:14.000][00:20.000]<00:14.000>Twice <00:14.400>sung
[ar:Somebody]
"""


def test_stamps_inside_a_line_are_times_of_words_and_never_words() -> None:
    lyrics, found = parsed(ENHANCED)
    assert found == [] and lyrics.tags == {"ti": "Paper Kite", "ar": "Somebody"}
    assert [(stamp.literal_ms, stamp.text) for stamp in lyrics.stamps] == [
        (1000, "Paper kite upon the hill"), (5170, "Wait for the wind"), (9230, "Plain line <3"), (10000, "No stamp"),
        (12000, "On the next"), (14000, "Twice sung"), (20000, "Twice sung")]
    assert [[(word.literal_ms, word.text) for word in stamp.words] for stamp in lyrics.stamps] == [
        [(1000, "Paper"), (1480, "kite"), (2020, "upon"), (2610, "the"), (3170, "hill")],
        [(5170, "Wait"), (5810, "for"), (6330, "the"), (6990, "wind")], [], [(10000, "No"), (10500, "stamp")],
        [(12100, "On the"), (12500, "next")], [(14000, "Twice"), (14400, "sung")], []]


def test_words_as_written_keep_their_spaces() -> None:
    assert [row[-1] for row in rows("[00:01.000] Paper  kite\n[00:02.000]\nupon   the hill")] == ["Paper  kite", "upon   the hill"]


def test_syllables_without_spaces_are_one_word() -> None:
    assert [row[-1] for row in rows("[00:01.000]<00:01.000>Pa<00:01.200>per <00:01.400>kite")] == ["Paper kite"]


def test_two_languages_under_one_stamp_are_two_lines_of_one_time() -> None:
    assert rows("[00:01.000]one\n[00:01.000]eins\n[00:02.000]two\n[00:02.000]zwei")[1::2] == [
        (0, 1, "000", 2, "eins"), (0, 2, "000", 4, "zwei")]


@pytest.mark.parametrize(("fraction", "meaning"), [("11", "frames or hundredths"), ("5", "tenths of a second")])
def test_short_stamps_are_reported_once(fraction: str, meaning: str) -> None:
    text = "\n".join(f"[00:{n:02d}.{fraction}] w" for n in range(30))
    notes = AnomalyLog("05_01")
    parse(text, "a.lrc", notes)
    (found,) = notes.sorted()
    assert found.where == "line 1" and "30 stamps" in found.message and meaning in found.action


def test_an_offset_of_zero_is_no_offset() -> None:
    assert parsed("[offset:+0]\n[00:01.000] a")[1] == []


FILES: dict[str, tuple[str | bytes | None, str, str]] = {
    "missing": (None, "unreadable_lyrics", "file"),
    "binary": (b"PK\0\x01\0", "unreadable_lyrics", "line 1"),
    "too large": (b"a" * (4 << 20) + b"b", "unreadable_lyrics", "file"),
    "Windows-1252": (b"[00:01.123]\ncaf\xe9", "odd_encoding", "line 2"),
    "UTF-16": ("[00:01.123]\ncaf\xe9".encode("utf-16"), "odd_encoding", "line 1"),
    "empty": ("", "lyrics_disagree", "file"),
    "only words": ("a\nb", "lyrics_disagree", "file"),
    "past the end": ("[00:01.123]\na\n[02:11.437]\nb", "past_end", "line 3"),
    "out of order": ("[00:41.123]\na\n[00:11.437]\nb", "unsorted_stamps", "line 3"),
    "two at one time": ("[00:11.437]\na\n[00:11.437]\nb", "equal_stamps", "line 3"),
    "an hour late": ("[60:11.437]\na\n[60:21.612]\nb", "hour_offset", "all stamps"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_lyrics_file_never_costs_the_song(name: str, tmp_path: Path) -> None:
    content, kind, where = FILES[name]
    reading = read(tmp_path, lrc=content)
    assert reading.song is not None
    assert any(a.kind == kind and a.where == where for a in reading.anomalies), reading.anomalies
    assert all(a.severity == KINDS[a.kind][0] for a in reading.anomalies)


def test_lines_are_sorted_hours_are_taken_off_and_late_ones_do_not_lengthen_the_song(tmp_path: Path) -> None:
    song = read(tmp_path / "a", lrc="[60:41.123]\nb\n[60:11.437]\na").song
    assert song is not None and [(line.start_ms, line.text) for line in song.lines] == [(11437, "a"), (41123, "b")]
    song = read(tmp_path / "b", lrc="[00:11.437]\na\n[09:41.123]\nb").song
    assert song is not None and song.end_ms == 60731 and song.lines[-1].start_ms == 581123


def test_words_in_another_encoding_are_read(tmp_path: Path) -> None:
    for name, data in (("a", FILES["Windows-1252"][0]), ("b", FILES["UTF-16"][0])):
        song = read(tmp_path / name, lrc=data).song
        assert song is not None and [line.text for line in song.lines] == ["café"]


def test_a_missing_lyrics_file_leaves_the_sections(tmp_path: Path) -> None:
    song = read(tmp_path, lrc=None).song
    assert song is not None and song.lines == () and song.lyrics_timecode is None and len(song.sections) == 3


def test_the_good_lyrics_are_silent(tmp_path: Path) -> None:
    assert kinds(read(tmp_path)) == set()


words = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="[]\r\n", exclude_categories=("Cc", "Zs", "Zl", "Zp")),
                min_size=1, max_size=12).filter(
                    lambda text: text == text.strip(INVISIBLE) and not SINGER.match(text) and from_html(text) == text)
stamps = st.tuples(st.integers(0, 99), st.integers(0, 59), st.integers(0, 999))


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(stamps, words), max_size=12), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_back(lines: list[tuple[tuple[int, int, int], str]], inline: bool, end: str) -> None:
    text = end.join(f"[{m:02d}:{s:02d}.{f:03d}]{' ' if inline else end}{word}" for (m, s, f), word in lines)
    lyrics, found = parsed(text)
    assert found == []
    assert [((s.minutes, s.seconds, int(s.fraction)), s.text) for s in lyrics.stamps] == lines


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=120) | st.text(alphabet="[]0159:./ \r\n\tabé\ufeff-+", max_size=60).map(str.encode))
def test_any_bytes_are_read_and_no_word_is_lost(data: bytes) -> None:
    notes = AnomalyLog("05_01")
    text = decode(data, "f", notes)
    if text is None:
        assert [a.kind for a in notes.found] == ["unreadable_lyrics"]
        return
    lyrics = parse(text, "f", notes)
    said = "".join(stamp.text for stamp in lyrics.stamps)
    if lyrics.stamps and not any(a.kind == "stray_bracket" or (a.kind == "stray_text" and "before the first" in a.message)
                                 for a in notes.found):
        assert set("ab") & set(text) <= set(said) | set("".join(lyrics.tags) + "".join(lyrics.tags.values()))
    assert all(0 <= stamp.seconds < 60 for stamp in lyrics.stamps)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(alphabet="[]0123456789:./, ", max_size=16))
def test_a_stamp_is_read_or_refused(text: str) -> None:
    stamp = read_stamp(text)
    assert stamp is None or (0 <= stamp.seconds < 60 and len(stamp.fraction) <= 3 and stamp.literal_ms >= 0)
