"""Keys of songs."""

import pytest

from rainbow_assets.corpus.music import parse_key


@pytest.mark.parametrize(("text", "tonic", "mode"), [
    ("A minor", "A", "minor"), ("Bb minor", "Bb", "minor"), ("F# minor", "F#", "minor"), ("C Major", "C", "major"),
    ("B♭ minor", "Bb", "minor"), ("F♯ Major", "F#", "major"), ("bb MINOR", "Bb", "minor"), ("C#min", "C#", "minor"),
    ("G maj", "G", "major"), ("  D   minor ", "D", "minor"), ("B-flat major", "Bb", "major"), ("F sharp minor", "F#", "minor"),
    ("Am", "A", "minor"), ("C#m", "C#", "minor"), ("B minor", "B", "minor"), ("b minor", "B", "minor"),
    ("E-minor", "E", "minor"), ("Eb major", "Eb", "major"), ("ab major", "Ab", "major"), ("Abb minor", "Abb", "minor"),
])
def test_keys_keep_their_accidentals(text: str, tonic: str, mode: str) -> None:
    key = parse_key(text)
    assert (key.tonic, key.mode, key.raw) == (tonic, mode, text)
    assert key.label == f"{tonic} {mode}"


@pytest.mark.parametrize("text", ["", "H minor", "minor", "A", "A dorian", "12", "A minorish", "TK", "A/B minor"])
def test_no_key(text: str) -> None:
    assert parse_key(text).label is None and parse_key(text).raw == text
