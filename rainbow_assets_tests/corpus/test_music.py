"""Keys and time signatures."""

import pytest

from rainbow_assets.corpus.music import parse_key, parse_signature


@pytest.mark.parametrize(("text", "tonic", "mode"), [
    ("A minor", "A", "minor"), ("Bb minor", "Bb", "minor"), ("F# minor", "F#", "minor"), ("C Major", "C", "major"),
    ("B♭ minor", "Bb", "minor"), ("F♯ Major", "F#", "major"), ("bb MINOR", "Bb", "minor"), ("C#min", "C#", "minor"),
    ("G maj", "G", "major"), ("  D   minor ", "D", "minor"), ("B-flat major", "Bb", "major"), ("F sharp minor", "F#", "minor"),
    ("Am", "A", "minor"), ("C#m", "C#", "minor"), ("B minor", "B", "minor"), ("b minor", "B", "minor"),
    ("E-minor", "E", "minor"), ("Eb major", "Eb", "major"), ("ab major", "Ab", "major"),
])
def test_keys_keep_their_accidentals(text: str, tonic: str, mode: str) -> None:
    key = parse_key(text)
    assert (key.tonic, key.mode, key.raw) == (tonic, mode, text)
    assert key.label == f"{tonic} {mode}"


@pytest.mark.parametrize("text", ["", "H minor", "minor", "A", "A dorian", "12", "A minorish", "Abb minor", "TK", "A/B minor"])
def test_no_key(text: str) -> None:
    assert parse_key(text).label is None and parse_key(text).raw == text


@pytest.mark.parametrize(("text", "value"), [
    ("4/4", (4, 4)), (" 7 / 8 ", (7, 8)), ("18/32", (18, 32)), ("0/4", None), ("4/0", None), ("4", None), ("a/b", None),
    ("", None), ("4/4/4", None), ("-4/4", None),
])
def test_signatures(text: str, value: tuple[int, int] | None) -> None:
    assert parse_signature(text) == value
