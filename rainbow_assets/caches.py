"""Small JSON caches. A cache that is damaged or cannot be written only costs time: its content is computed again."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def read_cache(path: Path) -> dict[str, Any]:
    """Return the entries of the cache at ``path``, or an empty mapping if it is missing or cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def kept(path: Path | None, key: str, make: Callable[[], str]) -> str:
    """Return the text that is cached at ``path`` under ``key``; if there is none, call ``make`` and cache its text."""
    known = read_cache(path) if path else {}
    if known.get("key") == key and isinstance(known.get("text"), str):
        return known["text"]
    text = make()
    if path:
        write_cache(path, {"key": key, "text": text})
    return text


def write_cache(path: Path, entries: dict[str, Any]) -> None:
    """Replace the cache at ``path`` atomically; do nothing if it cannot be written."""
    # A random name, because two processes may write the same cache at once.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(json.dumps(entries, sort_keys=True).encode())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
