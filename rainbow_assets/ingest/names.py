"""Finding the file that a written name means: machines differ in case, in Unicode form, and in spaces around names."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from rainbow_assets.errors import RainbowError
from rainbow_assets.ingest.paths import RefusedPath, vet

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What Python puts in place of bytes that are not UTF-8."""


class AmbiguousName(RainbowError):
    """A name that no file has, and that two or more files have but for case, Unicode form or spaces."""


def files_below(folder: Path) -> tuple[str, ...]:
    """Return the names of all files below ``folder``, sorted, with ``/``; links to folders are not followed.

    Files whose name starts with a dot are left out, because systems and editors write them, and files whose name is not
    Unicode, because no manifest can name them.
    """
    found = []
    for place, _, names in os.walk(folder):
        paths = [Path(place, name) for name in names if not name.startswith(".")]
        found += [path.relative_to(folder).as_posix() for path in paths if path.is_file()]
    return tuple(sorted(name for name in found if not _SURROGATE.search(name)))


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


def closest(name: str, names: Iterable[str]) -> str:
    """Return ``name`` if it is one of ``names``, else the only one with the same plain form, else ``name``."""
    listed = set(names)
    found = [] if name in listed else by_form(listed).get(plain_form(name), [])
    return found[0] if len(found) == 1 else name
