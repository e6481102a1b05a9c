"""Read the key, mode, category, function, chord name, romans and mood tags of a pack's file from its path.

Two layouts are supported: the original one (``01 - C Major - A Minor/1 Triads/01 - C Major/I - C Maj.mid``) and that of
free-midi-chords (``01 - C Major - A minor/1 Triad/Major/I - C.mid``, ``.../4 Progression/Modal/C - I V - Sad.mid``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rainbow_assets.music.keys import Key, parse_key

_PAIR = re.compile(r"\d+ - ([A-G][b#]?) major - ([A-G][b#]?) minor", re.IGNORECASE)
_ONE_KEY = re.compile(r"\d+ - ([A-G][b#]?) (major|minor)", re.IGNORECASE)
_CATEGORIES = (("progression", "progression"), ("triad", "triad"), ("borrowed", "borrowed"), ("modal", "borrowed"),
               ("extended", "extended"), ("7th", "extended"), ("all chords", "all"))
_FUNCTION = r"[b#♭♯]?[ivIV]+(?:sus\d?)?"
_CHORD_FILE = re.compile(rf"({_FUNCTION})(?:-({_FUNCTION}))? - (.+)")
_MOOD_FILE = re.compile(r"([A-G][b#]?) - (.*?)(?: - ?(.*))?")
_NAMED_PROGRESSION = re.compile(r"(.*?)\s*\((.+)\)")


@dataclass(frozen=True, slots=True)
class ChordPath:
    """A file with one chord: the keys that the chord belongs to, each with its function, and the declared name."""

    placements: tuple[tuple[Key, str], ...]
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class ProgressionPath:
    """A file with a progression. The chords of a ``modal`` one decide whether it is major or minor.

    ``romans`` count from the major scale if ``modal``, else from the key's own scale.
    """

    key: Key
    modal: bool
    name: str
    romans: tuple[str, ...]
    moods: tuple[str, ...]
    category: str
    style: str


@dataclass(frozen=True, slots=True)
class NotAChord:
    """A file without a usable chord or progression: the kind of its anomaly and the message."""

    kind: str
    message: str


def is_key_folder(name: str) -> bool:
    """Return True if ``name`` is a folder for a pair of keys, at the top of a pack."""
    return _PAIR.fullmatch(name.strip()) is not None


@lru_cache(maxsize=1024)
def _folder(folders: tuple[str, ...]) -> tuple[Key, Key, str, str | None] | None:
    """Return (major key, minor key, category, mode or ``modal``) from the folders of a file, or None."""
    pair = next((found for part in folders if (found := _PAIR.fullmatch(part.strip()))), None)
    if pair is None:
        return None
    category, mode = None, None
    for part in folders[folders.index(pair.string.strip()) + 1 if pair.string.strip() in folders else 1 :]:
        low = part.lower()
        one = _ONE_KEY.fullmatch(part.strip())
        if one:
            mode = one.group(2).lower()
        elif category == "progression" and low.startswith(("major", "minor", "modal")):
            mode = low[:5]
        elif low in ("major", "minor"):
            mode = low
        elif category is None:
            category = next((name for word, name in _CATEGORIES if word in low), None)
    if category is None:
        return None
    return parse_key(pair.group(1), "major"), parse_key(pair.group(2), "minor"), category, mode


def read_path(path: str) -> ChordPath | ProgressionPath | NotAChord:
    """Return the facts about a file in its ``path`` (relative, with ``/``)."""
    *folders, file = path.split("/")
    stem = file.rsplit(".", 1)[0]
    labels = _folder(tuple(folders))
    if labels is None:
        return NotAChord("outside_layout", "the file is not in a folder '<NN> - <Key> Major - <Key> minor/<category>'")
    major, minor, category, mode = labels
    if re.match(r"all\b", stem, re.IGNORECASE):
        return NotAChord("cluster_file", "the file contains many chords")
    if category == "progression":
        return _progression(stem, major, minor, mode, tuple(folders))
    found = _CHORD_FILE.fullmatch(stem)
    if found is None:
        return NotAChord("unparsed_name", f"the name {stem!r} is not '<function> - <chord>'")
    function, other, name = found.groups()
    if other:  # one file for both keys of the pair, for example 'vi-i - Am9'
        return ChordPath(((major, function), (minor, other)), name, category)
    if mode in ("major", "minor"):
        return ChordPath(((major if mode == "major" else minor, function),), name, category)
    return NotAChord("unparsed_name", "neither the folder nor the name has the mode, major or minor")


def _progression(
    stem: str, major: Key, minor: Key, mode: str | None, folders: tuple[str, ...]
) -> ProgressionPath | NotAChord:
    style = next((part.removesuffix(" style") for part in folders if part.endswith(" style")), "plain")
    moods = _MOOD_FILE.fullmatch(stem)
    if moods:  # free-midi-chords: the tonic is in the name
        tonic, romans, tags = moods.groups()
        if not romans.split():
            return NotAChord("unparsed_name", f"the name {stem!r} has no romans")
        key = parse_key(tonic, "minor" if mode == "minor" else "major")
        return ProgressionPath(key, mode == "modal", stem, tuple(romans.split()), tuple((tags or "").split()),
                               mode or "major", style)
    named = _NAMED_PROGRESSION.fullmatch(stem)
    if named is None or mode is None or mode not in ("major", "minor"):
        return NotAChord("unparsed_name", f"the name {stem!r} is not '<name> (<roman>-<roman>-...)' in a folder "
                                          "'Major Progressions' or 'Minor Progressions'")
    group = next((part.lstrip("0123456789 ") for part in folders if "Diatonic" in part or "Advanced" in part), mode)
    romans = tuple(part for part in re.split(r"[-–\s]+", named.group(2)) if part)
    return ProgressionPath(major if mode == "major" else minor, False, stem, romans, (), group, style)
