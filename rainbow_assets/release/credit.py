"""Who made the music of a version: its title, credit and license, and sentences on songs that a program wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rainbow_assets.corpus.overrides import ARTIST, DEMO, STAND_IN
from rainbow_assets.text import counted, some

Songs = Mapping[str, Sequence[str]]
"""Kind of music (``artist``, ``demo``, ``stand-in``) -> the ids of its songs."""
NAMED = 20
"""Number of songs that a sentence names."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Texts about a version: ``license`` is the Hub's name of it, or ``other`` with ``license_name``."""

    title: str
    author: str
    license: str
    license_name: str
    license_link: str


_ARTISTS = ("other", "collaborative-intelligence-license-v1.0",
            "https://github.com/brotherclone/white/blob/main/COLLABORATIVE_INTELLIGENCE_LICENSE.md")
MADE_BY = {
    ARTIST: Credit(
        "The Rainbow Table: songs, stems and segments of The Earthly Frames", "The Earthly Frames", *_ARTISTS),
    DEMO: Credit(
        "A demo of the Rainbow Table: songs that a program wrote", "rainbow_assets (a program)", "apache-2.0",
        "apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    STAND_IN: Credit(
        "The Rainbow Table with stand-in sounds: texts of The Earthly Frames, music that a program wrote",
        "The Earthly Frames (texts), rainbow_assets (sounds)", *_ARTISTS),
}
_HOW = {DEMO: "with their texts", STAND_IN: "for the artist's texts"}


def credit(songs: Songs) -> Credit:
    """Return the texts of a version: the artist's if any song is, else those of stand-ins, else the demo's.

    >>> credit({"demo": ["05_01"], "stand-in": ["01_06"]}) is MADE_BY["stand-in"], credit({}) is MADE_BY["artist"]
    (True, True)
    """
    return MADE_BY[next((kind for kind in (ARTIST, STAND_IN, DEMO) if songs.get(kind)), ARTIST)]


def notices(songs: Songs) -> list[str]:
    """Return a sentence on the songs of each kind that no artist made.

    >>> notices({"artist": ["01_01"], "demo": ["05_01"]})
    ['A program wrote the music of 1 of 2 songs, with their texts: 05_01.']
    """
    total = sum(len(ids) for ids in songs.values())
    return [f"A program wrote the music of {len(ids)} of {counted(total, 'song')}, {_HOW[kind]}"
            f"{'' if len(ids) == total else f': {some(sorted(ids), NAMED)}'}."
            for kind, ids in sorted(songs.items()) if kind != ARTIST and ids]
