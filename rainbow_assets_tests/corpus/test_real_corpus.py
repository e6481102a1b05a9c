"""The 39 real songs that lie beside the project: parsed fields, every known irregularity, time codes."""

import csv
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.model import Anomaly, Song, SongReading
from rainbow_assets.corpus.reader import read_corpus
from rainbow_assets.corpus.smpte import of
from rainbow_assets.taxonomy import by_name

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CORPUS = SHARED / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the real corpus lies beside the project")


def rows(name: str) -> list[dict[str, str]]:
    with (SHARED / "expected" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def readings() -> dict[str, SongReading]:
    return {reading.song_id: reading for reading in read_corpus(CORPUS)}


@pytest.fixture(scope="module")
def songs(readings: dict[str, SongReading]) -> dict[str, Song]:
    return {name: reading.song for name, reading in readings.items() if reading.song is not None}


@pytest.fixture(scope="module")
def literal() -> dict[str, Song]:
    return {reading.song_id: reading.song for reading in read_corpus(CORPUS, timecode="ms") if reading.song is not None}


def test_39_songs_and_none_quarantined(readings: dict[str, SongReading], songs: dict[str, Song]) -> None:
    assert len(readings) == len(songs) == 39 == len(rows("manifests.csv"))


def test_reading_them_takes_little_time() -> None:
    started = time.process_time()
    read_corpus(CORPUS)
    assert time.process_time() - started < 3.0


def test_manifest_fields(literal: dict[str, Song]) -> None:
    for row in rows("manifests.csv"):
        song = literal[row["manifest_id"]]
        assert (song.title, by_name(song.rainbow_color).mnemonic) == (row["title"], row["rainbow_color"])
        assert (song.release_date, song.album_sequence) == (row["release_date"], int(row["album_sequence"]))
        assert (song.bpm, song.time_signature_raw, song.key.raw) == (float(row["bpm"]), row["tempo"], row["key"])
        # The original could not read 18/32, and dropped the accidental of a key by storing the folded letter.
        assert song.time_signature == tuple(map(int, row["tempo"].split("/")))
        assert song.key.label is not None and song.key.label.lower() == row["key"].lower()
        assert song.key.mode == row["key_signature_mode_stored"].lower()
        if "key_accidental_lost" not in row["flags"]:
            assert song.key.tonic == row["key_signature_note_stored"]
        assert song.total_ms == round(float(row["trt_seconds"]) * 1000)
        assert (str(song.vocals), str(song.lyrics)) == (row["vocals"], row["lyrics"])
        assert str(song.lrc_file is not None) == row["has_lrc"]
        assert song.main_audio_file == row["main_audio_file"]
        counts = (len(song.sections), len(song.lines), len(song.mood), len(song.genres), len(song.sounds_like),
                  len(song.concept), len(song.tracks), sum(t.audio_file is not None for t in song.tracks),
                  sum(t.midi is not None for t in song.tracks))
        names = ("n_sections", "n_lrc_lines", "n_mood", "n_genres", "n_sounds_like", "concept_chars", "n_tracks",
                 "n_tracks_with_audio", "n_tracks_with_midi")
        # The original's stamp pattern missed the two lines of 03_07 with a space inside the bracket.
        assert counts == tuple(int(row[name]) for name in names) or song.song_id == "03_07", (song.song_id, counts)
        assert song.extra == {}


def test_sections(literal: dict[str, Song]) -> None:
    wanted = defaultdict(list)
    for row in rows("sections.csv"):
        wanted[row["manifest_id"]].append((row["section_name"], round(float(row["start_seconds"]) * 1000),
                                           round(float(row["end_seconds"]) * 1000), int(row["description_chars"])))
    found = {name: [(s.name, s.start_ms, s.end_ms, len(s.description)) for s in song.sections]
             for name, song in literal.items()}
    assert found == wanted


def test_tracks(songs: dict[str, Song]) -> None:
    wanted = defaultdict(list)
    for row in rows("tracks.csv"):
        wanted[row["manifest_id"]].append((int(row["track_id"]), *(row[name] or None for name in (
            "audio_file", "midi_file", "midi_group_file", "group", "player")), int(row["description_chars"])))
    found = {name: [(t.track_id, t.audio_file, t.midi_file, t.midi_group_file, t.group, t.player, len(t.description))
                    for t in song.tracks] for name, song in songs.items()}
    assert found == wanted


def reported(kind: str, text: str = "") -> Callable[[SongReading, dict[str, str]], list[Anomaly]]:
    def find(reading: SongReading, row: dict[str, str]) -> list[Anomaly]:
        value = text or row["value"]
        return [a for a in reading.anomalies if a.kind == kind and value in f"{a.where} {a.message}"]
    return find


def explain(row: dict[str, str]) -> Callable[[SongReading, dict[str, str]], list[Anomaly]]:
    """Return how a row of irregularities.csv is found again among the anomalies."""
    field, value, note = row["field"], row["value"], row["note"]
    if field == "tempo":
        return reported("odd_time_signature")
    if field == "bpm":
        return reported("suspicious_bpm")
    if field == "audio_tracks.audio_file":
        return reported("shared_audio_file")
    if field == "structure":
        return reported("section_reversed", value.split(" [")[0])
    if field == "main_audio_file":
        return reported("nonstandard_mix_name")
    if field == "TRT":
        return reported("trt_nonsense" if "truncated" in note else "trt_disagrees", "field TRT")
    if "hour offset" in note:
        return reported("hour_offset", "hour 1")
    return reported("odd_stamp", "22 stamps" if "x22" in value else value)


def test_every_known_irregularity_is_reported(readings: dict[str, SongReading]) -> None:
    for row in rows("irregularities.csv"):
        reading = readings[row["manifest_id"]]
        if row["field"] == "key":
            # What the original lost on storage is kept here: no anomaly, but the whole key.
            assert reading.song is not None and reading.song.key.label == row["value"]
            assert reading.song.key.tonic is not None and len(reading.song.key.tonic) == 2
        else:
            assert explain(row)(reading, row), row


def test_time_codes(songs: dict[str, Song]) -> None:
    """Album 07 is written in frames at 25 fps, 01 and 03 with subframes, four songs of 03 at 29.97 fps drop-frame."""
    drop = {"03_03", "03_07", "03_09", "03_10"}
    for name, song in songs.items():
        code, lyrics = of(song.manifest_timecode), song.lyrics_timecode and of(song.lyrics_timecode)
        if name.startswith("07"):
            assert (code.unit, code.fps, lyrics) == ("frames", 25, code)
        elif name == "01_05":
            assert code.unit == "ms" and lyrics is not None and (lyrics.unit, lyrics.fps) == ("frames+subframe", 25)
        elif name in ("01_04", "01_06"):
            assert (code.unit, code.fps) == ("frames+subframe", 25) and lyrics is not None and lyrics.unit == "ms"
        elif name[:2] in ("01", "03"):
            assert lyrics is not None and code.unit == "frames+subframe"
            assert {(code.fps, code.drop_frame), (lyrics.fps, lyrics.drop_frame)} == {(30, True) if name in drop else (25, False)}
            assert lyrics.unit == ("frames" if name == "03_10" else "frames+subframe")
    assert of(songs["05_04"].manifest_timecode).label == "frames at 25 fps"
    assert songs["05_05"].manifest_timecode.unit == "ms"
    ambiguous = {name for name, song in songs.items() if song.manifest_timecode.ambiguous
                 or (song.lyrics_timecode is not None and song.lyrics_timecode.ambiguous)}
    assert ambiguous == {"05_02", "05_03", "05_06"}


def test_lyrics_lie_in_their_song(songs: dict[str, Song]) -> None:
    for song in songs.values():
        assert all(0 <= line.start_ms < song.end_ms for line in song.lines), song.song_id
        assert all(a.end_ms == b.start_ms for a, b in zip(song.sections, song.sections[1:], strict=False)
                   if song.song_id not in ("01_07", "07_04"))
    assert songs["01_06"].lines[0].start_ms == 43251
    assert {name: songs[name].end_ms for name in ("01_07", "03_09", "05_05")} == {
        "01_07": 120000, "03_09": 276084, "05_05": 91300}


def test_lint_of_texts_alone_is_one_line_per_song_about_media() -> None:
    report = lint_report(CORPUS)
    media = [a for a in report.anomalies if a.kind in ("no_media", "missing_file", "unreadable_audio")]
    if any(CORPUS.glob("*/*.wav")):
        pytest.skip("stems have been added")
    assert len(media) == 39 and {a.kind for a in media} == {"no_media"}
    assert report.counts()["error"] == 1 and not report.quarantined
