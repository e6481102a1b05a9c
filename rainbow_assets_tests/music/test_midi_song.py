"""Reading MIDI files: sound, bent and broken ones; and how fast windows are cut."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.music.midi_song import DEFAULT_TEMPO, FINE, MidiSong, UnreadableMidi
from rainbow_assets.music.midi_window import midi_digest, midi_window
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.segments.midi_files import BENT, BROKEN, NOTE, chunk, header, midi, off, on, tempo


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gives_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableMidi) as raised:
        MidiSong.load(data)
    said = str(raised.value)
    assert said.startswith("MIDI data") and len(said) > 30 and "Traceback" not in said


def test_there_are_enough_broken_files() -> None:
    assert len(BROKEN) >= 25


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
    assert MidiSong.load(BENT["running status"][0]).unclosed == 0


def test_files_are_named_without_their_folder(tmp_path: Path) -> None:
    bad = tmp_path / "drums.mid"
    with pytest.raises(UnreadableMidi, match=r"^drums\.mid cannot be opened: No such file"):
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


def test_smpte_says_the_frame_rate() -> None:
    with pytest.raises(UnreadableMidi, match="SMPTE frames \\(25 per second\\)"):
        MidiSong.load(BROKEN["SMPTE 25 fps"])


def test_tempos_of_all_tracks_make_one_map_and_the_last_at_a_tick_counts() -> None:
    song = MidiSong.load(midi([(480, tempo(60)), (480, tempo(90))], [(960, tempo(180))], ticks=960))
    assert song.tempos == ((0, DEFAULT_TEMPO), (480, 666_667), (960, 333_333))
    assert song.ms_at(960) == pytest.approx(250 + 333.3335)


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
