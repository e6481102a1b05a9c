"""MIDI in segments: tempo, pedal, slivers and damaged events, from the file to the row and its window."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import pyarrow as pa
import pytest

from rainbow_assets.music.midi_song import MidiSong
from rainbow_assets.segments import table
from rainbow_assets.segments.segment_media import encode
from rainbow_assets.segments.segments import measure
from rainbow_assets.segments.settings import MidiRules
from rainbow_assets.segments.slicing import Slice, SlicePlan
from rainbow_assets.segments.song_rows import SongRows, StemSource
from rainbow_assets.settings import Rules
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets_tests.segments.midi_files import END, NOTE, chunk, header, midi, off, on, tempo

RULES = Rules()


def cut(root: Path, data: bytes, ends: list[int], bpm: float = 120, rules: Rules = RULES) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the rows and the reasons of a stem that has only MIDI, in slices that end at ``ends`` (ms)."""
    (root / "05_22").mkdir(exist_ok=True)
    (root / "05_22" / "stem.mid").write_bytes(data)
    slices = [Slice(start, end, start, end, "structure", "", None, None) for start, end in zip([0, *ends], ends, strict=False)]
    source = StemSource(1, "Piano", None, None, None, None, "stem.mid", sha256_bytes(data))
    song = SongRows("05_22", "Green", bpm, ends[-1], (source,), SlicePlan(tuple(slices), (), 100.0))
    rows, lost = measure(root, song, source, slices, rules)
    dropped = {key: reason for key, (reason, _) in lost.items()}
    return pa.Table.from_pylist(rows, schema=table.SCHEMA).to_pylist(), dropped


def heard(root: Path, rows: list[dict[str, Any]], rules: Rules = RULES) -> list[list[tuple[int, int, int]]]:
    """Return (start ms, end ms, pitch) of the notes of each row's stored window."""
    with ThreadPoolExecutor(1) as pool:
        stored = encode(root, rules, rows, pool).to_pylist()
    songs = [MidiSong.load(row["midi_binary"]) for row in stored]
    return [[(round(song.ms_at(note.on)), round(song.ms_at(note.off)), note.pitch) for note in song.notes] for song in songs]


def test_a_file_without_a_tempo_plays_at_the_bpm_of_the_manifest(tmp_path: Path) -> None:
    beats = midi([event for beat in range(32) for event in ((480 * beat, on(48 + beat)), (480 * beat + 240, off(48 + beat)))])
    rows, dropped = cut(tmp_path, beats, [10_667, 21_333], bpm=90)
    assert not dropped and [row["midi_default_bpm"] for row in rows] == pytest.approx([90, 90], abs=1e-4)
    found = heard(tmp_path, rows)
    assert [len(notes) for notes in found] == [16, 16]
    assert [note[0] for note in found[0] + [(start + 10_667, 0, 0) for start, _, _ in found[1]]] == pytest.approx(
        [beat * 60_000 / 90 for beat in range(32)], abs=2)


def test_a_tempo_in_the_file_is_used_whatever_the_manifest_has(tmp_path: Path) -> None:
    rows, _ = cut(tmp_path, midi([(0, tempo(60)), (0, on(60)), (480, off(60))]), [4000], bpm=90)
    assert rows[0]["midi_default_bpm"] is None and heard(tmp_path, rows) == [[(0, 1000, 60)]]
    other, _ = cut(tmp_path, midi([(0, tempo(60)), (0, on(60)), (480, off(60))]), [4000], bpm=180)
    assert rows == other, "an edited bpm changes only the rows of files without a tempo"


def test_a_chord_that_the_pedal_holds_sounds_in_every_slice(tmp_path: Path) -> None:
    chord = (48, 55, 64)
    data = midi([(0, tempo(120))], [(0, mido.Message("control_change", control=64, value=127)), *((0, on(p)) for p in chord),
                                    *((480, off(p)) for p in chord), (10_560, mido.Message("control_change", control=64, value=0))])
    rows, dropped = cut(tmp_path, data, [4000, 8000, 12_000])
    assert not dropped and [row["content_type"] for row in rows] == ["midi_only"] * 3
    assert heard(tmp_path, rows) == [[(0, end, p) for p in chord] for end in (4000, 4000, 3000)]
    assert [row["midi_remarks"] for row in rows] == [None] * 3


def test_a_key_signature_of_128_flats_costs_itself_and_is_in_the_row(tmp_path: Path) -> None:
    notes = b"".join(b"\x00\x90%c\x5a\x83\x60\x80%c\x40" % (48 + beat % 12, 48 + beat % 12) for beat in range(24))
    data = header(tracks=2) + chunk(b"\x00\xff\x51\x03\x07\xa1\x20\x00\xff\x59\x02\x80\x00" + END) + chunk(notes + END)
    rows, dropped = cut(tmp_path, data, [4000, 8000, 12_000])
    assert not dropped and sum(map(len, heard(tmp_path, rows))) == 24
    assert {row["midi_remarks"] for row in rows} == {"track 0: a key signature of 128 flats, mode 0"}


def test_the_end_of_a_note_that_is_a_sliver_makes_no_row_unless_the_setting_is_0(tmp_path: Path) -> None:
    late = midi([(0, tempo(120)), (0, on(60)), (3872, off(60)), (7680, on(62)), (7720, off(62))])
    rows, dropped = cut(tmp_path, late, [4000, 8000, 12_000])
    assert dropped == {"05_22_t01_0004000": "no_notes"} and heard(tmp_path, rows) == [[(0, 4000, 60)], [(0, 42, 62)]]
    every = replace(RULES, midi=MidiRules(sliver_ms=0))
    rows, dropped = cut(tmp_path, late, [4000, 8000, 12_000], rules=every)
    assert not dropped and heard(tmp_path, rows, every)[1] == [(0, 33, 60)]


def test_a_file_that_cannot_be_read_keeps_its_reason(tmp_path: Path) -> None:
    rows, dropped = cut(tmp_path, b"no MIDI", [4000])
    assert not rows and dropped == {"05_22_t01_0000000": "unreadable_midi"}


def test_a_row_keeps_a_bounded_number_of_remarks(tmp_path: Path) -> None:
    rows, _ = cut(tmp_path, header(tracks=40) + chunk(b"\x00\xf8" + NOTE + END) * 40, [4000])
    assert rows[0]["midi_remarks"].endswith("track 11: an event that belongs on a cable, not in a file (status F8) and 28 more")
