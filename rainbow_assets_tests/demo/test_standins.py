"""Stand-in media for manifests without audio: what is named is rendered, what cannot be is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
import symusic

from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.model import Track
from rainbow_assets.corpus.reader import read_song, song_folders
from rainbow_assets.demo.stand_in_band import player
from rainbow_assets.demo.stand_in_parts import play, rests, sheet, song_length_ms
from rainbow_assets.demo.standins import render_standins
from rainbow_assets.demo.write import DemoReport
from rainbow_assets.errors import UsageError
from rainbow_assets.music.clock import SAMPLE_RATE
from rainbow_assets_tests.demo.conftest import SHARED, tree

HANDMADE = """bpm: 143.9
manifest_id: '01_09'
tempo: 18/32
key: Bb minor
rainbow_color: Z
title: A hand-made song
release_date: '2020-01-01'
album_sequence: 9
main_audio_file: odd_mix_name.wav
TRT: '[00:20.000]'
vocals: true
lyrics: true
structure:
- {section_name: Verse, start_time: '[00:00.000]', end_time: '[00:09.512]', description: a}
- {section_name: Chorus, start_time: '[00:09.513]', end_time: '[00:24.731]', description: b}
- {section_name: Coda, start_time: '[00:24.731]', end_time: '[00:02.386]', description: reversed}
mood: [calm]
sounds_like: [{name: Nobody, discogs_id: 1}]
genres: [test]
concept: A song written for a test of stand-ins; it has every oddity that a manifest may have.
lrc_file: 01_09.lrc
audio_tracks:
- {id: 2, description: Kick, audio_file: 01_09_kick.wav, group: Drums, midi_group_file: 01_09_drums.mid}
- {id: 3, description: Snare, audio_file: 01_09_snare.wav, group: Drums, midi_group_file: 01_09_drums.mid}
- {id: 5, description: Background Vocals, audio_file: 01_09_vox.wav, midi_file: 01_09_vox.mid}
- {id: 9, description: Chimes, midi_file: 01_09_chimes.mid}
- {id: 10, description: Kick again, audio_file: 01_09_kick.wav}
- {id: 11, description: Escape, audio_file: ../escape.wav}
"""
LRC = "[ti: x]\n[60:01.143]\none line\n[60:09.731]\nanother line\n[60:26.317]\na last one"


@pytest.fixture(scope="module")
def source(demo: DemoReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts only: two demo songs, a hand-made odd one, and one that is no YAML."""
    root = tmp_path_factory.mktemp("texts") / "source"
    for song in ("02_01", "08_01"):
        (root / song).mkdir(parents=True)
        for suffix in ("yml", "lrc"):
            shutil.copy(demo.root / song / f"{song}.{suffix}", root / song)
    shutil.copy(demo.root / "corpus.toml", root)
    (root / "01_09").mkdir()
    (root / "01_09" / "01_09.yml").write_text(HANDMADE)
    (root / "01_09" / "01_09.lrc").write_text(LRC)
    (root / "05_03").mkdir()
    (root / "05_03" / "05_03.yml").write_text("{not yaml: [")
    return root


@pytest.fixture(scope="module")
def rendered(source: Path):
    """The stand-ins of all of them."""
    return render_standins(source, source.parent / "out")


def test_every_named_file_is_there_and_texts_are_unchanged(source: Path, rendered) -> None:
    assert [song.song_id for song in rendered.songs] == ["01_09", "02_01", "08_01"]
    texts = {name: digest for name, digest in tree(rendered.root).items() if name.endswith((".yml", ".lrc", ".toml"))}
    assert texts == tree(source)
    report = lint_report(rendered.root)
    kinds = {anomaly.kind for anomaly in report.anomalies}
    assert not kinds & {"missing_file", "no_media", "unreadable_audio"}
    assert [found.song_id for found in report.quarantined] == ["05_03"]


def test_an_unreadable_song_is_reported_and_the_others_go_on(rendered) -> None:
    assert [problem.song_id for problem in rendered.problems] == ["05_03"]
    assert rendered.problems[0].message.startswith("no stand-ins: ")
    assert any(line.startswith("05_03: no stand-ins") for line in rendered.lines())


def test_nothing_is_written_outside_the_song_folder(rendered) -> None:
    assert not list(rendered.root.rglob("escape.wav")) and not (rendered.root.parent / "escape.wav").exists()


def test_an_hour_offset_is_no_hour_of_audio_and_the_last_line_rings_for_three_seconds(rendered) -> None:
    info = soundfile.info(rendered.root / "01_09" / "odd_mix_name.wav")
    song = read_song(rendered.root / "01_09", rendered.root).song
    assert song is not None and info.channels == 2 and info.subtype == "PCM_16"
    assert song_length_ms(song) == song.lines[-1].start_ms + 3000 > song.end_ms
    assert info.frames == song_length_ms(song) * SAMPLE_RATE // 1000
    assert 27 < info.frames / SAMPLE_RATE < 31


def test_stems_are_mono_16_bit_as_long_as_the_mix_and_sum_to_it(rendered) -> None:
    folder = rendered.root / "01_09"
    mix = soundfile.read(folder / "odd_mix_name.wav")[0]
    total = np.zeros(mix.shape[0])
    for name in ("kick", "snare", "vox"):
        info = soundfile.info(folder / f"01_09_{name}.wav")
        assert (info.channels, info.subtype, info.samplerate) == (1, "PCM_16", SAMPLE_RATE)
        total += soundfile.read(folder / f"01_09_{name}.wav")[0]
    middle = mix.mean(1)
    gain = float(middle @ total / (total @ total))
    assert np.max(np.abs(middle - gain * total)) < 1.5 / 32768


def test_midi_has_tempo_meter_and_a_track_for_each_stem_of_a_group(rendered) -> None:
    folder = rendered.root / "01_09"
    assert sorted(path.name for path in folder.glob("*.mid")) == [
        "01_09_chimes.mid", "01_09_drums.mid", "01_09_vox.mid"]
    for path in folder.glob("*.mid"):
        score = symusic.Score(path)
        assert score.tempos[0].qpm == pytest.approx(143.9, rel=1e-5)
        assert sum(len(track.notes) for track in score.tracks) > 0
    head = {message.type: message for message in mido.MidiFile(folder / "01_09_drums.mid").tracks[0]}
    assert (head["time_signature"].numerator, head["time_signature"].denominator) == (18, 32)
    assert head["key_signature"].key == "Bbm"
    drums = symusic.Score(folder / "01_09_drums.mid")
    assert [track.name for track in drums.tracks if track.notes] == ["Kick", "Snare"]


def test_two_runs_give_the_same_bytes_whatever_else_is_rendered(source: Path, rendered, tmp_path: Path) -> None:
    alone = render_standins(source, tmp_path / "alone", ["01_09"])
    again = {name: digest for name, digest in tree(alone.root).items() if name.startswith("01_09/")}
    assert again == {name: digest for name, digest in tree(rendered.root).items() if name.startswith("01_09/")}


def test_songs_are_added_to_an_earlier_run(source: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    render_standins(source, tmp_path, ["01_09"], progress=lambda *args: seen.append(args))
    assert seen == [("stems", n + 1, 3) for n in range(3)]
    render_standins(source, tmp_path, ["08_01"])
    assert [folder.name for folder in song_folders(tmp_path)] == ["01_09", "08_01"]


def test_wrong_use_is_a_sentence(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no song 99_99; it has 01_09"):
        render_standins(source, tmp_path, ["99_99"])
    with pytest.raises(UsageError, match="is also the source"):
        render_standins(source, source)
    with pytest.raises(UsageError, match="does not exist"):
        render_standins(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(("text", "name"), [
    ("Kick Drum", "kick"), ("Synth Bass", "bass"), ("Drum machine", "drum machine"), ("Main vocals", "voice"),
    ("Corrupter Guitar", "guitar"), ("Farfisa Organ", "organ"), ("Hi-Hat", "hi-hat"), ("Cello", "strings"),
    ("Umlaut Pad", "pad"), ("Grandmother", "synth"), ("Vocoder", "voice"), ("Floor Tom", "toms"),
])
def test_words_choose_the_instrument(text: str, name: str) -> None:
    assert player(Track(1, text, "x.wav")).name == name


def test_the_file_or_the_group_speaks_where_the_description_does_not() -> None:
    assert player(Track(1, "Track 4", "07_01_bass.wav")).name == "bass"
    assert player(Track(1, "???", "a.wav", group="Drums")).name == "drum kit"


@pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the real manifests are not at hand")
def test_real_manifests_have_stretches_rests_and_notes() -> None:
    root, silent, stretches = SHARED / "corpus", 0, 0
    for folder in song_folders(root):
        song = read_song(folder, root).song
        assert song is not None
        paper = sheet(song, 7)
        assert 30_000 < paper.length_ms < 900_000
        assert [s.end_ms for s in paper.stretches][-1] == paper.length_ms and paper.stretches[0].start_ms == 0
        names = [f"{track.track_id}" for track in song.tracks]
        resting = rests(paper, names)
        for track, name in zip(song.tracks, names, strict=True):
            notes = play(paper, player(track), name, resting[name])
            assert all(0 <= note.pitch < 128 and 0 < note.velocity < 128 and note.length > 0 for note in notes)
            assert len(resting[name]) < len(paper.stretches)
        silent += sum(len(found) for found in resting.values())
        stretches += len(names) * len(paper.stretches)
    assert 0.33 < silent / stretches < 0.45
