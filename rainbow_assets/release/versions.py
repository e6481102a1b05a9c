"""Semantic versions of the dataset, and the rules for the next version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from rainbow_assets.corpus.splits import TRAIN
from rainbow_assets.errors import UsageError
from rainbow_assets.release.song_records import SongRecord
from rainbow_assets.text import some

_PATTERN = re.compile(r"v?(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
LEVELS = ("patch", "minor", "major")


class BadVersion(UsageError):
    """A text that is not a version."""


class VersionTooLow(UsageError):
    """A version number that promises a smaller change than there is."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """``major.minor.patch``, compared by number (semver.org 2.0.0, without pre-releases and build metadata)."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """``v0.3.0``: the name of the version's folder or git tag."""
        return f"v{self}"

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read ``0.3.0`` or ``v0.3.0``; raise ``BadVersion``."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise BadVersion(f"{text!r} is not a version; write three numbers joined by dots, for example 0.3.0")
        return cls(*(int(group) for group in match.groups()))

    def next(self, level: str) -> Version:
        """Return the next ``major``, ``minor`` or ``patch`` version."""
        if level == "major":
            return Version(self.major + 1, 0, 0)
        if level == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)


FIRST = Version(0, 3, 0)
"""The first version of this program; the original's last published version is 0.2.0."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What readers of one config build on: its columns (name -> type as text), rows, classes, splits and songs.

    ``meaning`` has the settings that define a row or a vector (the rules of slicing, the encoder's spec), ``colors``
    the colors that have rows. Versions made before there were splits have no ``splits`` and no ``songs``.
    """

    columns: Mapping[str, str]
    rows: int
    meaning: Mapping[str, str] = field(default_factory=dict)
    colors: Set[str] = frozenset()
    splits: Set[str] = frozenset()
    songs: Mapping[str, SongRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NextVersion:
    """The proposed version, the level of the step, and the reasons for it."""

    version: Version
    level: str
    reasons: tuple[str, ...]


def propose(
    previous: Version | None, before: Mapping[str, Shape], after: Mapping[str, Shape]
) -> NextVersion:
    """Return the version that follows ``previous``; ``before`` and ``after`` map configs to shapes.

    What breaks readers is major: a config, column, color or split was removed, a column has another type, rows have
    another meaning (other rules of slicing, another encoder), or a song is in another split, so that a model may have
    learned from what tests it now. Minor: a config, column, color, rule, song, row or key is new, or songs or rows are
    gone. Everything else (other values) is a correction: patch. Without a previous version: ``FIRST``.
    """
    if previous is None:
        return NextVersion(FIRST, "minor", ("there is no earlier version",))
    found: dict[str, list[str]] = {level: [] for level in LEVELS}
    songs: dict[tuple[str, str], list[str]] = {}
    for config in sorted({*before, *after}):
        old, new = before.get(config), after.get(config)
        if new is None:
            found["major"].append(f"the config {config} was removed")
        elif old is None:
            found["minor"].append(f"the config {config} is new")
        else:
            for level, sentence in (*_columns(config, old, new), *_classes(config, old, new)):
                found[level].append(sentence)
            for change in _songs(old.songs, new.songs):
                songs.setdefault(change, []).append(config)
    # The same songs change in many configs, which one sentence names.
    for (level, sentence), configs in songs.items():
        found[level].append(f"{sentence} ({', '.join(configs)})")
    level = next((name for name in reversed(LEVELS) if found[name]), "patch")
    reasons = [sentence for name in reversed(LEVELS) for sentence in found[name]]
    return NextVersion(previous.next(level), level, tuple(reasons) or ("same columns and row counts, other content",))


def _columns(config: str, old: Shape, new: Shape) -> Iterator[tuple[str, str]]:
    for name in sorted({*old.columns, *new.columns}):
        was, now = old.columns.get(name), new.columns.get(name)
        if now is None:
            yield "major", f"{config}.{name} was removed"
        elif was is None:
            yield "minor", f"{config}.{name} is new"
        elif was != now:
            yield "major", f"{config}.{name} was {was} and is now {now}"
    for name in sorted({*old.meaning, *new.meaning}):
        if name not in old.meaning:
            yield "minor", f"{config} has a new rule: {name} = {new.meaning[name]}"
        elif name not in new.meaning:
            yield "minor", f"the rule {name} of {config} was removed; it was {old.meaning[name]}"
        elif old.meaning[name] != new.meaning[name]:
            yield "major", (f"rows of {config} have another meaning: {name} was {old.meaning[name]} and is now "
                            f"{new.meaning[name]}")


def _classes(config: str, old: Shape, new: Shape) -> Iterator[tuple[str, str]]:
    if gone := sorted(old.colors - new.colors):
        yield "major", f"{config} has no rows of {', '.join(gone)} any more"
    if added := sorted(new.colors - old.colors):
        yield "minor", f"{config} has rows of {', '.join(added)} for the first time"
    if gone := sorted(old.splits - new.splits):
        yield "major", f"{config} has no split {', '.join(gone)} any more"
    if added := sorted(new.splits - (old.splits or {TRAIN})):
        # Without records of songs, all rows were in train, so these songs have moved.
        yield "minor" if old.splits else "major", f"{config} has the split {', '.join(added)} for the first time"
    if new.rows != old.rows:
        more = "more" if new.rows > old.rows else "fewer"
        yield "minor", f"{config} has {abs(new.rows - old.rows):,} {more} rows"


def _songs(old: Mapping[str, SongRecord], new: Mapping[str, SongRecord]) -> Iterator[tuple[str, str]]:
    """Yield (level, sentence) for songs that moved, came or went, and for those that have other rows."""
    if not old or not new:  # a version without records of songs
        return
    kept = sorted(old.keys() & new.keys())
    moves: dict[tuple[str, str], list[str]] = {}
    for song in kept:
        moves.setdefault((old[song].split, new[song].split), []).append(song)
    for (was, now), songs in sorted(moves.items()):
        if was != now:
            yield "major", f"songs that were in {was} and are now in {now}: {some(songs)}"
    changes = {
        "songs that are gone": sorted(old.keys() - new.keys()), "new songs": sorted(new.keys() - old.keys()),
        "songs with fewer rows": [song for song in kept if new[song].rows < old[song].rows],
        "songs with new keys": [song for song in kept if new[song].rows >= old[song].rows
                                and new[song].keys != old[song].keys],
    }
    yield from (("minor", f"{what}: {some(songs)}") for what, songs in changes.items() if songs)


def require_high_enough(wanted: Version, latest: Version, proposal: NextVersion) -> None:
    """Raise ``VersionTooLow`` if ``wanted`` is lower than the changes since ``latest`` require."""
    if wanted < proposal.version:
        raise VersionTooLow(
            f"{wanted.tag} is too low: after {latest.tag} these changes are a {proposal.level} step, so use "
            f"{proposal.version.tag} or more ({'; '.join(proposal.reasons[:3])})")
