"""Manifests: what is right is kept to the letter, what is wrong is a typed anomaly that says where."""

import json
from pathlib import Path
from typing import Any

import pytest

from rainbow_assets.corpus.anomalies import KINDS
from rainbow_assets.corpus.reader import read_song
from rainbow_assets_tests.corpus.songs import GOOD, Spoil, kinds, manifest, read, write


def put(**fields: Any) -> Spoil:
    return lambda document: document.update(fields)


def drop(*names: str) -> Spoil:
    return lambda document: [document.pop(name) for name in names] and None


def track(place: int, **fields: Any) -> Spoil:
    return lambda document: document["audio_tracks"][place].update(fields)


def section(place: int, **fields: Any) -> Spoil:
    return lambda document: document["structure"][place].update(fields)


def test_a_good_manifest(tmp_path: Path) -> None:
    reading = read(tmp_path)
    song = reading.song
    assert song is not None and reading.quarantined is None and reading.anomalies == ()
    assert (song.title, song.rainbow_color, song.bpm, song.time_signature) == ("Field", "Green", 120.0, (4, 4))
    assert (song.key.tonic, song.key.mode, song.release_date) == ("Bb", "minor", "2021-09-07")
    assert [(s.start_ms, s.end_ms) for s in song.sections] == [(0, 10417), (10417, 40838), (40838, 60731)]
    assert (song.total_ms, song.end_ms) == (60731, 60731)
    assert [(line.start_ms, line.text) for line in song.lines] == [
        (12613, "First line"), (20977, "Second line"), (31542, "Third line"), (38855, "Last line")]
    assert song.manifest_timecode.unit == "ms" and not song.manifest_timecode.ambiguous
    assert [(t.track_id, t.audio_file, t.midi) for t in song.tracks] == [
        (2, "05_01_02.wav", "05_01_02.mid"), (3, "05_01_03.wav", "05_01_drums.mid")]


CASES: dict[str, tuple[Spoil, str, str]] = {
    "bpm is a fraction of a beat": (put(bpm=16), "suspicious_bpm", "field bpm"),
    "bpm is fast": (put(bpm=301.5), "suspicious_bpm", "field bpm"),
    "signature is odd": (put(tempo="18/32"), "odd_time_signature", "field tempo"),
    "signature is text": (put(tempo="fast"), "odd_time_signature", "field tempo"),
    "signature has a zero": (put(tempo="0/4"), "odd_time_signature", "field tempo"),
    "key is nonsense": (put(key="H minor"), "unreadable_key", "field key"),
    "key is missing": (drop("key"), "missing_field", "field key"),
    "title is missing": (drop("title"), "missing_field", "field title"),
    "title is a list": (put(title=["a"]), "wrong_type", "field title"),
    "structure is missing": (drop("structure"), "missing_field", "field structure"),
    "structure is a number": (put(structure=7), "wrong_type", "field structure"),
    "a section is a text": (lambda d: d["structure"].append("Coda"), "wrong_type", "field structure[3]"),
    "a section has no start": (lambda d: d["structure"][1].pop("start_time"), "wrong_type",
                               "field structure[1].start_time"),
    "a section's stamp is words": (section(1, start_time="soon"), "bad_stamp", "field structure[1].start_time"),
    "a section's stamp has 75 seconds": (section(2, end_time="[01:75.000]"), "bad_stamp", "field structure[2].end_time"),
    "a section's stamp has a slash": (section(2, end_time="[01:00/731]"), "odd_stamp", "field structure[2].end_time"),
    "a section ends before it starts": (section(2, end_time="[00:03.086]"), "section_reversed", "field structure[2]"),
    "sections leave a gap": (section(2, start_time="[00:50.733]"), "section_gap", "field structure[2].start_time"),
    "sections overlap": (section(2, start_time="[00:30.733]"), "section_overlap", "field structure[2].start_time"),
    "a section name stands twice": (section(2, section_name="Verse"), "duplicate_section_name", "field structure"),
    "a section has an unknown field": (section(0, tempo=90), "unknown_field", "field structure[0].tempo"),
    "TRT is missing": (drop("TRT"), "missing_field", "field TRT"),
    "TRT is words": (put(TRT="four minutes"), "bad_stamp", "field TRT"),
    "TRT is nonsense": (put(TRT="[00:03.086]"), "trt_nonsense", "field TRT"),
    "TRT is longer": (put(TRT="[01:30.731]"), "trt_disagrees", "field TRT"),
    "TRT is a list of one": (put(TRT=["01:30.731"]), "trt_disagrees", "field TRT"),
    "a track id stands twice": (track(1, id=2), "duplicate_track_id", "field audio_tracks[1].id"),
    "a track is number 0": (track(1, id=0), "wrong_type", "field audio_tracks[1].id"),
    "a track has a name for a number": (track(1, id="two"), "wrong_type", "field audio_tracks[1].id"),
    "a track is a text": (lambda d: d["audio_tracks"].append("bass"), "wrong_type", "field audio_tracks[2]"),
    "there are no tracks": (put(audio_tracks=[]), "missing_field", "field audio_tracks"),
    "a WAV is shared": (track(1, audio_file="05_01_02.wav"), "shared_audio_file", "field audio_tracks"),
    "a track has no media": (lambda d: [d["audio_tracks"][0].pop(f) for f in ("audio_file", "midi_file")] and None,
                             "track_without_media", "field audio_tracks[0]"),
    "a track has MIDI only": (lambda d: d["audio_tracks"][0].pop("audio_file") and None, "midi_only_track",
                              "field audio_tracks[0]"),
    "an audio file is MIDI": (track(0, audio_file="a.mid"), "wrong_extension", "field audio_tracks[0].audio_file"),
    "a MIDI file is audio": (track(0, midi_file="a.wav"), "wrong_extension", "field audio_tracks[0].midi_file"),
    "a field is misspelled": (track(0, midifile="a.mid"), "misspelled_field", "field audio_tracks[0].midifile"),
    "a field is half right": (track(0, Audio_File="a.wav"), "misspelled_field", "field audio_tracks[0].Audio_File"),
    "a track field is unknown": (track(0, color="red"), "unknown_field", "field audio_tracks[0].color"),
    "a field is unknown": (put(mastered_by="Nobody"), "unknown_field", "field mastered_by"),
    "a path is absolute": (track(0, audio_file="/etc/passwd.wav"), "refused_path", "field audio_tracks[0].audio_file"),
    "a path climbs": (track(0, audio_file="../05_02/a.wav"), "refused_path", "field audio_tracks[0].audio_file"),
    "a path has a backslash": (track(0, audio_file="..\\a.wav"), "refused_path", "field audio_tracks[0].audio_file"),
    "a path has a drive": (track(0, audio_file="C:a.wav"), "refused_path", "field audio_tracks[0].audio_file"),
    "the lyrics climb": (put(lrc_file="../x.lrc"), "refused_path", "field lrc_file"),
    "the mix climbs": (put(main_audio_file="../mix.wav"), "refused_path", "field main_audio_file"),
    "the mix has another name": (put(main_audio_file="05_01_01.wav"), "nonstandard_mix_name", "field main_audio_file"),
    "a placeholder": (put(concept="TK"), "placeholder", "field concept"),
    "a placeholder in a track": (track(1, description="TK"), "placeholder", "field audio_tracks[1].description"),
    "another id": (put(manifest_id="05_02"), "id_disagrees", "field manifest_id"),
    "another number": (put(album_sequence=7), "id_disagrees", "field album_sequence"),
    "another album's color": (put(rainbow_color="R"), "color_disagrees", "field rainbow_color"),
    "lyrics without a file": (drop("lrc_file"), "lyrics_disagree", "field lrc_file"),
    "a lyrics file without lyrics": (put(lyrics=False), "lyrics_disagree", "field lyrics"),
    "vocals is a maybe": (put(vocals="maybe"), "wrong_type", "field vocals"),
    "an artist without a name": (lambda d: d["sounds_like"].append({"discogs_id": 5}), "wrong_type",
                                 "field sounds_like[1].name"),
    "a group that is a list": (track(0, group=["Drums"]), "wrong_type", "field audio_tracks[0].group"),
    "a mood that is a table": (put(mood=["calm", {"a": 1}]), "wrong_type", "field mood[1]"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_slip_is_an_anomaly_and_the_song_is_kept(name: str, tmp_path: Path) -> None:
    spoil, kind, where = CASES[name]
    reading = read(tmp_path, manifest(spoil))
    assert reading.song is not None
    found = [a for a in reading.anomalies if a.kind == kind and a.where == where]
    assert found, [(a.kind, a.where) for a in reading.anomalies]
    for anomaly in reading.anomalies:
        assert anomaly.of == "05_01" and anomaly.file.startswith("05_01/")
        assert anomaly.message and anomaly.action and str(tmp_path) not in anomaly.message
        assert anomaly.severity == KINDS[anomaly.kind][0]


UNUSABLE: dict[str, tuple[str | bytes | Spoil, str, str]] = {
    "not YAML": ("a: [1, 2", "unreadable_manifest", "line 2"),
    "a tab": ("a:\n\t- b\n", "unreadable_manifest", "line 2"),
    "a Python object": ("a: !!python/object/apply:os.system ['true']\n", "unreadable_manifest", "line 1"),
    "not text": (b"\xff\xfe\x00a", "unreadable_manifest", "line 1"),
    "a control character": ("title: a\x07b\n", "unreadable_manifest", "line 1"),
    "a field twice": ("bpm: 1\nkey: A minor\nbpm: 2\n", "unreadable_manifest", "line 3"),
    "a list": ("- 1\n- 2\n", "invalid_field", "line 1"),
    "empty": ("", "invalid_field", "line 1"),
    "two documents": ("a: 1\n---\nb: 2\n", "unreadable_manifest", "line 2"),
    "too deep": ("[" * 60 + "]" * 60, "unreadable_manifest", "line 1"),
    "no tempo": (drop("bpm"), "invalid_field", "field bpm"),
    "a tempo in words": (put(bpm="fast"), "invalid_field", "field bpm"),
    "a tempo of zero": (put(bpm=0), "invalid_field", "field bpm"),
    "an endless tempo": ("bpm: .inf\n", "invalid_field", "field bpm"),
    "no color": (drop("rainbow_color"), "invalid_field", "field rainbow_color"),
    "an unknown color": (put(rainbow_color="Q"), "unknown_color", "field rainbow_color"),
    "no id": (drop("manifest_id"), "invalid_field", "field manifest_id"),
    "no tracks": (drop("audio_tracks"), "invalid_field", "field audio_tracks"),
    "tracks are a number": (put(audio_tracks=4), "invalid_field", "field audio_tracks"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_song_that_cannot_be_used_is_set_aside_with_its_reason(name: str, tmp_path: Path) -> None:
    spoil, kind, where = UNUSABLE[name]
    reading = read(tmp_path, manifest(spoil) if callable(spoil) else spoil)
    assert reading.song is None and reading.quarantined is not None
    assert reading.quarantined.rainbow_color == "Green"
    assert kind in kinds(reading) and reading.quarantined.reason in {a.kind for a in reading.anomalies}
    assert any(a.kind == kind and a.where == where for a in reading.anomalies), reading.anomalies
    assert reading.quarantined.message


def test_nothing_unknown_is_lost(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["mastered_by"] = {"name": "Nobody", "year": 2021}
        document["audio_tracks"][1]["midifile"] = "x.mid"
        document["structure"].append({"section_name": "Coda"})
        document["structure"][0]["tempo"] = 90
        document["vocals"] = "maybe"
        document["audio_tracks"][0]["player"] = ["a", "b"]

    song = read(tmp_path, manifest(spoil)).song
    assert song is not None
    assert song.extra == {
        "mastered_by": {"name": "Nobody", "year": 2021}, "audio_tracks[1].midifile": "x.mid",
        "structure[0].tempo": 90, "structure[3]": {"section_name": "Coda"}, "vocals": "maybe",
        "audio_tracks[0].player": ["a", "b"]}
    assert len(song.sections) == 3 and len(song.tracks) == 2


def test_many_broken_items_cost_themselves_only(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["audio_tracks"] += [{"id": f"no {n}"} for n in range(40)]
        document["mood"] += [{"a": 1}, "bright"]

    reading = read(tmp_path, manifest(spoil))
    assert reading.song is not None
    assert [t.track_id for t in reading.song.tracks] == [2, 3] and reading.song.mood == ("calm", "bright")
    assert len([a for a in reading.anomalies if a.kind == "wrong_type"]) == 41


@pytest.mark.parametrize(("written", "title"), [
    ("1984", "1984"), ("007", "007"), ("1.10", "1.10"), ("No", "No"), ("12:30", "12:30"), ("2021-09-07", "2021-09-07"),
    ("1_000", "1_000"), ("0x1F", "0x1F"), ("true", "true"), ("IIVIIIIΞ", "IIVIIIIΞ"), ("1e3", "1e3"), ("-0", "-0"),
    ("99999999999999999999999", "99999999999999999999999"), ("=", "="),
])
def test_titles_are_kept_to_the_letter(written: str, title: str, tmp_path: Path) -> None:
    song = read(tmp_path, manifest().replace("title: Field", f"title: {written}")).song
    assert song is not None and song.title == title


def test_unquoted_ids_and_stamps_are_read(tmp_path: Path) -> None:
    text = manifest().replace("'05_01'", "05_01").replace("'[01:00.731]'", "[01:00.731]").replace("bpm: 120", "bpm: 87.11")
    song = read(tmp_path, text).song
    assert song is not None
    assert (song.total_ms, song.bpm, song.song_id) == (60731, 87.11, "05_01")


def test_the_first_of_two_tracks_with_one_id_is_kept(tmp_path: Path) -> None:
    song = read(tmp_path, manifest(track(1, id=2))).song
    assert song is not None and [t.description for t in song.tracks] == ["pad"]


def test_a_list_of_tracks_keeps_its_order_and_numbers(tmp_path: Path) -> None:
    def spoil(document: dict[str, Any]) -> None:
        document["audio_tracks"] = [{"id": n, "audio_file": f"{n}.wav"} for n in (9, 3, 31)]

    song = read(tmp_path, manifest(spoil)).song
    assert song is not None and [t.track_id for t in song.tracks] == [9, 3, 31]


def test_the_whole_manifest_may_be_one_line(tmp_path: Path) -> None:
    reading = read(tmp_path, json.dumps(GOOD))
    assert reading.song is not None and reading.anomalies == ()


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.wav").write_bytes(b"")
    folder = write(tmp_path / "corpus")
    (folder / "05_01_02.wav").symlink_to(tmp_path / "elsewhere.wav")
    reading = read_song(folder, tmp_path / "corpus")
    assert reading.song is not None and reading.song.tracks[0].audio_file is None
    assert "refused_path" in kinds(reading)
