"""Versions and the rule that proposes the next one."""

from __future__ import annotations

import pytest

from rainbow_assets.release.changelog import ChangelogEntry, next_entry
from rainbow_assets.release.song_records import SongRecord
from rainbow_assets.release.versions import (
    FIRST,
    BadVersion,
    Shape,
    Version,
    VersionTooLow,
    propose,
    require_high_enough,
)

RULES = {"slices.snap_ms": "40"}
BASE = {"preview": Shape({"segment_id": "string", "bpm": "float"}, 160), "base": Shape({"id": "string"}, 10, RULES)}
NOW = Version(0, 3, 0)


def test_versions_are_read_and_compared_by_number() -> None:
    assert Version.parse("v0.10.0") > Version.parse("0.9.12")
    assert str(Version.parse(" 0.3.0 ")) == "0.3.0" and Version.parse("0.3.0").tag == "v0.3.0"


@pytest.mark.parametrize("text", ["", "1", "0.3", "0.3.0-rc1", "0.3.00", "01.2.3", "latest", "0.3.0/..", "v1.2.x"])
def test_other_texts_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadVersion, match="write three numbers"):
        Version.parse(text)


@pytest.mark.parametrize(("after", "version", "said"), [
    (BASE, Version(0, 3, 1), "same columns"),
    ({**BASE, "base": Shape({"id": "string"}, 9, RULES)}, Version(0, 4, 0), "1 fewer rows"),
    ({**BASE, "base": Shape({"id": "string"}, 11, RULES)}, Version(0, 4, 0), "1 more rows"),
    ({**BASE, "base": Shape({"id": "string", "x": "int64"}, 10, RULES)}, Version(0, 4, 0), "base.x is new"),
    ({**BASE, "audio": Shape({}, 0)}, Version(0, 4, 0), "config audio is new"),
    ({"preview": BASE["preview"]}, Version(1, 0, 0), "config base was removed"),
    ({**BASE, "base": Shape({}, 10, RULES)}, Version(1, 0, 0), "base.id was removed"),
    ({**BASE, "base": Shape({"id": "string"}, 10, {"slices.snap_ms": "20"})}, Version(1, 0, 0),
     "rows of base have another meaning: slices.snap_ms was 40 and is now 20"),
    ({**BASE, "base": Shape({"id": "string"}, 10, RULES | {"slices.new": "20"})}, Version(0, 4, 0),
     "base has a new rule: slices.new = 20"),
    ({**BASE, "base": Shape({"id": "string"}, 10)}, Version(0, 4, 0), "the rule slices.snap_ms of base was removed"),
    ({**BASE, "base": Shape({"id": "int64"}, 99, RULES)}, Version(1, 0, 0), "base.id was string and is now int64"),
])
def test_the_level_follows_from_what_changed(after: dict[str, Shape], version: Version, said: str) -> None:
    found = propose(NOW, BASE, after)
    assert found.version == version and said in found.reasons[0]


def songs(**changes: tuple[str, int, str] | None) -> dict[str, SongRecord]:
    """Three songs with split, rows and keys; ``changes`` replace or remove some."""
    base = {"s1": ("train", 90, "a"), "s2": ("train", 10, "b"), "s3": ("test", 10, "c")}
    return {song: SongRecord(own[0], own[1]).plus(0, [own[2]]) for song, own in {**base, **changes}.items() if own}


def shape(now: dict[str, SongRecord], *colors: str) -> Shape:
    return Shape({"id": "string"}, sum(own.rows for own in now.values()), {}, frozenset(colors or ("Red", "Green")),
                 {own.split for own in now.values()}, now)


@pytest.mark.parametrize(("after", "level", "reasons"), [
    (shape(songs()), "patch", ("same columns and row counts, other content",)),
    (shape(songs(s2=("test", 10, "b"), s3=("train", 10, "c"))), "major", (
        "songs that were in test and are now in train: s3 (audio, midi)",
        "songs that were in train and are now in test: s2 (audio, midi)")),
    (shape(songs(s1=("train", 45, "d"))), "minor", (
        "audio has 45 fewer rows", "midi has 45 fewer rows", "songs with fewer rows: s1 (audio, midi)")),
    (shape(songs(s1=("train", 90, "d"))), "minor", ("songs with new keys: s1 (audio, midi)",)),
    (shape(songs(s2=None)), "minor", (
        "audio has 10 fewer rows", "midi has 10 fewer rows", "songs that are gone: s2 (audio, midi)")),
    (shape(songs(s2=None, s4=("train", 10, "b"))), "minor", (
        "songs that are gone: s2 (audio, midi)", "new songs: s4 (audio, midi)")),
    (shape(songs(s3=None, s4=("train", 10, "c"))), "major", (
        "audio has no split test any more", "midi has no split test any more",
        "songs that are gone: s3 (audio, midi)", "new songs: s4 (audio, midi)")),
    (shape(songs(), "Red"), "major", ("audio has no rows of Green any more", "midi has no rows of Green any more")),
    (shape(songs(), "Red", "Green", "Blue"), "minor", (
        "audio has rows of Blue for the first time", "midi has rows of Blue for the first time")),
    (shape(songs(s4=("validation", 0, "e"))), "minor", (
        "audio has the split validation for the first time", "midi has the split validation for the first time",
        "new songs: s4 (audio, midi)")),
])
def test_what_readers_build_on_is_stated(after: Shape, level: str, reasons: tuple[str, ...]) -> None:
    before = shape(songs())
    found = propose(NOW, {"audio": before, "midi": before}, {"audio": after, "midi": after})
    assert (found.level, found.reasons) == (level, reasons)


def test_splits_after_a_version_without_them_are_a_major_step() -> None:
    """All rows were in train, so the songs of the other splits have left it."""
    before = Shape({"id": "string"}, 110, {}, frozenset(("Red", "Green")))
    found = propose(NOW, {"audio": before}, {"audio": shape(songs())})
    assert (found.level, found.reasons) == ("major", ("audio has the split test for the first time",))
    alone = shape({"s1": SongRecord("train", 110)})
    assert propose(NOW, {"audio": before}, {"audio": alone}).level == "patch"


def test_the_first_version() -> None:
    assert propose(None, {}, BASE).version == FIRST


def test_a_version_that_promises_too_little_is_refused() -> None:
    proposal = propose(NOW, BASE, {"preview": BASE["preview"]})
    for text in ("0.3.1", "0.4.0", "0.2.0"):
        with pytest.raises(VersionTooLow, match=f"v{text} is too low: .* major step, so use v1.0.0 or more .the config"):
            require_high_enough(Version.parse(text), NOW, proposal)
    for text in ("1.0.0", "1.2.3"):
        require_high_enough(Version.parse(text), NOW, proposal)


def test_an_entry_of_the_changelog_survives_the_manifest() -> None:
    after = {**BASE, "base": Shape({"id": "string"}, 12, RULES)}
    entry = next_entry(Version(0, 4, 0), propose(NOW, BASE, after), BASE, after)
    assert entry == ChangelogEntry(Version(0, 4, 0), "minor", ("base has 2 more rows",), {"base": (10, 12)})
    assert ChangelogEntry.parse(entry.document()) == entry
