"""Values that a manifest has without quotes, and that YAML may read as something else than their writer meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.manifest import ManifestEntry, SectionEntry, SoundsLike, TrackEntry
from rainbow_assets.ingest.yaml_strict import WrittenScalar

_ENTRIES = {"": ManifestEntry, "structure.": SectionEntry, "sounds_like.": SoundsLike, "audio_tracks.": TrackEntry}
_TYPES = {f"{place}{name}": field.annotation for place, entry in _ENTRIES.items()
          for name, field in entry.model_fields.items() if f"{name}." not in _ENTRIES}
NUMBERS = frozenset(name for name, kind in _TYPES.items() if kind in (int, float, bool, int | None))
TEXTS = _TYPES.keys() - NUMBERS
"""Fields whose values are text, whatever they look like. In other fields, the type is the one that YAML finds."""
CHECKED = ("manifest_id", "release_date")
"""Text fields that look like a number or a date and are right: the id is compared with the folder's name."""
MOST_CHARS = 40
"""Longer texts look like no number that a person writes."""
_BRACKETED = re.compile(r"(?:TRT|start_time|end_time)\[0\]$")
"""A stamp without quotes: ``[04:25.999]`` is a list of one text."""
_OTHERS = yaml.resolver.Resolver()
"""The types of YAML 1.1, by which most programs read."""
_TAGS = {"int": "number", "float": "number", "bool": "truth value", "timestamp": "date"}


def report(scalars: Iterable[WrittenScalar], file: str, notes: AnomalyLog) -> None:
    """Report texts of which YAML takes a part as syntax or comment, and those that other programs read as a number."""
    for scalar in scalars:
        if scalar.taken:
            notes.add("cut_text", file, f"line {scalar.begins}", f"{scalar.field}: YAML takes {scalar.taken[:60]!r} "
                      "for its own syntax, not for a part of a text", "read without it; put the whole text in quotes")
        if scalar.quoted or scalar.name in NUMBERS or (scalar.known and scalar.name not in TEXTS):
            continue
        _check_comment(scalar, file, notes)
        if scalar.name not in CHECKED and not _BRACKETED.search(scalar.field):
            _check_type(scalar, file, notes)


def _check_comment(scalar: WrittenScalar, file: str, notes: AnomalyLog) -> None:
    # After no text at all, "#2" is a text and "# not yet known" a comment.
    if scalar.comment and (scalar.text or scalar.comment[1:2].strip("# ")):
        read = f"{scalar.text!r}" if scalar.text else "empty"
        notes.add("comment_after_text", file, f"line {scalar.line}",
                  f"{scalar.field} is read as {read}, because {scalar.comment[:80]!r} after it is a comment",
                  "put the value in quotes if the comment belongs to it")


def _check_type(scalar: WrittenScalar, file: str, notes: AnomalyLog) -> None:
    text, kind = scalar.text, _other_type(scalar.text)
    if kind == "null" and text and scalar.name in TEXTS:
        notes.add("unquoted_text", file, f"line {scalar.line}", f"{scalar.field}: {text} is no value in YAML",
                  "read as empty; put the value in quotes if it is a text")
    elif (kind == "number" and not scalar.known) or (kind in ("truth value", "date") and scalar.name in TEXTS):
        notes.add("unquoted_text", file, f"line {scalar.line}",
                  f"{scalar.field}: {text} is the {kind} {_value(text)} to other programs",
                  f"read as the text {text!r}; put the value in quotes")


def _other_type(text: str) -> str:
    """Return what a reader of YAML 1.1 takes ``text`` for, or an empty text if it is a text to it as well."""
    if len(text) > MOST_CHARS:
        return ""
    name = str(_OTHERS.resolve(yaml.ScalarNode, text, (True, False))).rpartition(":")[2]
    return "null" if name == "null" else _TAGS.get(name, "")


def _value(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except (ValueError, OverflowError, yaml.YAMLError):
        return text
    return str(value).lower() if isinstance(value, bool) else value
