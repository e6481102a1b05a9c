"""One parser of keys: every spelling that songs, threads and people use; ``test_as_it_was`` pins what each column holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import MAJOR_TONICS, MINOR_TONICS, Key, find_key, key_of, parse_key
from rainbow_assets_tests.counts import examples

MODES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian")
SIGNS = {"": "", "#": "#", "♯": "#", " sharp": "#", "-sharp": "#", "b": "b", "♭": "b", " ♭": "b", "-flat": "b", "♮": "",
         " natural": "", "##": "##", "𝄪": "##", " double flat": "bb", "♭♭": "bb"}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("mode", MODES)
def test_every_sign_with_every_mode(sign: str, mode: str):
    for letter in "ABCDEFGabcdefg":
        for text in (f"{letter}{sign} {mode}", f"  {letter}{sign}-{mode.upper()} ", f"{letter}{sign} {mode.title()}."):
            assert Key.parse(text) == Key(letter.upper() + SIGNS[sign], mode)


@pytest.mark.parametrize(("text", "label"), [
    ("Am", "A minor"), ("AM", "A major"), ("e m", "E minor"), ("C#min", "C# minor"), ("G maj", "G major"), ("D", "D major"),
    ("Cb major", "Cb major"), ("C ionian", "C major"), ("A aeolian", "A minor"), ("E\u00a0minor", "E minor"), ("bb", "Bb major"),
])
def test_short_forms(text: str, label: str):
    assert Key.parse(text).label == label


@pytest.mark.parametrize("text", [
    "", " ", "H minor", "Fx", "minor", "A minorish", "A minor minor", "A/B minor", "Amaj7", "A ll Keys", "C hromatic Complete",
    "C major (resolving)", "12", "C-dur", "TK",
])
def test_what_is_no_key_gets_a_sentence(text: str):
    with pytest.raises(HarmonyUsageError, match="is not a key; write a tonic and a mode"):
        Key.parse(text)


def test_a_mode_beside_the_text():
    assert Key.parse("A", "Minor") == Key.parse("A minor", "min") == Key("A", "minor")
    with pytest.raises(HarmonyUsageError, match="contradict"):
        Key.parse("A minor", "dorian")
    with pytest.raises(HarmonyUsageError, match="the mode 'blue' is unknown"):
        Key.parse("A", "blue")
    with pytest.raises(HarmonyUsageError, match="'A dorian' is not a key that chords are known of; .* 'A minor'"):
        parse_key("A", "dorian")


def test_usual_spellings_are_one_per_pitch_class():
    for mode in MODES:
        found = {Key(tonic, mode).usual for tonic in (*MAJOR_TONICS, *MINOR_TONICS, "Cb", "E#", "Fb", "B#", "A#", "Abb", "F##")}
        assert len(found) == 12 and all(key.usual == key for key in found)
    assert Key.parse("Gb major").usual.label == "F# major" and key_of(6, "major").label == "Gb major"


def test_signatures_with_flats_follow_the_relative_major():
    assert Key("F", "major").flat and not Key("G", "major").flat and not Key("F#", "minor").flat
    assert Key("D", "minor").flat and Key("G", "dorian").flat and not Key("A", "dorian").flat and Key("C", "mixolydian").flat
    assert Key("Bb", "lydian").flat and not Key("F", "lydian").flat and Key("E", "locrian").flat


@settings(max_examples=examples(300), deadline=None)
@given(st.text() | st.text(alphabet="ABbm#♭♯ -.dflatsharpMjoin", max_size=16))
def test_any_text_is_read_or_refused(text: str):
    find_key(text)
    try:
        assert Key.parse(Key.parse(text).label) == Key.parse(text)
    except HarmonyUsageError as error:
        assert "is not a key" in str(error)
