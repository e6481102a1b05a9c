"""Finding the file that a written name means: machines differ in case, in Unicode form, and in spaces around names."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from rainbow_assets.door import inside
from rainbow_assets.errors import RainbowError
from rainbow_assets.ingest.paths import RefusedPath, vet

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python puts in place of bytes that are not UTF-8."""


MOST_FILES = 100_000
"""The number of files that a song, a pack or a thread has at most."""


class AmbiguousName(RainbowError):
    """A name that no file has, and that two or more files have but for case, Unicode form or spaces."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is below a folder: the names of its files, sorted, with ``/``, and {name: why it is not one of them}."""

    names: tuple[str, ...]
    odd: Mapping[str, str]


def listing(folder: Path) -> Listing:
    """Return what is below ``folder``; links to folders are not followed.

    Files whose name starts with a dot are left out, because systems and editors write them. Odd are names that are not
    UTF-8, because no manifest can write them, links out of the folder, and what is no regular file. Raises ``OSError``.
    """
    found, odd = list[str](), dict[str, str]()
    for name, entry in entries_below(folder):
        if not entry.name.startswith("."):
            why = _odd(entry, folder)
            if why:
                odd[shown(name)] = why
            elif entry.is_file():
                found.append(name)
    return Listing(tuple(sorted(found)), dict(sorted(odd.items())))


def entries_below(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield all entries below ``folder`` that are no folders, with their names; links are not followed.

    Raises ``OSError``, also if there are more than ``MOST_FILES``.
    """
    waiting, count = [("", str(folder))], 0
    while waiting:
        prefix, place = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{prefix}{entry.name}/", entry.path))
                else:
                    count += 1
                    if count > MOST_FILES:
                        raise OSError(errno.E2BIG, f"it has more than {MOST_FILES:,} files", str(folder))
                    yield prefix + entry.name, entry


def files_below(folder: Path) -> tuple[str, ...]:
    """Return the names of the files below ``folder``; see :func:`listing`."""
    return listing(folder).names


def _odd(entry: os.DirEntry[str], folder: Path) -> str | None:
    if _SURROGATE.search(entry.name):
        return "its name is not UTF-8, so no manifest can name it; rename it"
    if entry.is_symlink():
        if not inside(Path(entry.path), folder):
            return "it is a link out of the folder; copy the file into the folder"
        if not os.path.exists(entry.path):
            return "it is a link to nothing; remove it"
    if not entry.is_file() and not entry.is_dir():
        return "it is a pipe, socket or device; remove it"
    return None


def shown(name: str) -> str:
    """Return a file's name as text that can be written: bytes that are not UTF-8 become ``\\xe9``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def plain_form(name: str) -> tuple[str, ...]:
    """Return the parts of ``name`` without what machines change in names: case, Unicode form, outer spaces, final dots.

    >>> plain_form("Stems /Gtr.WAV") == plain_form("stems/gtr.wav")
    True
    """
    parts = (unicodedata.normalize("NFC", part).casefold() for part in PurePosixPath(name).parts)
    # Case folding may take a letter apart again. Windows drops spaces and dots at the end of a name.
    return tuple(unicodedata.normalize("NFC", part).strip().rstrip(". ") for part in parts)


def has_ending(name: str, endings: tuple[str, ...]) -> bool:
    """Return True if the file name ends in one of ``endings``, whatever its case and the spaces after it."""
    return name.rstrip(". ").lower().endswith(endings)


class FileNames:
    """The names of the files below ``folder``, listed once, and the search among them.

    ``names`` are the files of the folder if they are known; by default they are listed.
    """

    def __init__(self, folder: Path, names: Sequence[str] | None = None) -> None:
        self.folder = folder
        self.names = frozenset(files_below(folder) if names is None else names)

    @cached_property
    def _by_form(self) -> dict[tuple[str, ...], list[str]]:
        return by_form(self.names)

    def find(self, name: str) -> str | None:
        """Return the listed name of the file that ``name`` means, or None if there is no such file.

        A file of exactly that name comes first, else the only one whose :func:`plain_form` is equal. Raises
        ``RefusedPath`` for a name that leads out of the folder or is that of a hidden file, and ``AmbiguousName``.
        """
        path, written = vet(self.folder, name), PurePosixPath(name).as_posix()
        if written in self.names:
            return written
        if path.is_file():
            if path.name.startswith("."):
                raise RefusedPath(f"{name!r} is a hidden file, and hidden files are not read; rename it")
            # Below a link to a folder, a file has the name that it has without the link.
            real = path.resolve().relative_to(self.folder.resolve()).as_posix()
            if real in self.names:
                return real
        found = self._by_form.get(plain_form(name), [])
        if len(found) > 1:
            raise AmbiguousName(f"{name!r} fits {len(found)} files: {', '.join(map(repr, found))}")
        for only in found:
            vet(self.folder, only)
            return only
        return None


def by_form(names: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """Return {plain form: sorted names that have it}."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in sorted(names):
        found.setdefault(plain_form(name), []).append(name)
    return found


def twins(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of names that are one name on a machine that ignores case, Unicode form or final spaces."""
    return [same for same in by_form(names).values() if len(same) > 1]


def closest(name: str, names: Iterable[str]) -> str:
    """Return ``name`` if it is one of ``names``, else the only one with the same plain form, else ``name``."""
    listed = set(names)
    found = [] if name in listed else by_form(listed).get(plain_form(name), [])
    return found[0] if len(found) == 1 else name
