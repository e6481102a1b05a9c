"""Semantic versions of the dataset, and the rules for the next version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rainbow_assets.errors import UsageError

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
    """One config of a version: its columns (name -> type as text) and its number of rows.

    ``meaning`` has the settings that define a row or a vector (the rules of slicing, the encoder's spec).
    """

    columns: Mapping[str, str]
    rows: int
    meaning: Mapping[str, str] = field(default_factory=dict)


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

    Removing a config or column, changing a column's type, or changing the meaning of rows (other rules of slicing,
    another encoder) breaks readers: major. A new config, column, row or rule: minor. Everything else (other values,
    fewer rows) is a correction: patch. Without a previous version: ``FIRST``.
    """
    if previous is None:
        return NextVersion(FIRST, "minor", ("there is no earlier version",))
    found: dict[str, list[str]] = {level: [] for level in LEVELS}
    for config in sorted({*before, *after}):
        old, new = before.get(config), after.get(config)
        if new is None:
            found["major"].append(f"the config {config} was removed")
        elif old is None:
            found["minor"].append(f"the config {config} is new")
        else:
            _compare(config, old, new, found)
    level = next((name for name in reversed(LEVELS) if found[name]), "patch")
    reasons = [sentence for name in reversed(LEVELS) for sentence in found[name]]
    return NextVersion(previous.next(level), level, tuple(reasons) or ("same columns and row counts, other content",))


def _compare(config: str, old: Shape, new: Shape, found: dict[str, list[str]]) -> None:
    for name in sorted({*old.columns, *new.columns}):
        was, now = old.columns.get(name), new.columns.get(name)
        if now is None:
            found["major"].append(f"{config}.{name} was removed")
        elif was is None:
            found["minor"].append(f"{config}.{name} is new")
        elif was != now:
            found["major"].append(f"{config}.{name} was {was} and is now {now}")
    for name in sorted({*old.meaning, *new.meaning}):
        if name not in old.meaning:
            found["minor"].append(f"{config} has a new rule: {name} = {new.meaning[name]}")
        elif name not in new.meaning:
            found["minor"].append(f"the rule {name} of {config} was removed; it was {old.meaning[name]}")
        elif old.meaning[name] != new.meaning[name]:
            found["major"].append(f"rows of {config} have another meaning: {name} was {old.meaning[name]} and is now "
                                  f"{new.meaning[name]}")
    if new.rows > old.rows:
        found["minor"].append(f"{config} has {new.rows - old.rows:,} more rows")
    elif new.rows < old.rows:
        found["patch"].append(f"{config} has {old.rows - new.rows:,} fewer rows")


def require_high_enough(wanted: Version, latest: Version, proposal: NextVersion) -> None:
    """Raise ``VersionTooLow`` if ``wanted`` is lower than the changes since ``latest`` require."""
    if wanted < proposal.version:
        raise VersionTooLow(
            f"{wanted.tag} is too low: after {latest.tag} these changes are a {proposal.level} step, so use "
            f"{proposal.version.tag} or more ({'; '.join(proposal.reasons[:3])})")
