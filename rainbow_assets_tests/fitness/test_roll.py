"""Piano rolls: the true tempo map, nothing lost, nothing invented."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.fitness import piano_rolls, roll
from rainbow_assets_tests.fitness.music import midi

NOTES = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 80), st.integers(0, 127), st.integers(1, 127),
                           st.booleans()), min_size=1, max_size=40)


def made(rows: list[tuple[int, int, int, int, bool]]) -> roll.Notes:
    return np.unique(np.array([(start, start + length, pitch, velocity, drum)
                               for start, length, pitch, velocity, drum in rows], roll.NOTE))


@given(NOTES, st.integers(-12, 12))
def test_the_dense_roll_is_what_a_loop_over_the_notes_paints(rows: list[tuple[int, int, int, int, bool]], shift: int) -> None:
    wanted = np.zeros(roll.SHAPE, np.float32)
    first = roll.note_windows(made(rows))[0]
    for note in first:
        pitch = int(note["pitch"]) + (0 if note["drum"] else shift)
        if not 0 <= pitch < 128:
            continue
        value = np.float32(note["velocity"] * np.float32(1 / 127))
        start, end = int(note["start"]), int(note["end"])
        if note["drum"]:
            wanted[2, pitch, start] = max(wanted[2, pitch, start], value)
        else:
            wanted[0, pitch, start] = max(wanted[0, pitch, start], value)
            wanted[1, pitch, start:end] = np.maximum(wanted[1, pitch, start:end], value)
    first = roll.note_windows(made(rows))[0]
    assert np.allclose(roll.dense(first, shift), wanted, atol=1e-6)


@given(NOTES)
def test_windows_hold_every_step_of_every_note(rows: list[tuple[int, int, int, int, bool]]) -> None:
    notes = made(rows)
    held = sum(int((window["end"].astype(int) - window["start"]).sum()) for window in roll.note_windows(notes))
    assert held == int((notes["end"].astype(int) - notes["start"]).sum())
    assert all((window["end"] <= roll.STEPS).all() for window in roll.note_windows(notes))


@given(NOTES, st.integers(0, 2**32 - 1))
def test_a_stretch_that_fills_the_roll_is_the_windows_own_music(rows: list[tuple[int, int, int, int, bool]],
                                                                seed: int) -> None:
    window = roll.note_windows(made(rows))[0]
    part = roll.random_excerpt(window, np.random.Generator(np.random.PCG64(seed)))
    found = roll.filled(part)
    assert len(part) and part["end"].max() <= window["end"].max()
    assert (found["start"] < found["end"]).all() and found["end"].max() <= roll.STEPS
    assert set(found["pitch"].tolist()) <= set(window["pitch"].tolist())
    assert np.array_equal(roll.excerpt(found, 0, int(part["end"].max())), part)


def test_a_loop_is_the_same_music_again() -> None:
    two = made([(0, 2, 60, 90, False), (3, 1, 64, 90, False)])
    found = roll.dense(roll.loop(two, 4, 10))
    assert np.array_equal(found[:, :, 0:4], found[:, :, 4:8]) and np.array_equal(found[:, :, 0:2], found[:, :, 8:10])
    assert found[:, :, 10:].sum() == 0


@given(st.lists(st.one_of(st.none(), NOTES), min_size=1, max_size=6))
def test_notes_survive_the_table(rows: list[list[tuple[int, int, int, int, bool]] | None]) -> None:
    notes = [None if item is None else made(item) for item in rows]
    table = piano_rolls.table_of([(f"s{n}", "s", item) for n, item in enumerate(notes)])
    for wanted, found in zip(notes, piano_rolls.notes_of(table.column("notes")), strict=True):
        assert (found is None) == (wanted is None)
        assert wanted is None or np.array_equal(found, wanted)


def test_a_tempo_change_moves_what_comes_after_it_in_every_track() -> None:
    score, head, track = mido.MidiFile(type=1, ticks_per_beat=480), mido.MidiTrack(), mido.MidiTrack()
    score.tracks += [head, track]
    head += [mido.MetaMessage("set_tempo", tempo=1_000_000), mido.MetaMessage("set_tempo", tempo=500_000, time=960)]
    track += [mido.Message("note_on", note=60, velocity=64, time=1920), mido.Message("note_off", note=60, time=480)]
    out = io.BytesIO()
    score.save(file=out)
    notes = roll.read_notes(out.getvalue())
    # Two beats of a second, then two of half a second: 3.0 s to 3.5 s.
    assert (notes["start"][0], notes["end"][0]) == (25, 29)


def test_a_segment_of_30_seconds_fits_whole() -> None:
    notes = roll.read_notes(midi([(29.5, 30.0, 60, 90)]))
    assert roll.dense(notes)[1].sum() > 0 and roll.WINDOW_MS >= 30_000


def test_drums_are_apart() -> None:
    found = roll.dense(roll.read_notes(midi([(0, 0.1, 36, 100)], drums=True)))
    assert found[2, 36, 0] > 0.7 and found[:2].sum() == 0


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "unreadable_midi"), (b"RIFF1234WAVE", "unreadable_midi"), (midi([(0, 1, 60, 9)])[:20], "unreadable_midi"),
    (midi([]), "no_notes"), (midi([(0, 1, 60, 9), (9000, 9001, 60, 9)]), "too_long"),
])
def test_what_has_no_roll_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(roll.RollError) as caught:
        roll.read_notes(data, "song.mid")
    assert caught.value.reason == reason and "song.mid" in str(caught.value)


def test_a_damaged_file_keeps_the_notes_before_the_damage() -> None:
    notes = roll.read_notes(midi([(0, 1, 60, 9), (2, 3, 62, 9)])[:-9])
    assert notes["pitch"].tolist() == [60, 62]


def test_a_pedal_holds_notes_in_the_roll() -> None:
    score, track = mido.MidiFile(type=1, ticks_per_beat=480), mido.MidiTrack()
    score.tracks.append(track)
    track += [mido.Message("control_change", control=64, value=127), mido.Message("note_on", note=60, velocity=64),
              mido.Message("note_off", note=60, time=480), mido.Message("control_change", control=64, value=0, time=1440)]
    out = io.BytesIO()
    score.save(file=out)
    assert roll.read_notes(out.getvalue())["end"].tolist() == [17], "2 seconds"


def test_ten_minutes_are_twenty_windows() -> None:
    notes = roll.read_notes(midi([(second, second + 0.5, 60, 90) for second in range(600)]))
    assert len(roll.note_windows(notes)) == 20
