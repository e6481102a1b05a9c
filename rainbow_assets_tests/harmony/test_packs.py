"""Packs: both layouts, what is wrong with their files, and the real free-midi-chords pack where it is there."""

from __future__ import annotations

import io
import random
import tarfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.harmony.model import KINDS
from rainbow_assets.harmony.packs import read_pack
from rainbow_assets.harmony.tables import remarks
from rainbow_assets.harmony.theory import key_chords, key_progressions
from rainbow_assets.music.chord_types import parse_chord_name
from rainbow_assets.music.errors import PackError
from rainbow_assets.music.keys import Key
from rainbow_assets.music.midi_write import midi_bytes
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.harmony.packs import AM, C, free_layout, original_layout, tar_of
from rainbow_assets_tests.segments.midi_files import midi, off, on, tempo

REAL = Path(__file__).parents[3] / "shared" / "chords" / "free-midi-chords.tar.gz"


def test_the_original_layout_reads_back_what_was_written():
    pack = read_pack(original_layout(), "original")
    assert Counter(item.kind for item in pack.anomalies if item.kind != "duplicate_chord") == {"cluster_file": 2}
    for key in (C, AM):
        written = {(chord.name, chord.voicing): chord for chord in key_chords(key)
                   if chord.category in ("triad", "seventh", "borrowed") and "/" not in chord.name}
        read = {(chord.name, chord.voicing): chord for chord in pack.chords if chord.key == key}
        assert read.keys() == written.keys()
        for name, chord in read.items():
            wanted = written[name]
            assert (chord.function, chord.roman, chord.quality, chord.inversion) == (
                wanted.function, wanted.roman, wanted.quality, wanted.inversion)
        songs = {item.declared: item for item in key_progressions(key)}
        back = {item.declared: item for item in pack.progressions if item.key == key}
        assert back.keys() == songs.keys()
        assert all(back[name].romans == songs[name].romans for name in songs)


def test_a_minor_is_a_minor():
    """The original gave every minor key its relative major's root: A minor songs got F# minor chords."""
    pack = read_pack(original_layout(), "original")
    tonics = [chord for chord in pack.chords if chord.key == AM and chord.function == "i" and chord.quality == "m"]
    assert {chord.name for chord in tonics} == {"Am"}
    assert {item.key.mode for item in pack.progressions} == {"major", "minor"}


def test_the_free_layout_says_moods_modes_and_romans():
    pack = read_pack(free_layout(), "free")
    assert Counter(item.kind for item in pack.anomalies) == {"duplicate_chord": 2}
    found = {item.name: item for item in pack.progressions}
    joyful = found["C - I IV V - Joyful Bold"]
    assert (joyful.key, joyful.moods, joyful.romans) == (C, ("Joyful", "Bold"), ("I", "IV", "V"))
    assert [step.duration_ms for step in joyful.steps] == [2667, 2666, 2667], "three of 8 s, to the next millisecond"
    sad = found["A - i VI i - Sad"]
    assert sad.romans == ("i", "VI", "i") and sad.style == "basic4", "a chord struck twice is one chord"
    modal = found["A - i bVII"]
    assert modal.key == AM and modal.romans == ("i", "VII")
    both = [chord for chord in pack.chords if chord.name == "F"]
    assert {(chord.key, chord.function) for chord in both} == {(C, "IV"), (AM, "VI")}


def test_folder_tar_and_mapping_are_the_same_pack(tmp_path: Path):
    files = free_layout()
    for path, data in files.items():
        (tmp_path / "pack" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pack" / path).write_bytes(data)
    (tmp_path / "pack" / "README.md").write_text("not music")
    shuffled = dict(random.Random(1).sample(sorted(files.items()), len(files)))
    (tmp_path / "pack.tar.gz").write_bytes(tar_of(shuffled))
    folder, tar, memory = read_pack(tmp_path / "pack"), read_pack(tmp_path / "pack.tar.gz"), read_pack(files, "pack")
    assert folder == tar == memory


def bad_files() -> dict[str, tuple[bytes, str]]:
    chord, root = free_layout()["01 - C Major - A minor/1 Triad/Major/I - C.mid"], "01 - C Major - A minor"
    return {
        f"{root}/1 Triad/Major/IV - F.mid": (b"no music", "not_midi"),
        f"{root}/1 Triad/Major/V - G.mid": (chord[: len(chord) // 2], "no_notes"),
        f"{root}/1 Triad/Major/vi - Am.mid": (midi_bytes([]), "no_notes"),
        f"{root}/1 Triad/Major/ii - Dm.mid": (bytes(1_000_001), "too_large"),
        f"{root}/1 Triad/Major/what.mid": (chord, "unparsed_name"),
        f"{root}/1 Triad/Major/iii - Em.mid": (midi_bytes([(48, 49, 50, 51, 52)]), "unnamed_chord"),
        f"{root}/1 Triad/Major/I - Cm.mid": (midi_bytes([(43, 59, 62, 67)]), "name_mismatch"),
        f"{root}/1 Triad/All Triads (C Major).mid": (chord, "cluster_file"),
        f"{root}/4 Progression/Major/C - I V.mid": (midi_bytes([(36, 52, 55)] * 2), "roman_mismatch"),
        "loose.mid": (chord, "outside_layout"),
        "../out.mid": (chord, "unsafe_path"),
    }


def test_bad_files_are_typed_and_the_pack_goes_on():
    bad = bad_files()
    pack = read_pack({**free_layout(), **{path: data for path, (data, _) in bad.items()}}, "free")
    found = {item.file: item for item in pack.anomalies if item.kind != "duplicate_chord"}
    assert {path: item.kind for path, item in found.items()} == {path: kind for path, (_, kind) in bad.items()}
    assert all(item.kind in KINDS and item.message and item.action for item in pack.anomalies)
    named = next(chord for chord in pack.chords if chord.source_file.endswith("I - Cm.mid"))
    assert named.name == "G", "named by its notes, not by its file"
    assert {chord.name for chord in pack.chords} >= {"C", "Am", "F"}
    assert "announces 2 tracks" in found["01 - C Major - A minor/1 Triad/Major/V - G.mid"].message, "it is cut"


def test_a_bad_event_costs_no_chord_and_is_in_the_remark_of_its_row():
    files = free_layout()
    path = "01 - C Major - A minor/1 Triad/Major/I - C.mid"
    tempo = files[path].index(b"\xff\x51\x03")
    pack = read_pack({**files, path: files[path][:tempo + 3] + bytes(3) + files[path][tempo + 6:]}, "free")
    assert [chord.voicing for chord in pack.chords] == [chord.voicing for chord in read_pack(files, "free").chords]
    assert remarks(pack.anomalies)[path] == "repaired_midi: track 0: a tempo of 0 microseconds per beat"


def test_all_tempos_of_a_progression_count():
    """Four bars at 120, then 60 BPM: the second chord lasts twice as long."""
    path = "01 - C Major - A minor/4 Progression/Major/C - I V.mid"
    data = midi([(0, tempo(120)), (1920, tempo(60))], [(0, on(48)), (0, on(52)), (0, on(55)), (1920, off(48)), (1920, off(52)), (1920, off(55)),
                                                       (1920, on(43)), (1920, on(47)), (1920, on(50)), (3840, off(43)), (3840, off(47)), (3840, off(50))])
    made = next(item for item in read_pack({**free_layout(), path: data}, "free").progressions if item.source_file == path)
    assert made.bpm == 120 and [(step.start_ms, step.duration_ms) for step in made.steps] == [(0, 2000), (2000, 4000)]


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from(sorted(free_layout())))
def test_no_bytes_stop_a_pack(noise: bytes, place: int, path: str):
    files = free_layout()
    data = files[path]
    files[path] = data[:place] + noise + data[place + len(noise):]
    pack = read_pack(files, "free")
    used = {chord.source_file for chord in pack.chords} | {item.source_file for item in pack.progressions}
    assert used | {item.file for item in pack.anomalies} == set(files), "each file is used or has an anomaly"


def test_a_pack_that_is_none_is_reported(tmp_path: Path):
    with pytest.raises(PackError, match="there is no chord pack"):
        read_pack(tmp_path / "nothing")
    (tmp_path / "bad.tar.gz").write_bytes(b"\x1f\x8bnot a tar")
    with pytest.raises(PackError, match=r"bad\.tar\.gz"):
        read_pack(tmp_path / "bad.tar.gz")


def test_links_and_climbing_paths_in_an_archive_are_not_followed(tmp_path: Path):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        link = tarfile.TarInfo("01 - C Major - A minor/1 Triad/Major/I - C.mid")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
        climb = tarfile.TarInfo("../../up.mid")
        climb.size = 3
        archive.addfile(climb, io.BytesIO(b"abc"))
    (tmp_path / "evil.tar").write_bytes(sink.getvalue())
    pack = read_pack(tmp_path / "evil.tar")
    assert not pack.chords and [item.kind for item in pack.anomalies] == ["unsafe_path"]
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out.mid").symlink_to(tmp_path / "evil.tar")
    assert [item.kind for item in read_pack(folder).anomalies] == ["odd_file"]


@pytest.mark.skipif(not REAL.exists(), reason="the free-midi-chords pack is not here")
def test_the_real_pack():
    pack = read_pack(REAL)
    assert pack.files == 13536
    assert Counter(item.kind for item in pack.anomalies) == {"duplicate_chord": 480, "no_notes": 48}
    assert len(pack.progressions) == 11400 and len(pack.chords) == 3192
    for chord in pack.chords:
        assert set(chord.pitch_classes) == parse_chord_name(chord.name).pitch_classes, chord.chord_id
    assert {chord.key for chord in pack.chords if chord.key.mode == "minor"} >= {Key("A", "minor"), Key("G#", "minor")}
    assert sum(bool(item.moods) for item in pack.progressions) > 1000
    assert {item.key.mode for item in pack.progressions} == {"major", "minor"}
