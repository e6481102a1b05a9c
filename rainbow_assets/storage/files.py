"""Files below one root, on a local disk or behind an fsspec URL, with the few operations that shards need."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from rainbow_assets import scratch
from rainbow_assets.atomic import move_in, replace_file

CHUNK = 1 << 20
_URL = re.compile(r"(?:[A-Za-z][\w+.-]*::)*[A-Za-z][\w+.-]*://")


def local_folder(root: str) -> Path | None:
    """Return the folder that ``root`` (a path or a ``file://`` URL) names, or None if it is a URL of another store.

    Only a URL may reach fsspec: of the path ``/a::b`` it would use ``/a``.

    >>> local_folder("/srv/a::b #1"), local_folder("s3://bucket/data")
    (PosixPath('/srv/a::b #1'), None)
    """
    if _URL.match(root) and not root.startswith("file://"):
        return None
    return Path(root.removeprefix("file://")).expanduser().absolute()


def sha256_bytes(data: bytes) -> str:
    """Return the sha256 of ``data`` as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


class Files:
    """Files below ``url``, named by relative paths (``a/b.parquet``). Every write is atomic.

    A local write goes to a temporary file, is flushed to disk, and is renamed with ``os.replace``. A remote write is a
    single put, which an object store shows only when it is complete.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.fs: Any
        folder = local_folder(self.url)
        self.local = folder is not None
        self.fs, self.root = (LocalFileSystem(), folder.as_posix()) if folder else fsspec.core.url_to_fs(self.url)

    def path(self, name: str) -> str:
        """Return the full path of ``name`` as the filesystem expects it."""
        return f"{self.root}/{name}" if name else self.root

    def below(self, name: str) -> Files:
        """Return the files below the folder ``name``."""
        child = object.__new__(Files)
        child.url, child.fs, child.local = f"{self.url}/{name}", self.fs, self.local
        child.root = f"{self.root}/{name}"
        return child

    def exists(self, name: str) -> bool:
        """Return True if ``name`` exists."""
        return os.path.exists(self.path(name)) if self.local else bool(self.fs.exists(self.path(name)))

    def read(self, name: str) -> bytes | None:
        """Return the content of ``name``, or None if there is no such file."""
        try:
            if self.local:
                return Path(self.path(name)).read_bytes()
            return bytes(self.fs.cat_file(self.path(name)))
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write ``data`` to ``name`` atomically; a local file survives a power cut from then on."""
        if not self.local:
            self.fs.makedirs(self.fs._parent(self.path(name)), exist_ok=True)
            self.fs.pipe_file(self.path(name), data)
            return
        replace_file(Path(self.path(name)), data)

    def write_changed(self, name: str, data: bytes) -> None:
        """Write ``data`` to ``name`` unless that is its content already."""
        if self.read(name) != data:
            self.write(name, data)

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Yield a temporary local path for a new file, to be moved in with :meth:`adopt`; else it is deleted."""
        place = Path(self.root) if self.local else Path(tempfile.gettempdir())
        place.mkdir(parents=True, exist_ok=True)
        temporary = scratch.beside(place / "part")
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def adopt(self, staged: Path, name: str) -> None:
        """Move the complete file ``staged`` to ``name``."""
        if self.local:
            move_in(staged, Path(self.path(name)))
        else:
            self.fs.makedirs(self.fs._parent(self.path(name)), exist_ok=True)
            self.fs.put_file(str(staged), self.path(name))

    def names(self, folder: str = "") -> list[str]:
        """Return the sorted names of the entries directly below ``folder``, without hidden and temporary files."""
        try:
            entries = os.listdir(self.path(folder)) if self.local else [
                entry.rstrip("/").rsplit("/", 1)[-1] for entry in self.fs.ls(self.path(folder), detail=False)
            ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in entries if not name.startswith("."))

    def remove(self, name: str) -> None:
        """Delete ``name`` (a file or a folder) if it exists."""
        path = self.path(name)
        if not self.local:
            if self.fs.exists(path):
                self.fs.rm(path, recursive=True)
        elif os.path.isdir(path):
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)

    def stat(self, name: str) -> tuple[int, float]:
        """Return size in bytes and modification time (seconds; 0 if unknown); raise FileNotFoundError."""
        if self.local:
            found = os.stat(self.path(name))
            return found.st_size, found.st_mtime
        info = self.fs.info(self.path(name))
        modified: Any = info.get("mtime") or info.get("LastModified") or info.get("created") or 0
        return int(info["size"]), float(modified.timestamp() if hasattr(modified, "timestamp") else modified)

    def sha256(self, name: str) -> str:
        """Return the sha256 of the content of ``name``; raise FileNotFoundError."""
        seen = hashlib.sha256()
        with self.open(name) as stream:
            while chunk := stream.read(CHUNK):
                seen.update(chunk)
        return seen.hexdigest()

    def open(self, name: str) -> IO[bytes]:
        """Open ``name`` for reading bytes."""
        return open(self.path(name), "rb") if self.local else self.fs.open(self.path(name), "rb")

    def source(self, name: str) -> str | bytes:
        """Return what the Parquet reader reads: the local path, or the content; raise FileNotFoundError."""
        return self.path(name) if self.local else bytes(self.fs.cat_file(self.path(name)))
