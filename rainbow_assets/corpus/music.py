"""Keys of songs as their manifests write them."""

from __future__ import annotations

from rainbow_assets.corpus.model import SongKey
from rainbow_assets.music.keys import MODES, find_key


def parse_key(text: str) -> SongKey:
    """Read ``Bb minor``, ``F♯ Major``, ``C#min``, ``B-flat major``; what cannot be read has no tonic and no mode.

    A mode that is not written, or is neither major nor minor, is not guessed.
    """
    found = find_key(text)
    if found is None or found.rest or found.mode not in MODES:
        return SongKey(None, None, text)
    return SongKey(found.tonic, found.mode, text)
