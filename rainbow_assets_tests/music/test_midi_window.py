"""MIDI windows: what another reader hears in them, and when."""

import io
from itertools import pairwise

import mido
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.music.midi_song import MidiSong, UnreadableMidi
from rainbow_assets.music.midi_window import midi_digest, midi_window
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.segments.midi_files import midi, off, on, tempo

MM = mido.MetaMessage


def heard(data: bytes) -> list[tuple[float, float, int, int]]:
    """Read (start, end, pitch, velocity) in seconds with a reader that shares no code with ours."""
    return sorted((note.time, note.end, note.pitch, note.velocity)
                  for track in symusic.Score.from_midi(data).to("second").tracks for note in track.notes)


def window(data: bytes, start: int, end: int) -> bytes:
    found = midi_window(MidiSong.load(data), start, end)
    assert found is not None
    return found


def near(found: list[tuple[float, float, int, int]], wanted: list[tuple[float, float, int, int]]) -> None:
    assert [one[2:] for one in found] == [one[2:] for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one[:2] == pytest.approx(other[:2], abs=0.0012)


@pytest.mark.parametrize("bpm", [16, 87.11, 90, 120, 180, 222])
@pytest.mark.parametrize("kind", [0, 1])
def test_onsets_a_second_apart_stay_so_in_a_window_that_starts_later(bpm: float, kind: int) -> None:
    beat = 480 * bpm / 60
    notes = [event for n in range(12) for event in (
        (round(n * beat), on(60 + n)), (round((n + 0.5) * beat), off(60 + n)))]
    head = [(0, tempo(bpm))]
    data = midi(head + notes, kind=0) if kind == 0 else midi(head, notes)
    cut = window(data, 4000, 8000)
    near(heard(cut), [(n, n + 0.5, 64 + n, 64) for n in range(4)])
    assert mido.MidiFile(file=io.BytesIO(cut)).length == pytest.approx(4, abs=0.0035)


def test_tempo_changes_inside_a_window_and_before_it() -> None:
    # 0 s: 60 BPM for 4 beats; 4 s: 120 for 4 beats; 6 s: 240 for 8 beats, to 8 s.
    data = midi([(0, tempo(60)), (4 * 480, tempo(120)), (8 * 480, tempo(240))],
                [event for n in range(16) for event in ((n * 480, on(40 + n)), (n * 480 + 240, off(40 + n)))])
    near(heard(window(data, 3000, 7000)), [
        (0, 0.5, 43, 64), *((1 + n / 2, 1.25 + n / 2, 44 + n, 64) for n in range(4)),
        *((3 + n / 4, 3.125 + n / 4, 48 + n, 64) for n in range(4))])
    near(heard(window(data, 6500, 7000)), [(0, 0.125, 50, 64), (0.25, 0.375, 51, 64)])


def test_notes_across_the_borders_are_opened_and_closed() -> None:
    data = midi([(0, tempo(60)), (0, on(60)), (480, on(62)), (960, off(62)), (1440, on(64)), (2400, off(64)),
                 (4800, off(60))])
    near(heard(window(data, 500, 4000)), [(0, 3.5, 60, 64), (0.5, 1.5, 62, 64), (2.5, 3.5, 64, 64)])


def test_a_window_wholly_inside_a_note_holds_it() -> None:
    data = midi([(0, tempo(60)), (0, on(60)), (48000, off(60))])
    cut = window(data, 20_000, 50_000)
    near(heard(cut), [(0, 30, 60, 64)])
    assert mido.MidiFile(file=io.BytesIO(cut)).length == pytest.approx(30)


def test_a_window_in_which_nothing_sounds_is_none() -> None:
    song = MidiSong.load(midi([(0, tempo(60)), (480, on(60)), (960, off(60)), (1440, on(60)), (1920, off(60))]))
    assert midi_window(song, 0, 1000) is None
    assert midi_window(song, 2000, 3000) is None, "a note that ends as the window begins does not sound in it"
    assert midi_window(song, 90_000, 91_000) is None
    assert midi_digest(song, 0, 1000) is None
    assert midi_window(song, 1999, 3000, 50) is None and midi_window(song, 1999, 3000) is not None


def test_overlapping_notes_of_one_pitch_keep_their_lengths() -> None:
    data = midi([(0, tempo(60)), (0, on(60, 10)), (480, on(60, 20)), (960, off(60)), (1440, on(60, 30)),
                 (1920, off(60)), (2400, off(60))])
    near(heard(window(data, 500, 4500)), [
        (0, 1.5, 60, 10), (0.5, 3.5, 60, 20), (2.5, 4.0, 60, 30)])
    near(heard(window(data, 1500, 2500)), [(0, 0.5, 60, 10), (0, 1.0, 60, 20)])


def test_what_is_in_force_stands_at_the_start() -> None:
    message = mido.Message
    data = midi(
        [(0, tempo(60)), (0, MM("time_signature", numerator=6, denominator=8)), (0, MM("key_signature", key="Bbm")),
         (1920, MM("time_signature", numerator=5, denominator=4)), (5000, MM("key_signature", key="C"))],
        [(0, MM("track_name", name="Bass")), (0, message("program_change", program=33)),
         (0, message("control_change", control=7, value=90)), (480, message("control_change", control=7, value=70)),
         (480, message("pitchwheel", pitch=100)), (960, message("program_change", program=38)),
         (1000, on(40)), (2400, message("control_change", control=7, value=50)), (4000, off(40)),
         (4800, message("program_change", program=1))])
    file = mido.MidiFile(file=io.BytesIO(window(data, 4000, 9000)))
    conductor, bass = file.tracks
    assert [(m.type, m.time) for m in conductor] == [
        ("set_tempo", 0), ("key_signature", 0), ("time_signature", 0), ("end_of_track", 4800)]
    assert (conductor[1].key, conductor[2].numerator, conductor[2].denominator) == ("Bbm", 5, 4)
    assert [(m.type, m.time) for m in bass] == [
        ("track_name", 0), ("control_change", 0), ("pitchwheel", 0), ("program_change", 0), ("note_on", 0),
        ("control_change", 960), ("note_off", 3200), ("end_of_track", 640)]
    assert (bass[1].value, bass[2].pitch, bass[3].program, bass[5].value) == (70, 100, 38, 50)
    assert file.ticks_per_beat == 960


def test_a_program_that_changed_under_a_sounding_note_precedes_it_in_the_window() -> None:
    data = midi([(0, on(60)), (480, mido.Message("program_change", program=5)), (9600, off(60))])
    _, track = mido.MidiFile(file=io.BytesIO(window(data, 2000, 3000))).tracks
    assert [message.type for message in track] == ["program_change", "note_on", "note_off", "end_of_track"]


def test_state_is_kept_per_track_although_tracks_share_a_channel() -> None:
    program = lambda number: mido.Message("program_change", program=number)  # noqa: E731
    data = midi([(0, program(10)), (0, on(60)), (9600, off(60))], [(0, program(20)), (0, on(50)), (9600, off(50))])
    tracks = symusic.Score.from_midi(window(data, 2000, 3000)).tracks
    assert sorted((track.program, track.notes[0].pitch) for track in tracks) == [(10, 60), (20, 50)]


def test_type_2_with_one_tempo_map_is_read_and_with_several_refused() -> None:
    notes = [(0, on(60)), (480, off(60))]
    one = midi([(0, tempo(60)), *notes], notes, kind=2)
    near(heard(window(one, 0, 2000)), [(0, 1, 60, 64), (0, 1, 60, 64)])
    same = midi([(0, tempo(60)), *notes], [(0, tempo(60)), *notes], kind=2)
    assert MidiSong.load(same).tempos == MidiSong.load(one).tempos
    with pytest.raises(UnreadableMidi, match="share no timeline"):
        MidiSong.load(midi([(0, tempo(60)), *notes], [(0, tempo(90)), *notes], kind=2))


def test_zero_length_notes_sound_once() -> None:
    song = MidiSong.load(midi([(0, tempo(60)), (480, on(60)), (480, off(60))]))
    assert midi_window(song, 0, 1000) is None
    found = midi_window(song, 1000, 2000)
    assert found is not None and [note[:2] for note in heard(found)] == [(0, 0)]


def test_the_digest_is_of_the_events_and_not_of_their_place_or_form() -> None:
    bar = [(0, on(60)), (480, off(60))]
    song = MidiSong.load(midi([(0, tempo(60)), *bar, *((tick + 4800, message) for tick, message in bar)]))
    assert midi_window(song, 0, 2000) == midi_window(song, 10_000, 12_000)
    assert midi_digest(song, 0, 2000) == midi_digest(song, 10_000, 12_000)
    told = {midi_digest(song, 0, 2000), midi_digest(song, 0, 2001), midi_digest(song, 0, 900)}
    louder = MidiSong.load(midi([(0, tempo(60)), (0, on(60, 65)), (480, off(60))]))
    faster = MidiSong.load(midi([(0, tempo(61)), *bar]))
    assert len(told | {midi_digest(louder, 0, 2000), midi_digest(faster, 0, 2000)}) == 5


def test_a_tempo_too_fast_to_count_is_refused_with_a_sentence() -> None:
    song = MidiSong.load(midi([(0, MM("set_tempo", tempo=1)), (0, on(60)), (268_000_000, off(60))]))
    with pytest.raises(UnreadableMidi, match="more than a MIDI file can count"):
        midi_window(song, 0, 1000)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int, int, int, int]], list[tuple[int, float]], int]:
    """A file, its notes (on, off, channel, pitch, velocity) and tempos in ticks, and its ticks per beat."""
    ticks = draw(st.sampled_from([24, 96, 120, 384, 480, 960, 1000]))
    at = st.integers(0, 40 * ticks)
    notes = [(start, start + length, channel, pitch, velocity) for start, length, channel, pitch, velocity in draw(
        st.lists(st.tuples(at, st.integers(1, 12 * ticks), st.integers(0, 1), st.integers(58, 61), st.integers(1, 127)),
                 min_size=1, max_size=15))]
    tempos = sorted({0: draw(st.sampled_from([30, 90, 120, 180])), **dict(draw(
        st.lists(st.tuples(at, st.sampled_from([40, 60, 90, 143.9, 240])), max_size=4)))}.items())
    split = draw(st.booleans())
    meta = [(tick, 0, tempo(bpm)) for tick, bpm in tempos]
    events = [event for start, end, channel, pitch, velocity in notes for event in (
        (start, 2, on(pitch, velocity, channel)), (end, 1, off(pitch, channel)))]
    order = lambda event: event[:2]  # noqa: E731
    parts = [meta, sorted(events, key=order)] if split else [sorted(meta + events, key=order)]
    return midi(*([(tick, message) for tick, _, message in part] for part in parts), ticks=ticks,
                kind=1 if split else 0), notes, tempos, ticks


@settings(max_examples=examples(400), deadline=None)
@given(files(), st.integers(0, 30_000), st.integers(1, 30_000))
def test_a_window_sounds_like_the_whole_file_there(
    file: tuple[bytes, list[tuple[int, int, int, int, int]], list[tuple[int, float]], int], start: int, length: int
) -> None:
    data, _, tempos, ticks = file
    slowest = max(60 / min(bpm for _, bpm in tempos) / max(ticks, 960), 1e-4)
    begin, end = start / 1000, (start + length) / 1000
    whole = heard(data)
    clear = [(max(a, begin) - begin, min(b, end) - begin, pitch, velocity) for a, b, pitch, velocity in whole
             if min(b, end) - max(a, begin) > 2 * slowest]
    cut = midi_window(MidiSong.load(data), start, start + length)
    found = [] if cut is None else heard(cut)
    rest = list(found)
    for note in clear:
        match = min((other for other in rest if other[2:] == note[2:]),
                    key=lambda other: abs(other[0] - note[0]) + abs(other[1] - note[1]), default=None)
        assert match is not None, f"{note} is missing from {found}"
        assert abs(match[0] - note[0]) <= slowest and abs(match[1] - note[1]) <= slowest
        rest.remove(match)
    for a, b, pitch, _ in rest:
        assert b - a <= 3 * slowest, "what is left is at most a sliver at a border"
        assert any(one[2] == pitch for one in whole)
    if cut is not None:
        assert mido.MidiFile(file=io.BytesIO(cut)).length == pytest.approx(length / 1000, abs=slowest)
        assert cut == midi_window(MidiSong.load(data), start, start + length)
        again = MidiSong.load(cut)
        assert midi_window(again, 0, length + 1) is not None


@settings(max_examples=examples(150), deadline=None)
@given(files(), st.lists(st.integers(0, 60_000), min_size=2, max_size=6, unique=True))
def test_neighboring_windows_hold_each_moment_of_each_note_once(
    file: tuple[bytes, list[tuple[int, int, int, int, int]], list[tuple[int, float]], int], cuts: list[int]
) -> None:
    song = MidiSong.load(file[0])
    cuts.sort()
    held = 0
    for start, end in pairwise(cuts):
        data = midi_window(song, start, end)
        if data is not None:
            held += sum(note.off - note.on for note in MidiSong.load(data).notes)
    first, last = song.tick_at(cuts[0]), song.tick_at(cuts[-1])
    assert held == sum(max(0, min(note.off, last) - max(note.on, first)) for note in song.notes)


@settings(max_examples=examples(200), deadline=None)
@given(files(), st.integers(0, 100_000))
def test_times_and_ticks_convert_as_another_reader_does(
    file: tuple[bytes, list[tuple[int, int, int, int, int]], list[tuple[int, float]], int], at: int
) -> None:
    song = MidiSong.load(file[0])
    assert [song.ms_at(note.on) / 1000 for note in song.notes] == pytest.approx(
        sorted(note[0] for note in heard(file[0])), abs=1e-3)
    tick = song.tick_at(at)
    assert abs(song.ms_at(tick) - at) <= min(
        abs(song.ms_at(max(tick - 1, 0)) - at), abs(song.ms_at(tick + 1) - at)) + 1e-6
