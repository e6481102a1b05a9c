"""The changelog of the dataset. Each manifest copies the entries of the one before, so every card has all of them.

Entries are made from manifests, not from rows: nothing has to be downloaded to write them, and equal data gives equal
entries. They have no dates, so that a card that is rendered again has the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rainbow_assets.release.versions import NextVersion, Shape, Version


@dataclass(frozen=True, slots=True)
class ChangelogEntry:
    """One version: its level, the reasons for it, and {config: (rows before, rows now)} if the number changed."""

    version: Version
    level: str
    reasons: tuple[str, ...]
    rows: Mapping[str, tuple[int, int]]

    def document(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"version": str(self.version), "level": self.level, "reasons": list(self.reasons),
                "rows": {config: list(pair) for config, pair in sorted(self.rows.items())}}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ChangelogEntry:
        """Read what :meth:`document` returned; raise ValueError, KeyError or TypeError."""
        rows = {str(config): (int(before), int(now)) for config, (before, now) in document["rows"].items()}
        reasons = tuple(str(reason) for reason in document["reasons"])
        return cls(Version.parse(document["version"]), str(document["level"]), reasons, rows)


def renamed(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a sentence for each song that has another id in ``after``; both map songs to the digests of their files.

    A song is identified by the digests of its WAV files.
    """
    was, now = (({song: frozenset(sha for name, sha in files.items() if name.lower().endswith(".wav"))
                  for song, files in songs.items()}) for songs in (before, after))
    new = {sounds: song for song, sounds in now.items() if sounds and song not in was}
    return [f"song {song} is now {new[sounds]}, with the same audio files: its rows have new ids"
            for song, sounds in sorted(was.items()) if song not in now and sounds in new]


def next_entry(
    version: Version, proposal: NextVersion, before: Mapping[str, Shape], after: Mapping[str, Shape]
) -> ChangelogEntry:
    """Return the entry of ``version``, whose configs are ``after`` and whose predecessor's configs are ``before``."""
    rows = {}
    for config in sorted({*before, *after}):
        pair = (before[config].rows if config in before else 0, after[config].rows if config in after else 0)
        if pair[0] != pair[1]:
            rows[config] = pair
    return ChangelogEntry(version, proposal.level, proposal.reasons, rows)
