"""File names found in a manifest may only name files inside the song's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from rainbow_assets.errors import RainbowError


class RefusedPath(RainbowError):
    """A file name that is absolute, climbs out of the song's folder, or is a link out of it."""


def vet(folder: Path, name: str) -> Path:
    """Return the path of ``name`` below ``folder``; raise ``RefusedPath``. Whether the file exists is not asked."""
    plain = PurePosixPath(name)
    if not name.strip() or "\\" in name or any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise RefusedPath(f"{name!r} is not a plain file name; write it relative to the song folder, with /")
    if plain.is_absolute() or name.startswith("~") or name[1:2] == ":":
        raise RefusedPath(f"{name!r} is an absolute path; write it relative to the song folder")
    if ".." in plain.parts or not plain.parts:
        raise RefusedPath(f"{name!r} climbs out of the song folder or names no file; write it relative to that folder")
    try:
        target, root = (folder / plain).resolve(), folder.resolve()
        inside = target.is_relative_to(root) and len(plain.name.encode()) <= 255
    except (OSError, RuntimeError, ValueError) as error:
        raise RefusedPath(f"{name!r} cannot be followed ({type(error).__name__}); correct the name") from None
    if not inside:
        raise RefusedPath(f"{name!r} is a link out of the song folder, or too long; copy the file into the folder")
    return folder / plain
