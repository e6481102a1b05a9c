"""Written MIDI re-parses to the same chords, whatever the tempo, the strum and the harmonic rhythm."""

from __future__ import annotations

import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.harmony.library import builtin_library
from rainbow_assets.harmony.midi_read import read_midi
from rainbow_assets.harmony.search import search
from rainbow_assets.harmony.theory import theory_pack
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import parse_key
from rainbow_assets.music.midi_write import Performance, midi_bytes
from rainbow_assets_tests.counts import examples

ALL = [chord.voicing for chord in theory_pack().chords]
performances = st.builds(
    Performance, bpm=st.floats(10, 400), strum_ms=st.integers(-500, 500), velocity=st.integers(1, 127),
    beats=st.lists(st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 7.25]), min_size=1, max_size=4).map(tuple))


def parsed(data: bytes) -> list[tuple[int, ...]]:
    read, anomalies = read_midi([("file.mid", data)])
    assert not anomalies and read[0] is not None
    return [hit.pitches for hit in read[0].hits]


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=16), performances)
@settings(max_examples=examples(200), deadline=None)
def test_chords_come_back_as_they_were(voicings, how):
    data = midi_bytes(voicings, how, "Am F C G")
    assert parsed(data) == voicings
    assert data == midi_bytes(voicings, how, "Am F C G"), "equal input, equal bytes"
    assert mido.MidiFile(file=io.BytesIO(data)).length == pytest.approx(
        sum(how.beats[n % len(how.beats)] for n in range(len(voicings))) * 60 / how.bpm, rel=1e-3)


def test_every_found_progression_comes_back():
    for key in ("A minor", "Gb major"):
        for item in search(builtin_library().pool(parse_key(key)), 8, top=20).found:
            voicings = [chord.voicing for chord in item.progression]
            assert parsed(midi_bytes(voicings, Performance(strum_ms=30, beats=(2.0, 2.0, 4.0)))) == voicings


def test_times_and_tempo_are_kept():
    read, _ = read_midi([("file.mid", midi_bytes([(48, 55), (50, 57)], Performance(bpm=120, beats=(1.0, 3.0))))])
    assert read[0] is not None and read[0].bpm == pytest.approx(120)
    assert [(read[0].milliseconds(hit.start), read[0].milliseconds(hit.end)) for hit in read[0].hits] == [
        (0, 500), (500, 2000)]


def test_a_strum_goes_up_or_down_and_never_eats_its_chord():
    def starts(strum: int) -> list[int]:
        track = mido.MidiFile(file=io.BytesIO(midi_bytes([(48, 55, 64)], Performance(bpm=60, strum_ms=strum)))).tracks[1]
        now, found = 0, {}
        for message in track:
            now += message.time
            if message.type == "note_on":
                found[message.note] = now
        return [found[pitch] for pitch in (48, 55, 64)]

    assert starts(0) == [0, 0, 0] and starts(100) == [0, 48, 96] and starts(-100) == [96, 48, 0]
    assert starts(10_000) == [0, 480, 960], "at most half of the chord of four beats"


@pytest.mark.parametrize("bad", [
    {"bpm": 0}, {"bpm": float("nan")}, {"beats": ()}, {"beats": (0.0,)}, {"beats": (float("nan"),)}, {"velocity": 0},
])
def test_what_cannot_be_played_is_reported(bad):
    with pytest.raises(HarmonyUsageError):
        Performance(**bad)
    with pytest.raises(HarmonyUsageError, match="transpose"):
        midi_bytes([(120, 130)])
