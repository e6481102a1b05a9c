"""The journal of a prune: what is to be moved, and how far it is. It survives the death of the process at any point.

A prune moves files from ``<source>/<thread>/...`` to ``<source>/.prune/files/<thread>/...`` with one rename each, so
that a file is always in exactly one of the two places. The journal is written, and flushed to disk, before the first
rename and after the last.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rainbow_assets import scratch
from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files

FOLDER = ".prune"
State = Literal["moving", "moved", "undoing", "deleting"]


class DamagedJournal(RainbowError):
    """The journal of a prune cannot be read."""


@dataclass(frozen=True, slots=True)
class PruneEntry:
    """One file to move: path relative to the source, bytes, and the rule that leaves it out."""

    file: str
    size: int
    rule: str


@dataclass(frozen=True, slots=True)
class Journal:
    """A prune under way (``moving``, ``undoing``, ``deleting``) or waiting to be confirmed (``moved``)."""

    state: State
    lines: tuple[PruneEntry, ...]


def read(source: Path) -> Journal | None:
    """Return the journal of ``source``, or None where nothing was pruned or all of it is settled."""
    data = _files(source).read("journal.json")
    if data is None:
        return None
    try:
        document = json.loads(data)
        lines = tuple(PruneEntry(str(file), int(size), str(rule)) for file, size, rule in document["lines"])
        if document["state"] not in ("moving", "moved", "undoing", "deleting"):
            raise ValueError(f"the state {document['state']!r} is not known")
        return Journal(document["state"], lines)
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedJournal(f"{FOLDER}/journal.json cannot be read ({error}); the pruned files are under "
                             f"{FOLDER}/files: move them back by hand and delete {FOLDER}") from error


def write(source: Path, journal: Journal) -> None:
    """Replace the journal, atomically and durably."""
    lines = [[line.file, line.size, line.rule] for line in journal.lines]
    _files(source).write("journal.json", (json.dumps({"state": journal.state, "lines": lines}) + "\n").encode())


def close(source: Path) -> None:
    """Forget the journal: all its files are where they belong. Empty folders of the kept files go with it."""
    (source / FOLDER / "journal.json").unlink(missing_ok=True)
    _remove_empty(source / FOLDER)


def kept(source: Path, file: str) -> Path:
    """Where a pruned file waits."""
    return source / FOLDER / "files" / file


def move_out(source: Path, journal: Journal) -> None:
    """Move every file of the journal out of its thread; one that is out already is left there."""
    for line in journal.lines:
        here, there = source / line.file, kept(source, line.file)
        if here.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            os.rename(here, there)


def move_back(source: Path, journal: Journal) -> list[str]:
    """Move every file back into its thread; return those that stay out because another file has taken their place."""
    taken: list[str] = []
    for line in journal.lines:
        here, there = source / line.file, kept(source, line.file)
        if not there.exists():
            continue
        if os.path.lexists(here):
            taken.append(line.file)
            continue
        here.parent.mkdir(parents=True, exist_ok=True)
        os.rename(there, here)
    return taken


def delete(source: Path, journal: Journal) -> None:
    """Delete every file that waits. This is what frees the bytes; it cannot be undone."""
    for line in journal.lines:
        kept(source, line.file).unlink(missing_ok=True)


def with_state(journal: Journal, state: State) -> Journal:
    """Return the journal in another state."""
    return replace(journal, state=state)


def _files(source: Path) -> Files:
    return Files(str(source / FOLDER))


def clear_temporaries(source: Path) -> None:
    """Remove half-written journals that a killed run has left; the journal itself is only ever replaced whole."""
    scratch.sweep(source / FOLDER)
    _remove_empty(source / FOLDER)


def _remove_empty(folder: Path) -> None:
    for path, _, _ in os.walk(folder, topdown=False):
        if not os.listdir(path):
            os.rmdir(path)
