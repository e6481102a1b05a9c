"""`corpus.toml`: what a person decided, by album or by song: the time code, which songs to trust, whose music it is.

``[album."03"]`` and ``[song."03_09"]`` set ``unit``, ``fps`` and ``hour_offset`` for both files of a song;
``[song."03_09".manifest]`` and ``[song."03_09".lyrics]`` for one. The more specific table wins, field by field.
``trusted = true`` of a song or album says that a person has looked at what contradicts itself in it. ``music = "demo"``
or ``"stand-in"`` of a song, an album or the whole file says that no artist made the sounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from rainbow_assets.corpus.smpte import FRAMES, MS, SUBFRAMES
from rainbow_assets.door import TEXT_BYTES, RefusedFile, parse_toml, read_file
from rainbow_assets.errors import UsageError

FILE = "corpus.toml"
UNITS = (MS, FRAMES, SUBFRAMES)
RATES = {25: (25, False), 30: (30, False), 29.97: (30, True)}
"""Allowed value of ``fps`` -> (nominal frames per second, drop-frame)."""
FILES = ("manifest", "lyrics")
ARTIST, DEMO, STAND_IN = "artist", "demo", "stand-in"
"""Who made the music: an artist; a program, with its texts; or a program, for the texts of an artist."""
NAMES = {"album": re.compile(r"^\d{2}$"), "song": re.compile(r"^\d{2}_\d{2}$")}


@dataclass(frozen=True, slots=True)
class TimecodeOverride:
    """How to read one file's stamps; the evidence decides a value that is None. ``fps`` may be 29.97 (drop-frame)."""

    unit: str | None = None
    fps: float | None = None
    hour_offset: int | None = None

    def over(self, other: TimecodeOverride) -> TimecodeOverride:
        """Return ``self`` with its missing values taken from ``other``."""
        mine = {f.name: getattr(self, f.name) for f in fields(TimecodeOverride)}
        return TimecodeOverride(**{name: getattr(other, name) if value is None else value
                                   for name, value in mine.items()})


@dataclass(frozen=True, slots=True)
class SongOverride:
    """Overrides of a song's two files; ``trusted``: contradictions are reported, and do not stop the song.

    ``music`` is ``demo`` or ``stand-in`` if no artist made the sounds, else empty.
    """

    manifest: TimecodeOverride = TimecodeOverride()
    lyrics: TimecodeOverride = TimecodeOverride()
    trusted: bool = False
    music: str = ""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Overrides by album number (``03``) and by song (``03_09``), and the ``music`` of all other songs."""

    albums: Mapping[str, SongOverride] = field(default_factory=dict)
    songs: Mapping[str, SongOverride] = field(default_factory=dict)
    music: str = ""

    def of(self, song: str) -> SongOverride:
        """Return the overrides of ``song``: its own entries, then its album's."""
        own, album = self.songs.get(song, SongOverride()), self.albums.get(song[:2], SongOverride())
        return SongOverride(own.manifest.over(album.manifest), own.lyrics.over(album.lyrics),
                            own.trusted or album.trusted, own.music or album.music or self.music)


def load_overrides(root: Path) -> Overrides:
    """Return the content of ``corpus.toml`` in the corpus root; raise ``UsageError`` if it is not valid."""
    return parse_overrides(overrides_text(root))


def overrides_text(root: Path) -> str:
    """Return the text of ``corpus.toml``, empty if there is none; raise ``UsageError``."""
    try:
        return read_file(root / FILE, TEXT_BYTES).decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{FILE} is not valid TOML: {error}") from None
    except RefusedFile as error:
        raise UsageError(f"{FILE}: {error}") from None


@lru_cache(maxsize=8)
def parse_overrides(text: str) -> Overrides:
    """Return what ``text``, the content of ``corpus.toml``, says; raise ``UsageError`` if it is not valid."""
    try:
        document = parse_toml(text)
    except RefusedFile as error:
        raise UsageError(f"{FILE}: {error}") from None
    unknown = sorted(set(document) - {*NAMES, "music"})
    if unknown:
        raise UsageError(f"{FILE}: [{unknown[0]}] is not known; write [album.\"03\"] or [song.\"03_09\"]")
    albums, songs = (_entries(kind, document.get(kind, {})) for kind in NAMES)
    return Overrides(albums, songs, _music("the file", document))


def _entries(kind: str, table: Any) -> dict[str, SongOverride]:
    found = {}
    for name, entry in (table if isinstance(table, dict) else {"?": table}).items():
        place = f"[{kind}.\"{name}\"]"
        if not NAMES[kind].match(name) or not isinstance(entry, dict):
            raise UsageError(f"{FILE}: {place} is not known; write [album.\"03\"] or [song.\"03_09\"] and unit, fps, "
                             "hour_offset, trusted or music below it")
        trusted = entry.get("trusted", False)
        if not isinstance(trusted, bool):
            raise UsageError(f"{FILE}: trusted of {place} is {trusted!r}; write true or false")
        both = _override(place, {key: value for key, value in entry.items() if key not in (*FILES, "trusted", "music")})
        manifest, lyrics = (_override(f"{place} {file}", entry.get(file, {})).over(both) for file in FILES)
        found[name] = SongOverride(manifest, lyrics, trusted, _music(place, entry))
    return found


def _music(place: str, entry: Mapping[str, Any]) -> str:
    found = entry.get("music", "")
    if found not in ("", DEMO, STAND_IN):
        raise UsageError(f'{FILE}: music of {place} is {found!r}; write "{DEMO}" or "{STAND_IN}", or remove it if an '
                         "artist made it")
    return found


def _override(place: str, entry: Any) -> TimecodeOverride:
    if not isinstance(entry, dict) or set(entry) - {"unit", "fps", "hour_offset"}:
        raise UsageError(f"{FILE}: {place} must be a table with no keys but unit, fps, hour_offset, trusted, music, "
                         "manifest and lyrics")
    unit, fps, hours = entry.get("unit"), entry.get("fps"), entry.get("hour_offset")
    if unit is not None and unit not in UNITS:
        raise UsageError(f"{FILE}: unit of {place} is {unit!r}; write one of {', '.join(UNITS)}")
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, (int, float)) or fps not in RATES):
        raise UsageError(f"{FILE}: fps of {place} is {fps!r}; write 25, 30 or 29.97")
    if hours is not None and (isinstance(hours, bool) or not isinstance(hours, int) or not 0 <= hours <= 23):
        raise UsageError(f"{FILE}: hour_offset of {place} is {hours!r}; write a whole number of hours, 0 to 23")
    return TimecodeOverride(unit, fps, hours)
