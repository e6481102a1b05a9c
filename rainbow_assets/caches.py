"""Small JSON caches. A cache that is damaged or cannot be written only costs time: its content is computed again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rainbow_assets.atomic import replace_file
from rainbow_assets.markdown import Markdown


def read_cache(path: Path) -> dict[str, Any]:
    """Return the entries of the cache at ``path``, or an empty mapping if it is missing or cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def kept(path: Path | None, key: str, make: Callable[[], Markdown]) -> Markdown:
    """Return the Markdown that is cached at ``path`` under ``key``; if there is none, cache what ``make`` returns."""
    known = read_cache(path) if path else {}
    if known.get("key") == key and isinstance(known.get("text"), str):
        return Markdown(known["text"])
    text = make()
    if path:
        write_cache(path, {"key": key, "text": text})
    return text


def write_cache(path: Path, entries: dict[str, Any]) -> None:
    """Replace the cache at ``path``, as a whole; nothing happens if the disk does not let it."""
    with contextlib.suppress(OSError):
        replace_file(path, json.dumps(entries, sort_keys=True).encode())
