"""What is hashed is what is read: a raw file's bytes are compared with the digest that its rows were listed by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rainbow_assets.door import read_file
from rainbow_assets.errors import RainbowError


class SourceMoved(RainbowError):
    """A raw file is not the one that was listed: it was written while a build read the songs."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} changed while it was read; wait until it is written, and run: rainbow build")


def unmoved(path: Path, sha256: str | None) -> bytes | None:
    """Return the content of ``path`` after comparing it with ``sha256``; None if no digest was listed for it.

    Raises ``SourceMoved`` where the file is another one, or gone. It is read once, so that one that was written
    meanwhile and put back is seen, too.
    """
    if sha256 is None:
        return None
    try:
        data = read_file(path)
    except FileNotFoundError:
        data = None
    found = None if data is None else hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SourceMoved(f"{path.parent.name}/{path.name}")
    return data
