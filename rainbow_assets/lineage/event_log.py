"""Dagster's SQLite event log, kept open while a run of the command line writes to it.

Dagster opens and closes a connection for every event. The last one to close a database writes all of it back to disk
and deletes its write-ahead log, thousands of times in a run. One idle connection per database prevents that.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Keep every SQLite database open that is opened meanwhile; other databases are left alone."""
    with contextlib.ExitStack() as held:
        known: set[str] = set()

        def connected(connection: Any, record: Any) -> None:
            if not isinstance(connection, sqlite3.Connection):
                return
            if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                # A power cut may lose the last events, never the database; the next build reports them again.
                connection.execute("PRAGMA synchronous = NORMAL")
            path = connection.execute("PRAGMA database_list").fetchone()[2]
            if path and path not in known:
                known.add(path)
                held.enter_context(_idle(path))

        event.listen(Engine, "connect", connected)
        held.callback(event.remove, Engine, "connect", connected)
        yield


@contextlib.contextmanager
def _idle(path: str) -> Iterator[None]:
    # Opened in whichever thread came first, closed by the one that ends the run.
    with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the write-ahead log
        yield
