"""The raw threads: which there are, which of their files packing keeps, and the digest of those."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.door import RefusedFile
from rainbow_assets.errors import UsageError
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.ingest.names import entries_below
from rainbow_assets.storage.files import local_folder
from rainbow_assets.threads.model import Removed
from rainbow_assets.threads.names import UUID
from rainbow_assets.threads.rules import RULES, removed

FORMAT = 1
"""Raised whenever a packed folder of the same source would look different."""


def source_folder(root: Path | None = None) -> Path:
    """Return the folder of raw threads: ``chain_artifacts`` in the threads' root if there is one, else the root."""
    chosen = root or settings.roots().threads
    inner = chosen / "chain_artifacts"
    return inner if inner.is_dir() else chosen


def packed_folder(root: str | None = None) -> Path:
    """Return where packed threads go, below ``RAINBOW_DATA``; raise ``UsageError`` if that is not a local folder."""
    data = root or settings.roots().data
    folder = local_folder(data)
    if folder is None:
        raise UsageError(f"RAINBOW_DATA is {data}; threads are packed on a local disk only, set it to a folder")
    return folder / "threads" / "shrinkwrapped"


@dataclass(frozen=True, slots=True)
class ThreadFiles:
    """The files of a thread, as sorted paths in its folder: those that packing keeps, leaves out, and ``links``.

    ``links`` are what is no regular file: links, pipes, devices.
    """

    kept: tuple[str, ...]
    dropped: tuple[Removed, ...]
    links: tuple[str, ...]


def thread_folders(root: Path) -> list[Path]:
    """Return every folder directly below ``root`` that is not hidden, sorted by name; none if ``root`` is missing.

    Links to folders are among them, and :func:`list_files` refuses them.
    """
    if not root.is_dir():
        return []
    with os.scandir(root) as entries:
        return sorted(Path(entry.path) for entry in entries
                      if entry.is_dir() and not entry.name.startswith("."))


def list_files(folder: Path) -> tuple[dict[str, int], list[str]]:
    """Return ({file: bytes}, what is no regular file) below ``folder`` as sorted relative paths.

    Links are not followed. Raises ``RefusedFile`` if ``folder`` is one itself, and OSError.
    """
    if folder.is_symlink():
        raise RefusedFile("it is a link; copy the folder itself if it belongs here")
    files: dict[str, int] = {}
    links: list[str] = []
    for name, entry in entries_below(folder):
        if entry.is_file(follow_symlinks=False):
            files[name] = entry.stat(follow_symlinks=False).st_size
        else:
            links.append(name)
    return dict(sorted(files.items())), sorted(links)


def list_thread(folder: Path) -> ThreadFiles:
    """Return the files of the thread ``folder``; raise as :func:`list_files`."""
    files, links = list_files(folder)
    dropped = {file: record for file, size in files.items() if (record := removed(file, size)) is not None}
    return ThreadFiles(tuple(file for file in files if file not in dropped), tuple(dropped.values()), tuple(links))


def inputs_digest(digests: dict[str, str]) -> str:
    """Return the digest of a thread's inputs from {relative path: sha256 of each kept file}: what a ledger compares.

    Files that packing leaves out are not in it, so that pruning them from the source changes nothing.
    """
    return digest(FORMAT, [[rule.name, rule.pattern] for rule in RULES], digests)


def all_inputs(source: Path, cache: Path | None) -> dict[str, str]:
    """Return {folder: inputs digest} of the source as it is; empty for a folder that is not a thread.

    ``cache`` keeps the files' digests, so that only files that moved are read. A thread that cannot be read has a
    digest too: reading it gives the reason.
    """
    digests = FileDigests(source, cache)
    found = {folder.name: _inputs(folder, digests) if UUID.fullmatch(folder.name) else ""
             for folder in thread_folders(source)}
    digests.save()
    return found


def _inputs(folder: Path, digests: FileDigests) -> str:
    try:
        return inputs_digest({file: digests.digest(f"{folder.name}/{file}") for file in list_thread(folder).kept})
    except (OSError, RefusedFile):
        return digest("unreadable")
