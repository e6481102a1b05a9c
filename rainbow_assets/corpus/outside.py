"""What texts of a song must not bring along: characters that command a screen, and paths of a person's machine."""

from __future__ import annotations

import re
import unicodedata

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.text import CONTROL, MACHINE_PATH

_MACHINE_PATH = re.compile(MACHINE_PATH)
_MOST_CHARS = 60
"""Characters of a path that a message repeats."""


def report_text(what: str, text: str, file: str, where: str, notes: AnomalyLog) -> None:
    """Report what ``text`` must not bring along; ``what`` is its field, whose name is the writer's as well.

    >>> found = AnomalyLog("05_01")
    >>> report_text("title", "/Users/anna/Music/kite", "05_01.yml", "line 1", found)
    >>> found.found[0].message
    "title has a path of a person's machine: /Users/anna/Music/kite"
    """
    report_characters(what, f"{what} {text}", file, where, notes)
    if found := _MACHINE_PATH.search(text):
        path = text[found.start(2):found.start(2) + _MOST_CHARS].split("\n")[0]
        notes.add("machine_path", file, where, f"{what} has a path of a person's machine: {path}",
                  "kept as it is, and the checks before a release refuse it; write a name without folders")


def report_characters(what: str, text: str, file: str, where: str, notes: AnomalyLog) -> None:
    """Report the first control character of ``text``."""
    if found := CONTROL.search(text):
        name = unicodedata.name(found[0], "control character").lower()
        notes.add("control_character", file, where, f"{what} has the character U+{ord(found[0]):04X} ({name})",
                  "kept as it is; remove it")
