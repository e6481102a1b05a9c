"""The register of packed threads: which folder each has, and the digests that say whether it is up to date."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.digests import digest
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.model import QuarantinedThread, Removed

NAME = "packed.json"
_VERSION = 1


class DamagedRegister(RainbowError):
    """The register cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One packed thread. ``outputs`` is the digest of the folder's file names and sizes."""

    thread_id: str
    directory: str
    inputs: str
    outputs: str
    files: int
    bytes: int
    dropped: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """All packed threads by id, and the folders that could not be packed."""

    entries: dict[str, Entry]
    quarantined: tuple[QuarantinedThread, ...] = ()

    def directories(self) -> dict[str, str]:
        """Return {thread id: folder}."""
        return {name: entry.directory for name, entry in self.entries.items()}

    def with_entry(self, entry: Entry) -> Register:
        """Return the register with ``entry`` put in."""
        return replace(self, entries={**self.entries, entry.thread_id: entry})


def load(out: Path) -> Register:
    """Read the register of the packed threads in ``out``; an empty one where there is none."""
    path = out / NAME
    if not path.exists():
        return Register({})
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            return Register({})
        entries = {item["thread_id"]: _entry(item) for item in document["threads"]}
        return Register(entries, tuple(QuarantinedThread(**item) for item in document["quarantined"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedRegister(f"{path.name} cannot be read ({error}); delete it and pack again") from error


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(**{**item, "dropped": tuple(Removed(**line) for line in item["dropped"])})


def save(out: Path, register: Register) -> None:
    """Replace the register, atomically; an equal one is left alone."""
    document = {
        "version": _VERSION,
        "threads": [asdict(register.entries[name]) for name in sorted(register.entries)],
        "quarantined": [asdict(item) for item in sorted(register.quarantined, key=lambda item: item.folder)],
    }
    data = (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
    if not (out / NAME).exists() or (out / NAME).read_bytes() != data:
        Files(str(out)).write(NAME, data)


def outputs_digest(folder: Path) -> str | None:
    """Return the digest of the names and sizes of all files in a packed folder, or None where it does not exist."""
    found: list[tuple[str, int]] = []
    waiting = [("", str(folder))]
    try:
        while waiting:
            prefix, path = waiting.pop()
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((f"{prefix}{entry.name}/", entry.path))
                    else:
                        found.append((prefix + entry.name, entry.stat(follow_symlinks=False).st_size))
    except FileNotFoundError:
        return None
    return digest(sorted(found))
