"""Local files replaced as a whole: a reader, or a machine that loses power, finds the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rainbow_assets import scratch


def replace_file(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``, atomically and durably; its folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(data)
    sync_folder(path.parent)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream for the new content of ``path``, which takes its place at the end; an error changes nothing.

    The content is flushed to disk before the move: a name must never lead to bytes that are not there yet.
    """
    temporary = scratch.beside(path)
    try:
        with naming(path):
            with open(temporary, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put ``path`` into errors of the disk that name no file, or a temporary one."""
    try:
        yield
    except OSError as error:
        known = "" if error.filename is None else Path(os.fsdecode(error.filename)).name
        if error.errno and (not known or scratch.NAME.fullmatch(known)):
            error.filename = str(path)
        raise


def move_in(finished: Path, path: Path) -> None:
    """Move the file ``finished`` of the same filesystem to ``path``, atomically and durably."""
    with open(finished, "rb") as stream:
        os.fsync(stream.fileno())
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(finished, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the entries of ``folder`` through to disk. Windows does that by itself, and opens no folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
