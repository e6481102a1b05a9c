"""Reading MIDI files: sound, bent and broken ones; and how fast windows are cut."""

from contextlib import suppress
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.music.midi_file import DEFAULT_TEMPO
from rainbow_assets.music.midi_song import FINE, MidiSong, UnreadableMidi
from rainbow_assets.music.midi_window import midi_digest, midi_window
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.segments.midi_files import (
    BENT,
    BROKEN,
    END,
    NOTE,
    REPAIRED,
    chunk,
    header,
    midi,
    off,
    on,
    tempo,
)


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gives_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableMidi) as raised:
        MidiSong.load(data)
    said = str(raised.value)
    assert said.startswith("MIDI data") and len(said) > 30 and "Traceback" not in said


@pytest.mark.parametrize("name", REPAIRED)
def test_a_bad_event_costs_itself_and_is_reported(name: str) -> None:
    data, notes, repair = REPAIRED[name]
    song = MidiSong.load(data)
    assert len(song.notes) == notes
    assert (repair in " ".join(song.repairs)) and bool(song.repairs) == bool(repair)


@pytest.mark.parametrize(("data", "notes"), BENT.values(), ids=BENT)
def test_a_bent_file_keeps_its_notes(data: bytes, notes: int) -> None:
    song = MidiSong.load(data)
    assert len(song.notes) == notes
    found = midi_window(song, 0, 5000)
    assert (found is None) == (notes == 0)
    assert found is None or len(MidiSong.load(found).notes) == notes


def test_a_note_that_never_ends_lasts_to_the_end_of_its_track_and_is_counted() -> None:
    song = MidiSong.load(BENT["note that never ends"][0])
    assert (song.unclosed, song.notes[0].off, song.end_tick) == (1, 960, 960)
    assert song.repairs == ("1 note without an end, kept to the end of the track",)
    assert MidiSong.load(BENT["running status"][0]).unclosed == 0


def test_files_are_named_without_their_folder(tmp_path: Path) -> None:
    bad = tmp_path / "drums.mid"
    with pytest.raises(UnreadableMidi, match=r"^drums\.mid does not exist"):
        MidiSong.load(bad)
    bad.write_bytes(b"junk")
    with pytest.raises(UnreadableMidi, match=r"^drums\.mid is not a MIDI file") as raised:
        MidiSong.load(bad)
    assert str(tmp_path) not in str(raised.value)
    bad.write_bytes(midi([(0, on(60)), (10, off(60))]))
    assert len(MidiSong.load(bad).notes) == 1


def test_an_erased_file_is_refused() -> None:
    with pytest.raises(UnreadableMidi, match="no MIDI data has"):
        MidiSong.load(header() + chunk(b"\xff" * 300_000))


@pytest.mark.parametrize(("frames", "seconds"), [(24, 1.0), (25, 1.0), (29, 1.001), (30, 1.0)])
def test_smpte_frames_are_time_whatever_the_tempo(frames: int, seconds: float) -> None:
    nominal = 30 if frames == 29 else frames
    body = b"\x00\xff\x51\x03\x01\x00\x00\x00\x90\x3c\x40" + bytes([0x80 | nominal * 40 >> 7, nominal * 40 & 127])
    song = MidiSong.load(header(division=(256 - frames) << 8 | 40) + chunk(body + b"\x80\x3c\x00" + END))
    assert song.ms_at(song.notes[0].off) == pytest.approx(1000 * seconds) and song.assumed_bpm is None
    with pytest.raises(UnreadableMidi, match="60 SMPTE frames"):
        MidiSong.load(header(division=(256 - 60) << 8 | 40) + chunk(NOTE + END))


def test_a_file_without_a_tempo_takes_the_one_that_it_is_given() -> None:
    plain = midi([(0, on(60)), (480, off(60))])
    assert MidiSong.load(plain, 90).ms_at(MidiSong.load(plain, 90).notes[0].off) == pytest.approx(666.667, abs=0.001)
    assert MidiSong.load(plain, 90).assumed_bpm == pytest.approx(90) and MidiSong.load(plain).length_ms == 500
    assert MidiSong.load(midi([(0, tempo(60)), (0, on(60)), (480, off(60))]), 90).assumed_bpm is None
    assert MidiSong.load(plain, 1e-9).tempos == ((0, 0xFFFFFF),), "the slowest tempo that a window can write"
    later = midi([(0, on(60)), (480, off(60)), (480, tempo(60)), (480, on(60)), (960, off(60))])
    assert MidiSong.load(later, 90).length_ms == pytest.approx(1666.667, abs=0.001)


def control(number: int, value: int, channel: int = 0) -> mido.Message:
    return mido.Message("control_change", control=number, value=value, channel=channel)


@pytest.mark.parametrize(("events", "ends"), [
    ([(0, control(64, 127)), (0, on(60)), (100, off(60)), (900, control(64, 0))], [900]),
    ([(0, control(64, 64)), (0, on(60)), (100, off(60)), (900, control(64, 63))], [900]),
    ([(0, control(64, 63)), (0, on(60)), (100, off(60)), (900, control(64, 0))], [100]),
    ([(0, control(64, 127)), (0, on(60)), (100, off(60)), (500, on(60)), (600, off(60)), (900, control(64, 0))], [500, 900]),
    ([(0, control(64, 127)), (0, on(60)), (100, off(60)), (900, on(62)), (950, off(62))], [1000, 1000]),
    ([(0, on(60)), (50, control(66, 127)), (60, on(62)), (100, off(60)), (110, off(62)), (900, control(66, 0))], [900, 110]),
    ([(0, control(64, 127)), (0, on(60)), (100, off(60)), (300, control(121, 0)), (900, control(64, 0))], [300]),
    ([(0, on(60)), (300, control(123, 0)), (900, off(60))], [300]),
    ([(0, control(64, 127, 1)), (0, on(60)), (100, off(60)), (900, control(64, 0, 1))], [100]),
])
def test_a_pedal_holds_notes_until_it_goes_up_or_the_key_is_struck_again(events: list, ends: list[int]) -> None:
    song = MidiSong.load(midi([*events, (1000, mido.MetaMessage("end_of_track"))], ticks=960))
    assert [note.off for note in song.notes] == ends
    assert not any(kind[1:] in ((0xB0, 64), (0xB0, 66)) for kind in song.changes), "pedals are in the notes"


def test_a_held_chord_sounds_in_every_window_and_no_window_leaves_a_pedal_down() -> None:
    chord = [(0, control(64, 127)), *((0, on(pitch)) for pitch in (48, 55, 64)), *((480, off(pitch)) for pitch in (48, 55, 64)),
             (10560, control(64, 0))]
    song = MidiSong.load(midi(chord))
    assert song.pedaled == 3
    for start in (0, 4000, 8000):
        data = midi_window(song, start, start + 4000)
        assert data is not None
        found = MidiSong.load(data)
        assert [round(found.ms_at(note.off)) for note in found.notes] == [min(11_000 - start, 4000)] * 3
        assert found.pedaled == 0 and not found.changes
    assert midi_window(song, 11_000, 12_000) is None


def test_slivers_of_notes_make_no_row_and_no_onset_and_no_note_is_lost() -> None:
    song = MidiSong.load(midi([(0, tempo(120)), (0, on(60)), (950, on(62)), (970, off(60)), (1900, off(62)),
                               (1910, on(64)), (1930, off(64))], ticks=480))
    first, second = (midi_window(song, start, start + 1000, 50) for start in (0, 1000))
    assert first is not None and [note.pitch for note in MidiSong.load(first).notes] == [60]
    assert second is not None and [note.pitch for note in MidiSong.load(second).notes] == [62, 64]
    assert midi_window(song, 2005, 3000, 50) is None, "5 ms of a note are left"
    assert midi_window(song, 2005, 3000) is not None
    only = MidiSong.load(midi([(0, tempo(120)), (1910, on(64)), (1930, off(64))]))
    assert midi_window(only, 1000, 2000, 50) is not None and midi_window(only, 2000, 3000, 50) is None, "half is in each"


@pytest.mark.parametrize(("bpm", "shortest"), [(60, 50), (120, 50), (180, 42), (240, 32)])
def test_a_sliver_is_shorter_than_the_minimum_or_a_thirty_second_note(bpm: float, shortest: int) -> None:
    long = MidiSong.load(midi([(0, tempo(bpm)), (0, on(60)), (48_000, off(60))]))
    end = round(long.length_ms)
    assert midi_window(long, end - shortest - 2, end + 1000, 50) is not None
    assert midi_window(long, end - shortest + 2, end + 1000, 50) is None


def test_tempos_of_all_tracks_make_one_map_and_the_last_at_a_tick_counts() -> None:
    song = MidiSong.load(midi([(480, tempo(60)), (480, tempo(90))], [(960, tempo(180))], ticks=960))
    assert song.tempos == ((0, DEFAULT_TEMPO), (480, 666_667), (960, 333_333))
    assert song.ms_at(960) == pytest.approx(250 + 333.3335)


@pytest.mark.parametrize("tracks", [(90, 120), (120, 90)])
def test_the_standard_tempo_of_one_track_does_not_outvote_the_tempo_of_another(tracks: tuple[float, ...]) -> None:
    song = MidiSong.load(midi(*([(0, tempo(bpm)), (0, on(60)), (480, off(60))] for bpm in tracks)))
    assert song.tempos == ((0, 666_667),) and song.assumed_bpm is None


@pytest.mark.parametrize("standard", [499_999, 500_001, 500_010])
def test_the_standard_tempo_is_one_however_it_was_rounded(standard: int) -> None:
    event = mido.MetaMessage("set_tempo", tempo=standard)
    song = MidiSong.load(midi([(0, event), (0, on(60)), (480, off(60))]), 90)
    assert song.assumed_bpm == pytest.approx(90) and song.tempos == ((0, 666_667),)


@pytest.mark.parametrize(("ticks", "scaled"), [(1, 960), (24, 960), (96, 960), (100, 1000), (480, 960), (960, 960),
                                               (1000, 1000), (32767, 32767)])
def test_coarse_files_are_counted_in_finer_ticks(ticks: int, scaled: int) -> None:
    song = MidiSong.load(midi([(0, on(60)), (3 * ticks, off(60))], ticks=ticks))
    assert song.ticks_per_beat == scaled >= FINE
    assert song.notes[0].off == 3 * scaled
    assert song.length_ms == 1500


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 3), st.integers(0, 0xFFFF), st.booleans())
def test_random_bytes_are_read_or_refused(body: bytes, kind: int, tracks: int, division: int, framed: bool) -> None:
    data = header(kind, tracks, division) + (chunk(body) * tracks if framed else body)
    with suppress(UnreadableMidi):  # Any other exception fails the test.
        song = MidiSong.load(data)
        midi_window(song, 0, 1000)
        midi_digest(song, 500, 30_000)


@settings(max_examples=examples(300), deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(midi([(0, tempo(90)), *[event for n in range(8) for event in (
        (n * 480, on(60 + n)), (n * 480 + 300, off(60 + n)))]], [(0, on(40)), (4000, off(40))]))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(0, len(good)))])
    for text in (bytes(good), cut):
        with suppress(UnreadableMidi):  # Any other exception fails the test.
            midi_window(MidiSong.load(text), 200, 3000)


def test_loading_does_not_depend_on_what_follows_the_tracks() -> None:
    plain = header() + chunk(NOTE)
    assert MidiSong.load(plain).notes == MidiSong.load(plain + b"more").notes
