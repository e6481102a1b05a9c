"""The index of packed threads: one line each, sorted by title, equal for equal threads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rainbow_assets.ingest.yaml_write import Rows, dump
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.manifest import iso
from rainbow_assets.threads.model import Thread

NAME = "index.yml"


def index_row(thread: Thread, directory: str) -> dict[str, Any]:
    """Return the row of ``tables.INDEX`` for a thread that is packed in ``directory``.

    ``timestamp`` is the final proposal's own, else the newest time that an artifact of the thread says of itself.
    """
    final = thread.final
    own = iso(round(final.timestamp * 1000)) if final.timestamp is not None else None
    newest = iso(thread.newest_ms)
    return {
        "thread_id": thread.thread_id, "directory": directory, "title": final.title, "bpm": final.bpm,
        "key": final.key.label, "time_signature": final.meter.label, "rainbow_color": final.color,
        "iteration_count": len(thread.iterations), "timestamp": own or newest,
        "timestamp_source": "manifest" if own else "newest_artifact" if newest else None, "concept": final.concept,
    }


def sorted_rows(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in the order of the index: by title, then thread id."""
    return sorted(rows, key=lambda row: (row["title"], row["thread_id"]))


def index_text(rows: Iterable[dict[str, Any]]) -> str:
    """Return the rows as ``index.yml``."""
    ordered = sorted_rows(rows)
    return dump({"thread_count": len(ordered), "threads": Rows(ordered)})


def write_index(out: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Replace ``index.yml`` in ``out``, atomically; an equal one is left alone."""
    data = index_text(rows).encode()
    files = Files(str(out))
    if files.read(NAME) != data:
        files.write(NAME, data)
