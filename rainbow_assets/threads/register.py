"""The register of packed threads: which folder each has, and the digests that say whether it is up to date."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.model import QuarantinedThread, Removed
from rainbow_assets.threads.rules import RULES

NAME = "packed.json"
_VERSION = 1
REASONS = {rule.name: rule.reason for rule in RULES}


class DamagedRegister(RainbowError):
    """The register cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One packed thread. ``outputs`` is the digest of the folder's file names and sizes; ``row`` its index row."""

    thread_id: str
    directory: str
    inputs: str
    outputs: str
    files: int
    bytes: int
    dropped: tuple[Removed, ...]
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """All packed threads by id, and the folders that could not be packed."""

    entries: dict[str, Entry]
    quarantined: tuple[QuarantinedThread, ...] = ()

    def directories(self) -> dict[str, str]:
        """Return {thread id: folder}."""
        return {name: entry.directory for name, entry in self.entries.items()}

    def rows(self) -> list[dict[str, Any]]:
        """Return the index rows of all packed threads."""
        return [entry.row for entry in self.entries.values()]


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
    dropped = tuple(Removed(file, rule, REASONS.get(rule, ""), size) for file, rule, size in item["dropped"])
    return Entry(**{**item, "dropped": dropped})


def _line(entry: Entry) -> dict[str, Any]:
    dropped = [[item.file, item.rule, item.size] for item in entry.dropped]
    return {"thread_id": entry.thread_id, "directory": entry.directory, "inputs": entry.inputs,
            "outputs": entry.outputs, "files": entry.files, "bytes": entry.bytes, "dropped": dropped,
            "row": entry.row}


def save(out: Path, register: Register) -> None:
    """Replace the register, atomically; an equal one is left alone."""
    document = {
        "version": _VERSION,
        "threads": [_line(register.entries[name]) for name in sorted(register.entries)],
        "quarantined": [asdict(item) for item in sorted(register.quarantined, key=lambda item: item.folder)],
    }
    lines = ",\n".join(json.dumps(line, ensure_ascii=False) for line in document.pop("threads"))
    rest = json.dumps(document, ensure_ascii=False)[1:-1]
    data = f'{{{rest}, "threads": [\n{lines}\n]}}\n'.encode()
    if not (out / NAME).exists() or (out / NAME).read_bytes() != data:
        Files(str(out)).write(NAME, data)


def folder_state(folder: str, times: bool) -> tuple[str, list[tuple[str, int]]] | None:
    """Return (digest, [(file, size)]) of all files in a folder, or None where it does not exist.

    With ``times`` the digest also stands for modification and change time and inode: equal digests mean that no file
    was written in between, even one of equal size whose modification time was put back.
    """
    found: list[tuple[str, int, int, int, int]] = []
    waiting = [("", folder)]
    try:
        while waiting:
            prefix, path = waiting.pop()
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((f"{prefix}{entry.name}/", entry.path))
                        continue
                    seen = entry.stat(follow_symlinks=False)
                    mtime, ctime, inode = (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino) if times else (0, 0, 0)
                    found.append((prefix + entry.name, seen.st_size, mtime, ctime, inode))
    except FileNotFoundError:
        return None
    found.sort()
    value = hashlib.sha256(repr(found).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return value, [(item[0], item[1]) for item in found]


def outputs_digest(folder: Path) -> str | None:
    """Return the digest of the names and sizes of all files in a packed folder, or None where it does not exist."""
    state = folder_state(str(folder), times=False)
    return state[0] if state else None


class States:
    """The source folders' states as of the last packing, in a cache file that is never published."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path, self.root, self.moved = path, str(root.resolve()), False
        self.known: dict[str, str] = {}
        try:
            document = json.loads(path.read_bytes())
            if document["root"] == self.root:
                self.known = dict(document["states"])
        except (OSError, ValueError, KeyError, TypeError):
            # Without a cache every thread is read again: slower, never wrong.
            self.known = {}

    def put(self, thread_id: str, state: str) -> None:
        """Note the state of a thread whose packed folder is up to date."""
        if self.known.get(thread_id) != state:
            self.known[thread_id] = state
            self.moved = True

    def save(self) -> None:
        """Replace the cache file if anything moved."""
        if self.moved:
            document = {"root": self.root, "states": dict(sorted(self.known.items()))}
            Files(str(self.path.parent)).write(self.path.name, json.dumps(document).encode())
