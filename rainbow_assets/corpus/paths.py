"""File names found in a manifest may only name files inside the song's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from rainbow_assets.errors import RainbowError


class RefusedPath(RainbowError):
    """A file name that is absolute, climbs out of the song's folder, or is a link out of it."""


def vet(folder: Path, name: str) -> Path:
    """Return where ``name`` lies below ``folder``; raise ``RefusedPath``. Whether the file exists is not asked."""
    plain = PurePosixPath(name)
    if not name.strip() or "\0" in name or "\\" in name:
        raise RefusedPath(f"{name!r} is not a plain file name; write it relative to the song folder, with /")
    if plain.is_absolute() or name.startswith("~") or (len(name) > 1 and name[1] == ":"):
        raise RefusedPath(f"{name!r} is an absolute path; write it relative to the song folder")
    if ".." in plain.parts:
        raise RefusedPath(f"{name!r} climbs out of the song folder; write it relative to that folder")
    try:
        target, root = (folder / plain).resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:
        raise RefusedPath(f"{name!r} cannot be followed ({type(error).__name__}); remove the link") from None
    if not target.is_relative_to(root):
        raise RefusedPath(f"{name!r} is a link out of the song folder; copy the file into it")
    return folder / plain
