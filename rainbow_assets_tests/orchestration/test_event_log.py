"""SQLite databases stay open during a run, so that closing a connection does not write the whole log back."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from sqlalchemy.pool import NullPool

from rainbow_assets.orchestration.event_log import kept_open


def write(path: Path, number: int) -> None:
    """Open, write and close, as Dagster does for each event."""
    engine = sqlite_event_log.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection, connection.begin():
        connection.execute(sqlalchemy.text("PRAGMA journal_mode = WAL"))
        connection.execute(sqlalchemy.text("CREATE TABLE IF NOT EXISTS events (number INTEGER)"))
        connection.execute(sqlalchemy.text(f"INSERT INTO events VALUES ({number})"))
    engine.dispose()


def count(path: Path) -> int:
    with sqlalchemy.create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() as connection:
        return int(connection.execute(sqlalchemy.text("SELECT count(*) FROM events")).scalar_one())


def test_the_log_is_written_back_once_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    write(path, 0)
    assert not (tmp_path / "events.db-wal").exists(), "the only connection writes back when it closes"
    with kept_open():
        for number in range(1, 6):
            write(path, number)
            assert (tmp_path / "events.db-wal").exists()
        assert count(path) == 6, "others see what was written"
    assert not (tmp_path / "events.db-wal").exists() and count(path) == 6
    write(path, 6)
    assert not (tmp_path / "events.db-wal").exists(), "nothing is kept open afterwards"
    assert sqlite_event_log.create_engine is sqlalchemy.create_engine


def test_an_error_ends_it_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), kept_open():
        write(tmp_path / "events.db", 1)
        write(tmp_path / "events.db", 2)
        raise ValueError("stop")
    assert not (tmp_path / "events.db-wal").exists() and count(tmp_path / "events.db") == 2
