"""The index of packed threads: one line each, sorted by title, equal for equal manifests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rainbow_assets.storage.files import Files
from rainbow_assets.threads.packed import Packed
from rainbow_assets.threads.yaml_write import Rows, dump

NAME = "index.yml"


def index_rows(threads: Iterable[Packed]) -> list[dict[str, Any]]:
    """Return the rows of ``tables.INDEX``: sorted by title, then thread id.

    ``timestamp`` is the manifest's own, else the newest time that an artifact of the thread says of itself.
    """
    rows = [{
        "thread_id": item.thread_id, "directory": item.directory, "title": item.final.title, "bpm": item.final.bpm,
        "key": item.final.key.label, "time_signature": item.final.time_signature, "rainbow_color": item.final.color,
        "iteration_count": item.iteration_count, "timestamp": item.timestamp,
        "timestamp_source": item.timestamp_source, "concept": item.final.concept,
    } for item in threads]
    return sorted(rows, key=lambda row: (row["title"], row["thread_id"]))


def index_text(rows: list[dict[str, Any]]) -> str:
    """Return the rows as ``index.yml``."""
    return dump({"thread_count": len(rows), "threads": Rows(rows)})


def write_index(out: Path, rows: list[dict[str, Any]]) -> None:
    """Replace ``index.yml`` in ``out``, atomically; an equal one is left alone."""
    data = index_text(rows).encode()
    files = Files(str(out))
    if files.read(NAME) != data:
        files.write(NAME, data)
