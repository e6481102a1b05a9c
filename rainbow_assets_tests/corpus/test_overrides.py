"""corpus.toml: what a person says wins, and a slip in it is a sentence."""

from pathlib import Path

import pytest

from rainbow_assets.corpus.overrides import Overrides, SongOverride, TimecodeOverride, load_overrides
from rainbow_assets.corpus.reader import read_song
from rainbow_assets.errors import UsageError
from rainbow_assets_tests.corpus.songs import kinds, write

TEXT = """
[album."03"]
fps = 29.97
[song."03_09"]
unit = "frames+subframe"
[song."03_09".lyrics]
unit = "frames"
hour_offset = 1
"""


def test_the_closest_word_counts_field_by_field(tmp_path: Path) -> None:
    (tmp_path / "corpus.toml").write_text(TEXT)
    found = load_overrides(tmp_path)
    assert found.of("03_01") == SongOverride(TimecodeOverride(fps=29.97), TimecodeOverride(fps=29.97))
    assert found.of("03_09") == SongOverride(TimecodeOverride("frames+subframe", 29.97), TimecodeOverride("frames", 29.97, 1))
    assert found.of("04_01") == SongOverride()


def test_whose_music_it_is(tmp_path: Path) -> None:
    (tmp_path / "corpus.toml").write_text('music = "demo"\n[album."03"]\nmusic = "stand-in"\n[song."03_09"]\ntrusted = true\n')
    found = load_overrides(tmp_path)
    assert [found.of(song).music for song in ("03_09", "03_01", "04_01")] == ["stand-in", "stand-in", "demo"]


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert load_overrides(tmp_path) == Overrides()


@pytest.mark.parametrize(("text", "said"), [
    ("[album", "TOML"), ("[artist.\"x\"]", "artist"), ("[album.\"3\"]\nfps = 25", "album"), ("album = 3", "album"),
    ("[song.\"03_09\"]\nunit = \"samples\"", "samples"), ("[song.\"03_09\"]\nfps = 60", "60"), ("[song.\"03_09\"]\nfps = true", "fps"),
    ("[song.\"03_09\"]\nfps = \"25\"", "fps"), ("[song.\"03_09\"]\nhour_offset = 1.5", "hour_offset"),
    ("[song.\"03_09\"]\nhour_offset = -1", "hour_offset"), ("[song.\"03_09\"]\nrate = 25", "must be a table"),
    ("[song]\n\"03_09\" = 25", "song"), ("[song.\"03_09\"]\nlyrics = 25", "must be a table"), ("[song.\"03_09\"]\nunit = [\"ms\"]", "unit"),
    ("music = \"mine\"", "music of the file is 'mine'"), ("[song.\"03_09\"]\nmusic = [1]", "music of [song"),
])
def test_a_slip_is_a_sentence(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "corpus.toml").write_text(text)
    with pytest.raises(UsageError, match="corpus.toml") as caught:
        load_overrides(tmp_path)
    assert said in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "corpus.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="TOML"):
        load_overrides(tmp_path)
    (tmp_path / "corpus.toml").unlink()
    (tmp_path / "corpus.toml").mkdir()
    with pytest.raises(UsageError, match="only regular files"):
        load_overrides(tmp_path)


def test_a_song_follows_it(tmp_path: Path) -> None:
    folder = write(tmp_path, lrc="[60:12.013]\na\n[60:20.020]\nb")
    (tmp_path / "corpus.toml").write_text("[album.\"05\".lyrics]\nunit = \"frames\"\nfps = 25\nhour_offset = 1")
    reading = read_song(folder, tmp_path)
    assert reading.song is not None and reading.song.lyrics_timecode is not None
    assert [line.start_ms for line in reading.song.lines] == [12520, 20800]
    assert reading.song.lyrics_timecode.source == "corpus.toml" and reading.song.manifest_timecode.unit == "ms"


def test_hours_that_are_not_there_are_not_taken_off(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (tmp_path / "corpus.toml").write_text("[song.\"05_01\"]\nhour_offset = 1")
    reading = read_song(folder, tmp_path)
    assert reading.song is not None and reading.song.lines[0].start_ms == 12613 and kinds(reading) == {"hour_offset"}
