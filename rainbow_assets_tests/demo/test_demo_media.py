"""The demo's audio and MIDI: formats, lengths, the mix, silence, and that sound and notes agree."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
import symusic

from rainbow_assets.demo.composer import compose, silent_sections
from rainbow_assets.demo.manifest import tracks
from rainbow_assets.demo.songs import plan_songs
from rainbow_assets.demo.write import DemoReport, write_demo
from rainbow_assets.music.clock import PPQ, SAMPLE_RATE
from rainbow_assets_tests.demo.conftest import SECONDS, tree

PLANS = plan_songs(2, 7, SECONDS)
ids = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.song_id)


def test_stems_are_mono_16_bit_but_for_a_few(demo: DemoReport) -> None:
    kinds: dict[tuple[int, str], int] = {}
    for plan in PLANS:
        for stem in tracks(plan):
            if stem.audio_file:
                info = soundfile.info(demo.root / plan.song_id / stem.audio_file)
                assert info.samplerate == SAMPLE_RATE and info.frames == plan.total_ms * SAMPLE_RATE // 1000
                kinds[info.channels, info.subtype] = kinds.get((info.channels, info.subtype), 0) + 1
    assert kinds[1, "PCM_16"] > 50 and kinds[2, "PCM_16"] >= 1 and kinds[1, "PCM_24"] >= 1


@ids
def test_the_mix_is_the_scaled_sum_of_the_stems(demo: DemoReport, plan) -> None:
    folder = demo.root / plan.song_id
    mix, rate = soundfile.read(folder / f"{plan.song_id}_main.wav")
    assert rate == SAMPLE_RATE and mix.shape == (plan.total_ms * SAMPLE_RATE // 1000, 2)
    total = np.zeros(mix.shape[0])
    for stem in tracks(plan):
        if stem.audio_file:
            sound, _ = soundfile.read(folder / stem.audio_file)
            total += sound if sound.ndim == 1 else sound.mean(1)
    middle = mix.mean(1)
    gain = float(middle @ total / (total @ total))
    assert 0.3 < gain <= 1.0001
    assert np.max(np.abs(middle - gain * total)) < 1.5 / 32768
    assert np.max(np.abs(mix)) <= 0.9001


@ids
def test_midi_has_the_true_tempo_meter_and_notes(demo: DemoReport, plan) -> None:
    music = compose(plan)
    for stem in tracks(plan):
        name = stem.midi_file or stem.midi_group_file
        if name is None:
            continue
        file = mido.MidiFile(demo.root / plan.song_id / name)
        assert file.type == 1 and file.ticks_per_beat == PPQ
        metas = {message.type: message for message in file.tracks[0]}
        assert metas["set_tempo"].tempo == plan.clock.tempo_us
        assert (metas["time_signature"].numerator, metas["time_signature"].denominator) == plan.clock.signature
        score = symusic.Score(demo.root / plan.song_id / name)
        assert score.ticks_per_quarter == PPQ and score.tempos[0].qpm == pytest.approx(plan.clock.bpm, rel=1e-5)
        part = next(track for track in score.tracks if track.name == stem.description)
        found = sorted((note.start, note.duration, note.pitch, note.velocity) for note in part.notes)
        assert found == sorted(tuple(note) for note in music[stem.role])
        assert score.end() <= plan.bars * plan.clock.bar_ticks


def test_split_drums_share_one_midi_file(demo: DemoReport) -> None:
    score = symusic.Score(demo.root / "02_01" / "02_01_drums.mid")
    assert [track.name for track in score.tracks if track.notes] == ["Kick", "Snare and Tambourine"]


@pytest.mark.parametrize("song", ["02_01", "03_02"])
def test_midi_onsets_line_up_with_the_audio(demo: DemoReport, song: str) -> None:
    sound, _ = soundfile.read(demo.root / song / f"{song}_kick.wav")
    score = symusic.Score(demo.root / song / f"{song}_drums.mid").to("second")
    onsets = [note.start for track in score.tracks if track.name == "Kick" for note in track.notes]
    loud = np.abs(sound) > 0.1 * np.abs(sound).max()
    window = round(0.15 * SAMPLE_RATE)
    # An attack is a loud sample after silence; each must stand at a note and each note must have one.
    places = np.flatnonzero(loud)
    attacks = places[np.diff(places, prepend=-window) >= window] / SAMPLE_RATE
    assert len(attacks) == len(onsets) > 4
    assert np.max(np.abs(attacks - np.sort(onsets))) < 0.020


@ids
def test_stems_rest_in_some_sections_and_something_always_plays(demo: DemoReport, plan) -> None:
    silent, folder = silent_sections(plan), demo.root / plan.song_id
    edges = [plan.clock.samples(s.start_bar * plan.clock.bar_ticks) for s in plan.sections]
    edges.append(plan.total_ms * SAMPLE_RATE // 1000)
    levels: dict[str, list[float]] = {}
    for stem in tracks(plan):
        if stem.audio_file:
            sound, _ = soundfile.read(folder / stem.audio_file, always_2d=True)
            mono = sound.mean(1)
            # The middle of the section, past what rings into it.
            levels[stem.role] = [10 * np.log10(np.mean(mono[(3 * a + b) // 4 : b] ** 2) + 1e-12)
                                 for a, b in pairwise(edges)]
            for number, level in enumerate(levels[stem.role]):
                assert (level < -60) == (number in silent[stem.role]), (stem.role, number, level)
    assert sum(bool(rests) for rests in silent.values()) >= 3
    for number in range(len(plan.sections)):
        assert max(found[number] for found in levels.values()) > -40


def test_the_same_bytes_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    write_demo(tmp_path / "a", 1, seconds=5)
    code = ("import sys; from pathlib import Path; from rainbow_assets.demo.write import write_demo; "
            "write_demo(Path(sys.argv[1]), 1, seconds=5)")
    environment = {"PYTHONHASHSEED": "123", "PYTHONPATH": ":".join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "b")], check=True, env=environment)
    first, second = tree(tmp_path / "a"), tree(tmp_path / "b")
    assert first == second and len(first) > 60


def test_another_seed_is_another_corpus(tmp_path: Path) -> None:
    first, second = plan_songs(2, 7, 20), plan_songs(2, 8, 20)
    assert all(compose(a) != compose(b) for a, b in zip(first, second, strict=True))


def test_the_default_corpus_is_small(demo: DemoReport) -> None:
    # 20 s songs instead of these 14 s: linear in time.
    assert sum(song.size for song in demo.songs) * 20 / SECONDS < 230e6
    assert [line for line in demo.lines() if "16 songs in 8 colors" in line]


def test_progress_counts_songs(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    write_demo(tmp_path / "out", 1, seconds=4, progress=lambda *args: seen.append(args))
    assert seen == [("songs", n + 1, 8) for n in range(8)]
