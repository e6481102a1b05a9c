"""Keys, chord names, functions, and the built-in pack: what music theory says, and transposition."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.harmony.theory import key_chords, read_roman, theory_pack
from rainbow_assets.music.chord_types import CHORD_TYPES, identify, parse_chord_name, pitch_mask
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.functions import DIATONIC, function_of, offset_of, parse_roman
from rainbow_assets.music.keys import Key, all_keys, key_of, parse_key
from rainbow_assets_tests.counts import examples


@pytest.mark.parametrize(("text", "tonic", "mode"), [
    ("A minor", "A", "minor"), ("Am", "A", "minor"), ("a MIN", "A", "minor"), ("F# Major", "F#", "major"),
    ("B♭", "Bb", "major"), ("C♯ minor", "C#", "minor"), ("BM", "B", "major"),
])
def test_keys_are_read_as_people_write_them(text: str, tonic: str, mode: str):
    assert parse_key(text) == Key(tonic, mode)


@pytest.mark.parametrize("text", ["H minor", "", "A dorian", "minor", "A minor minor"])
def test_what_is_no_key_is_reported(text: str):
    with pytest.raises(HarmonyUsageError, match="is not a key"):
        parse_key(text)


def test_a_mode_that_contradicts_the_key_is_reported():
    with pytest.raises(HarmonyUsageError, match="contradict"):
        parse_key("A minor", "Major")
    assert parse_key("A", "Minor") == Key("A", "minor")


@pytest.mark.parametrize(("name", "classes"), [
    ("Gm7-5", {7, 10, 1, 5}), ("Db13", {1, 5, 8, 11, 3, 6, 10}), ("C Maj", {0, 4, 7}), ("Cmaj7/E", {0, 4, 7, 11}),
    ("BmajAdd9;F#", {11, 3, 6, 1}), ("F#dim", {6, 9, 0}), ("C7(no5)", {0, 4, 10}), ("Am/G", {9, 0, 4, 7}),
])
def test_chord_names_give_their_notes(name: str, classes: set[int]):
    assert parse_chord_name(name).pitch_classes == classes


@pytest.mark.parametrize("chord_type", CHORD_TYPES, ids=lambda item: item.quality)
def test_every_type_is_read_by_its_own_name(chord_type):
    assert parse_chord_name(f"F#{chord_type.symbol}").type == chord_type


@given(st.sampled_from(CHORD_TYPES), st.integers(0, 11), st.lists(st.integers(-3, 3), min_size=9, max_size=9))
@settings(max_examples=examples(300))
def test_octaves_and_doublings_never_change_a_chord(chord_type, root, octaves):
    """The original tested intervals without reducing them: 95 % of bass-doubled voicings were 'unknown'."""
    close = [60 + root + step for step in chord_type.intervals]
    spread = [close[0] - 24, *(pitch + 12 * octave for pitch, octave in zip(close, octaves, strict=False))]
    assert identify(pitch_mask(spread), root) == (root, chord_type)


@pytest.mark.parametrize(("offset", "symbol", "mode", "function"), [
    (1, "", "major", "bII"), (10, "", "major", "bVII"), (10, "", "minor", "VII"), (9, "dim", "minor", "#vi"),
    (7, "", "minor", "V"), (7, "m", "minor", "v"), (2, "dim", "minor", "ii"), (7, "sus4", "major", "V"),
])
def test_functions_have_accidentals_and_cases(offset: int, symbol: str, mode: str, function: str):
    chord_type = next(item for item in CHORD_TYPES if item.symbol == symbol)
    assert function_of(offset, chord_type, mode) == function
    assert offset_of(function, mode) == offset


@pytest.mark.parametrize("text", ["", "viiii", "H", "ii V"])
def test_what_is_no_roman_is_reported(text: str):
    with pytest.raises(HarmonyUsageError):
        read_roman(text, "major")
    with pytest.raises(HarmonyUsageError, match="roman"):
        parse_roman("x")


def test_the_pack_is_large_and_complete():
    pack = theory_pack()
    assert len(pack.chords) >= 1500 and {chord.key for chord in pack.chords} == set(all_keys())
    assert len({chord.chord_id for chord in pack.chords}) == len(pack.chords)
    per_key = Counter(item.key for item in pack.progressions)
    assert set(per_key) == set(all_keys()) and all(count >= 48 for count in per_key.values())
    for key in all_keys():
        own = [chord for chord in pack.chords if chord.key == key]
        assert {chord.function for chord in own} >= set(DIATONIC[key.mode])
        assert {chord.category for chord in own} >= {"triad", "seventh", "ninth", "eleventh", "thirteenth", "borrowed"}


def test_every_chords_notes_are_its_names():
    for chord in theory_pack().chords:
        assert parse_chord_name(chord.name).pitch_classes == set(chord.pitch_classes), chord.chord_id
        assert all(28 <= pitch <= 96 for pitch in chord.voicing), chord.chord_id


def test_every_key_is_c_transposed():
    for mode in ("major", "minor"):
        home = key_chords(key_of(0, mode))
        for pc in range(12):
            there = key_chords(key_of(pc, mode))
            shift = pc if pc <= 5 else pc - 12
            assert [chord.roman for chord in there] == [chord.roman for chord in home]
            assert [chord.voicing for chord in there] == [
                tuple(pitch + shift for pitch in chord.voicing) for chord in home]


def test_a_minor_is_spelled_as_a_minor():
    names = {chord.roman: chord.name for chord in key_chords(Key("A", "minor"))}
    assert [names[roman] for roman in ("i", "ii°", "III", "iv", "v", "VI", "VII")] == [
        "Am", "Bdim", "C", "Dm", "Em", "F", "G"]
    assert names["V7"] == "E7" and names["bII"] == "Bb" and names["#vii°7"] == "G#dim7"
