"""Absolute paths of the machines that wrote a thread, found in text and made relative to the thread's folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

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
_HINT = re.compile(rf"/(?:{_ROOTS})/|:[\\/]")
"""What every machine path without ``chain_artifacts`` holds; looking for it first spares most texts the pattern."""


@dataclass(frozen=True, slots=True)
class PathChange:
    """One machine part and what stands in its place. ``kind``: thread, root, other_thread or outside."""

    found: str
    written: str
    kind: Literal["thread", "root", "other_thread", "outside"]


def has_absolute(text: str) -> bool:
    """Tell whether ``text`` holds an absolute machine path."""
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
