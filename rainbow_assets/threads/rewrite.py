"""What packing changes in a text: machine paths become relative, Python tags in YAML become plain values.

Every other byte stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import Document, Marked, parse_text
from rainbow_assets.ingest.yaml_write import dump, quoted, scalar

_ROOTS = r"Volumes|Users|home|private|root|mnt|media|opt|srv|tmp|var|workspace"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ABSOLUTE = re.compile(
    r"(?<![\w.~/\\-])(?:file://)?"
    r"(?:"
    r"/(?:[^\s/\"'<>:|]+/){0,12}chain_artifacts(?=[/\s\"'<>),;]|$)"
    rf"|/(?:{_ROOTS})/[^\n\"'<>|]{{0,300}}?/chain_artifacts(?=[/\s\"'<>),;]|$)"
    rf"|/(?:{_ROOTS})/(?=[^\s/])(?:[^\s/\"'<>:|]+/)?"
    r"|[A-Za-z]:(?:\\\\|\\|/)(?:Users|Documents and Settings)(?:\\\\|\\|/)(?:[^\s\\/\"'<>:|]+(?:\\\\|\\|/))?"
    r")"
    rf"(?:/(?P<thread>{_UUID})(?=[/\s\"'<>),;]|$))?(?P<slash>/(?=\S))?")
"""The part of a path that names a machine. What follows it stays as it is, spaces and all."""
OUTSIDE = "outside"
_FLOW_UNSAFE = re.compile(r"[,\[\]{}\n]")
_HINT = re.compile(rf"/(?:{_ROOTS})/|:[\\/]")
"""What every machine path without ``chain_artifacts`` contains; looking for it first spares most texts the pattern."""


@dataclass(frozen=True, slots=True)
class PathChange:
    """One machine part and what replaces it. ``kind``: thread, root, other_thread or outside."""

    found: str
    written: str
    kind: Literal["thread", "root", "other_thread", "outside"]


def has_absolute(text: str) -> bool:
    """Return True if ``text`` contains an absolute machine path."""
    if "/" not in text and "\\" not in text:
        return False
    return ("chain_artifacts" in text or _HINT.search(text) is not None) and ABSOLUTE.search(text) is not None


def relative(text: str, thread_id: str) -> tuple[str, list[PathChange]]:
    """Return ``text`` with every machine part replaced, and the changes.

    ``.../chain_artifacts/<this thread>/wav/x.wav`` becomes ``wav/x.wav``; the artifacts' root becomes ``..``; another
    thread's file ``../<its id>/...``; anything else ``outside/...``.
    """
    changes: list[PathChange] = []

    def replace(found: re.Match[str]) -> str:
        whole, thread, slash = found[0], found["thread"], found["slash"] or ""
        if "chain_artifacts" not in whole:
            kind, written = "outside", f"{OUTSIDE}/"
        elif thread is None:
            kind, written = "root", f"..{slash}"
        elif thread == thread_id:
            kind, written = "thread", "" if slash else "."
        else:
            kind, written = "other_thread", f"../{thread}{slash}"
        changes.append(PathChange(whole, written, kind))
        return written

    return ABSOLUTE.sub(replace, text), changes


@dataclass(frozen=True, slots=True)
class Edited:
    """The new text, the machine paths that were replaced, and how many Python tags were made plain."""

    text: str
    paths: tuple[PathChange, ...]
    tags: int


def edit(text: str, document: Document, thread_id: str) -> Edited:
    """Return ``text`` with Python tags and machine paths replaced, so that any safe loader reads it.

    ``document`` is ``text`` as parsed with a ``watch`` that picks every scalar holding a machine path.
    """
    pieces: list[tuple[int, int, str]] = []
    paths: list[PathChange] = []
    covered: list[tuple[int, int]] = []
    for tag in document.tags:
        if tag.whole is not None:
            value = relative(tag.value, thread_id)[0] if isinstance(tag.value, str) else tag.value
            name = f"&{tag.anchor} " if tag.anchor else ""
            pieces.append((*tag.whole, name + _typed(value) + _tail(text, *tag.whole)))
            covered.append(tag.whole)
        else:
            pieces.append((tag.start, tag.end, ""))
    for item in document.marked:
        value, changes = relative(item.value, thread_id)
        paths.extend(changes)
        if changes and not any(start <= item.start < end for start, end in covered):
            name = f"&{item.anchor} " if item.anchor else ""
            pieces.append((item.start, item.end, name + _like(item, value, text)))
    edited = _apply(text, pieces)
    if has_absolute(edited):
        # Comments and keys are no values: what is left of machine paths is replaced as text.
        edited, more = relative(edited, thread_id)
        paths.extend(more)
    wanted = relative_value(document.value, thread_id)
    try:
        same = parse_text(edited).value == wanted
    except UnreadableYaml:
        same = False
    # An edit that would change the meaning is not used: the whole value is written again instead.
    return Edited(edited if same else dump(wanted), tuple(paths), len(document.tags))


def relative_value(value: Any, thread_id: str) -> Any:
    """Return the plain ``value`` with every machine path in its texts (keys too) made relative."""
    if isinstance(value, str):
        return relative(value, thread_id)[0] if has_absolute(value) else value
    if isinstance(value, dict):
        return {relative_value(key, thread_id): relative_value(item, thread_id) for key, item in value.items()}
    if isinstance(value, list):
        return [relative_value(item, thread_id) for item in value]
    return value


def _typed(value: object) -> str:
    written = scalar(value)
    return quoted(value) if isinstance(value, str) and _FLOW_UNSAFE.search(written) and written[0] != '"' else written


def _like(item: Marked, value: str, text: str) -> str:
    """Write ``value`` for the place of ``item``: quoted if it was, a block scalar with its line end."""
    return (quoted(value) if item.style else _typed(value)) + _tail(text, item.start, item.end)


def _tail(text: str, start: int, end: int) -> str:
    return "\n" if text[start:end].endswith("\n") else ""


def _apply(text: str, pieces: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    position = 0
    for start, end, written in sorted(pieces):
        if start < position:
            continue
        parts += [text[position:start], written]
        position = end
    return "".join([*parts, text[position:]])
