"""Dagster's SQLite databases, kept open while a run of the command line writes to them.

Dagster makes an engine for every event, connects, and closes it: each time the statements are compiled again, and the
last to close a database writes all of it back to disk, thousands of times in a run.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

PLACES: tuple[Any, ...] = (sqlite_event_log, sqlite_run_storage)
"""Dagster's modules that connect to SQLite; databases of other kinds are left alone."""


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Let Dagster go on with the engine that it made first for a database, until the end."""
    engines: dict[str, sqlalchemy.Engine] = {}

    def engine_of(url: str, **options: Any) -> sqlalchemy.Engine:
        if url not in engines:
            arguments = {**options.pop("connect_args", {}), "check_same_thread": False}
            engines[url] = engine = sqlalchemy.create_engine(
                url, **{**options, "poolclass": QueuePool}, connect_args=arguments)
            event.listen(engine, "connect", _quicker)
            closing.callback(engine.dispose)
            engine.dispose = _not_yet  # Dagster calls it after every event
        return engines[url]

    with contextlib.ExitStack() as closing:
        for module in PLACES:
            closing.callback(setattr, module, "create_engine", module.create_engine)
            module.create_engine = engine_of
        yield


def _not_yet(close: bool = True) -> None:
    """Leave an engine open: the run goes on."""


def _quicker(connection: Any, record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        # A power cut may lose the last events, never the database; the next build reports them again.
        connection.execute("PRAGMA synchronous = NORMAL")
