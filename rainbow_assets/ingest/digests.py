"""Content digests of raw files, cached by what the filesystem says of them, so that a build reads only what moved."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from rainbow_assets.caches import read_cache, write_cache
from rainbow_assets.door import MEDIA_BYTES, RefusedFile, opened, require_size

CHUNK = 1 << 20
_VERSION = 1


def file_sha256(path: Path, most: int = MEDIA_BYTES) -> str:
    """Return the sha256 of the file's bytes as 64 hex digits; raise ``RefusedFile`` if there are more than ``most``."""
    with opened(path) as stream:
        require_size(os.fstat(stream.fileno()).st_size, most)
        return hashlib.file_digest(stream, "sha256").hexdigest()


class FileDigests:
    """Digests of files below ``root``; a cached one counts while size, mtime_ns, ctime_ns and inode are the same.

    The change time moves with every write, so that an edit of equal size whose modification time was put back is
    seen too. ``cache`` is a JSON file, or None for no cache; :meth:`save` replaces it atomically.
    """

    def __init__(self, root: Path, cache: Path | None) -> None:
        self.root, self.cache = root, cache
        self._known: dict[str, list[object]] = self._load()
        self._dirty = False

    def _load(self) -> dict[str, list[object]]:
        document = read_cache(self.cache) if self.cache else {}
        files = document.get("files") if document.get("version") == _VERSION else None
        if not isinstance(files, dict):
            return {}
        return {name: state for name, state in files.items() if isinstance(state, list) and len(state) == 5}

    def digest(self, name: str, most: int = MEDIA_BYTES) -> str:
        """Return the sha256 of the file ``name`` (relative to the root), which has ``most`` bytes at most.

        Raises ``RefusedFile``, which names it.
        """
        path, state = self.root / name, self._state(name)
        known = self._known.get(name)
        if known is not None and known[:4] == state:
            return str(known[4])
        try:
            value = file_sha256(path, most)
        except RefusedFile as error:
            raise RefusedFile(f"{name}: {error}") from None
        self._known[name] = [*state, value]
        self._dirty = True
        return value

    def holds(self, name: str) -> bool:
        """Return True if the file is still the one that was digested."""
        try:
            return self._known.get(name, [])[:4] == self._state(name)
        except OSError:
            return False

    def _state(self, name: str) -> list[object]:
        found = (self.root / name).stat()
        return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]

    def save(self) -> None:
        """Write the cache if something was read; files that are gone are forgotten."""
        if self.cache is None or not self._dirty:
            return
        kept = {name: state for name, state in sorted(self._known.items()) if (self.root / name).exists()}
        write_cache(self.cache, {"version": _VERSION, "files": kept})
        self._dirty = False
