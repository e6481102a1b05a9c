"""Temporary files and folders, named after the process that makes them, so that those of killed processes are removed.

The first one that a process makes in a folder removes what ended processes left there and in the system's folder for
temporary files::

    with scratch.folder() as place:
        (place / "part.mid").write_bytes(data)
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

ABANDONED_S = 86_400.0
"""Age at which files of another machine's process are removed: only that machine knows whether it still runs."""
NAME = re.compile(r"\..*\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{12}\.tmp")
_SWEPT: set[Path] = set()


def beside(path: Path) -> Path:
    """Return a path for a temporary file or folder in the folder of ``path``."""
    for place in (path.parent, Path(tempfile.gettempdir())):
        if place not in _SWEPT:
            _SWEPT.add(place)
            sweep(place)
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:12]}.tmp")


@contextmanager
def folder(place: Path | None = None) -> Iterator[Path]:
    """Yield an empty folder in ``place``, which is removed at the end if it is still there.

    By default it is in the system's folder for temporary files, and no other user can read it.
    """
    made = beside((place or Path(tempfile.gettempdir())) / "rainbow")
    made.mkdir(mode=0o777 if place else 0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove the temporary files and folders in ``place`` whose process has ended."""
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if (found := NAME.fullmatch(entry.name)) and _has_ended(found["machine"], int(found["process"]), entry):
                shutil.rmtree(entry, ignore_errors=True)
                with suppress(OSError):
                    os.unlink(entry)  # rmtree leaves a file where it is


@cache
def _machine() -> str:
    """Return a digest of what makes a process id unique: the host, and on Linux the container."""
    container = ""
    with suppress(OSError):
        container = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{socket.gethostname()} {container}".encode()).hexdigest()[:8]


def _has_ended(machine: str, process: int, entry: os.DirEntry[str]) -> bool:
    if machine != _machine() or os.name == "nt":  # on Windows, signal 0 would end the process
        with suppress(OSError):
            return time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_S
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it belongs to another user
        pass
    return False
