"""The demo's manifests and lyrics, read back by the project's own reader."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from rainbow_assets.corpus.lint import lint_report
from rainbow_assets.corpus.reader import read_song
from rainbow_assets.demo.manifest import BREATH_MS, boundaries, lrc_text, manifest_text, stamp, tracks
from rainbow_assets.demo.songs import GRAIN_MS, plan_songs
from rainbow_assets.demo.write import OVERRIDES, DemoReport
from rainbow_assets_tests.demo.conftest import SECONDS

REQUIRED = {"bpm", "manifest_id", "tempo", "key", "rainbow_color", "title", "release_date", "album_sequence",
            "main_audio_file", "TRT", "vocals", "lyrics", "structure", "mood", "sounds_like", "genres", "concept",
            "audio_tracks"}
PLANS = plan_songs(2, 7, SECONDS)


def test_every_song_is_usable_and_nothing_is_an_error(demo: DemoReport) -> None:
    report = lint_report(demo.root)
    assert report.songs == 16 and not report.quarantined
    assert [a for a in report.anomalies if a.severity == "error"] == []
    # The oddities are those that the demo has on purpose, as the real albums do.
    kinds = {a.kind for a in report.anomalies}
    assert kinds <= {"timecode_frames", "timecode_ambiguous", "midi_only_track"}
    assert {"timecode_frames", "midi_only_track"} <= kinds


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.song_id)
def test_times_are_read_as_they_were_meant(demo: DemoReport, plan) -> None:
    song = read_song(demo.root / plan.song_id, demo.root).song
    assert song is not None
    grain = GRAIN_MS[plan.stamps]
    assert song.manifest_timecode.unit == plan.stamps
    assert song.total_ms == song.end_ms == plan.total_ms
    for section, (start, _) in zip(song.sections, boundaries(plan), strict=True):
        assert -grain - 1 <= section.start_ms - start <= 1
    assert song.sections[-1].end_ms == plan.total_ms
    assert len(song.lines) == len(plan.lyric_bars())
    for line, bar in zip(song.lines, plan.lyric_bars(), strict=True):
        assert abs(line.start_ms - plan.bar_ms(bar)) <= BREATH_MS + grain
        assert line.text


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.song_id)
def test_manifest_has_the_fields_and_types_of_the_real_ones(demo: DemoReport, plan) -> None:
    folder = demo.root / plan.song_id
    document = yaml.safe_load((folder / f"{plan.song_id}.yml").read_text("utf-8"))
    assert set(document) - {"lrc_file"} == REQUIRED
    assert document["manifest_id"] == plan.song_id and isinstance(document["release_date"], str)
    assert re.fullmatch(r"\[\d\d:\d\d\.\d{3}\]", document["TRT"])
    assert document["lyrics"] == ("lrc_file" in document) == (folder / f"{plan.song_id}.lrc").exists()
    song = read_song(folder, demo.root).song
    assert song is not None and song.key.label == plan.key and song.bpm == plan.clock.bpm
    assert song.time_signature == plan.clock.signature and song.rainbow_color == plan.color.name
    for track, made in zip(song.tracks, tracks(plan), strict=True):
        for name in (track.audio_file, track.midi_file, track.midi_group_file):
            assert name is None or (folder / name).is_file()
        assert (track.audio_file, track.midi) == (made.audio_file, made.midi_file or made.midi_group_file)


def test_the_corpus_has_the_shapes_that_the_real_one_has(demo: DemoReport) -> None:
    songs = [read_song(demo.root / plan.song_id, demo.root).song for plan in PLANS]
    usable = [song for song in songs if song]
    assert {song.time_signature for song in usable} == {(4, 4), (5, 4), (6, 8)}
    assert [song.song_id for song in usable if song.bpm != int(song.bpm)] == ["04_02"]
    assert {plan.stamps for plan in PLANS} == {"ms", "frames", "frames+subframe"}
    assert [song.song_id for song in usable if not song.lyrics] == ["01_02", "03_02", "05_02", "07_02"]
    assert sum(track.audio_file is None for song in usable for track in song.tracks) == 1
    assert all(4 <= sum(track.audio_file is not None for track in song.tracks) <= 5 for song in usable)
    grouped = [song for song in usable if any(track.midi_group_file for track in song.tracks)]
    assert {song.rainbow_color for song in grouped} == {"Red", "Orange"}


def test_eight_songs_per_color_differ_within_a_color_and_overlap_between_colors() -> None:
    plans = plan_songs(8, 7, SECONDS)
    assert len({plan.words.concept for plan in plans}) == len(plans) == 64
    assert len({plan.words.title for plan in plans}) >= 56
    assert all(68 <= len(plan.words.concept) <= 600 for plan in plans)
    by_color = {name: [p for p in plans if p.color.name == name] for name in {p.color.name for p in plans}}
    for songs in by_color.values():
        assert len({song.tonic for song in songs}) == 8
        assert len({song.clock.bpm for song in songs}) >= 6
    tonics = [tonic for songs in by_color.values() for tonic in {song.tonic for song in songs}]
    assert all(tonics.count(tonic) >= 2 for tonic in range(12))


@pytest.mark.parametrize("seconds", [8, 20, 40])
def test_stamps_of_eight_songs_per_color_are_read_in_their_unit(tmp_path: Path, seconds: float) -> None:
    (tmp_path / "corpus.toml").write_text(OVERRIDES)
    for plan in plan_songs(8, 7, seconds):
        folder = tmp_path / plan.song_id
        folder.mkdir()
        (folder / f"{plan.song_id}.yml").write_text(manifest_text(plan, tracks(plan)))
        if not plan.instrumental:
            (folder / f"{plan.song_id}.lrc").write_text(lrc_text(plan))
        song = read_song(folder, tmp_path).song
        assert song is not None and song.manifest_timecode.unit == plan.stamps and song.end_ms == plan.total_ms
        assert song.lyrics_timecode is None or song.lyrics_timecode.unit == plan.stamps


def test_a_song_does_not_depend_on_how_many_there_are() -> None:
    few, many = plan_songs(1, 7, SECONDS), {plan.song_id: plan for plan in plan_songs(8, 7, SECONDS)}
    assert all(many[plan.song_id] == plan for plan in few)


def test_stamps_hold_milliseconds_frames_or_frames_and_tenths() -> None:
    assert stamp(61_234, "ms") == "[01:01.234]"
    assert stamp(18_520, "frames") == "[00:18.013]"
    assert stamp(38_585, "frames+subframe") == "[00:38.145]"
    assert stamp(18_960, "frames", join=True) == "[00:18.025]"
    assert stamp(18_999, "ms", join=True) == "[00:19.000]"
    assert stamp(59_999.6, "ms") == "[01:00.000]"
