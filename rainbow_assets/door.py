"""The one way to open a file from outside: only regular files, none outside its folder, and no more bytes than allowed.

A pipe would make its reader wait for ever, a device has no end, and a link may lead to a private file. So the file is
opened without waiting, and asked what it is before anything is read.
"""

from __future__ import annotations

import os
import stat
import tomllib
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
"""Flags that a system lacks are those that it does not need."""
TEXT_BYTES = 4 << 20
"""The size that a text written by hand has at most."""
MEDIA_BYTES = 16 << 30
"""The size that any other file has at most: three hours of many channels. Reading more would take minutes."""
_CHUNK = 1 << 20


class RefusedFile(RainbowError):
    """A file that is not read. The message begins with "it" and does not name the file."""


def opened(path: Path, root: Path | None = None) -> FileIO:
    """Open the regular file ``path``, unbuffered; with ``root``, it must be below that folder when links are followed.

    Raises ``RefusedFile``, and ``FileNotFoundError`` if there is no such file.
    """
    if root is not None and not inside(path, root):
        raise RefusedFile("it is a link out of its folder; copy the file into the folder")
    try:
        descriptor = os.open(path, _FLAGS)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise RefusedFile(f"it cannot be opened ({getattr(error, 'strerror', None) or error}); correct that") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RefusedFile("it is a folder, pipe, socket or device, and only regular files are read; remove it")
        return FileIO(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_file(path: Path, most: int | None = None, root: Path | None = None) -> bytes:
    """Return the content of the regular file ``path``, which has ``most`` bytes at most (None: any number).

    Raises ``RefusedFile``, and ``FileNotFoundError`` if there is no such file. See :func:`opened` for ``root``.
    """
    with opened(path, root) as stream:
        size = os.fstat(stream.fileno()).st_size
        if most is not None:
            require_size(size, most)
        try:
            parts = [stream.read(size + 1)]
            # The system may give it in pieces, and the file may grow meanwhile.
            while parts[-1]:
                if most is not None and sum(map(len, parts)) > most:
                    raise RefusedFile(f"it grows while it is read, to more than {most:,} bytes; shorten it")
                parts.append(stream.read(_CHUNK))
        except OSError as error:
            raise RefusedFile(f"it cannot be read ({error.strerror}); correct that") from None
    return b"".join(part for part in parts if part)


def require_size(size: int, most: int) -> None:
    """Raise ``RefusedFile`` if a file of ``size`` bytes has more than ``most``."""
    if size > most:
        raise RefusedFile(f"it has {size:,} bytes, and at most {most:,} are read; shorten it")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of the TOML document ``text``; raise ``RefusedFile``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedFile(f"it is not valid TOML: {error}") from None
    except (ValueError, RecursionError):  # Python converts no number of thousands of digits
        raise RefusedFile("it is not valid TOML: it has a number of thousands of digits, or hundreds of brackets in "
                          "brackets; shorten that") from None


def inside(path: Path, root: Path) -> bool:
    """Return True if ``path`` is below ``root`` after all links were followed."""
    with suppress(OSError, RuntimeError, ValueError):
        return path.resolve().is_relative_to(root.resolve())
    return False
