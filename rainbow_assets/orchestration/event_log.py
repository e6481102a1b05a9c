"""Keeping Dagster's SQLite databases open while a run of the command line writes to them.

Dagster opens and closes a new SQLAlchemy engine for every event. Each one compiles its statements again, and when the
last connection closes, SQLite writes its log back to the database, thousands of times in a run.
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
"""Dagster's modules that connect to SQLite; other databases are not changed."""


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Let Dagster use one engine per database, from the first event to the last."""
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
    """Do not close an engine, because the run continues."""


def _quicker(connection: Any, record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        # A power cut may lose the last events but never damages the database; the next build reports them again.
        connection.execute("PRAGMA synchronous = NORMAL")
