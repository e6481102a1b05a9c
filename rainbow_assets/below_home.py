"""Dagster's storage classes, with their folders below the Dagster home.

Dagster resolves a relative ``base_dir`` of ``dagster.yaml`` against the working folder. A command that runs in another
folder would write a second history there, which the UI does not show.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from rainbow_assets.storage.lock import file_lock

LOCK = ".lock"


def _placed(config: Any) -> Any:
    """Return ``config`` with its ``base_dir`` below ``DAGSTER_HOME``."""
    return {**config, "base_dir": str(Path(os.environ["DAGSTER_HOME"], config["base_dir"]).absolute())}


class History(DagsterSqliteStorage):
    """Runs, events and schedules, in SQLite files."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> DagsterSqliteStorage:
        """Open the databases; two processes open them one after the other.

        Dagster writes its version into a new database in two steps. Two processes that do so at once can leave two
        versions in it, and then no process can open it.
        """
        placed = _placed(config_value)
        with file_lock(Path(placed["base_dir"], LOCK)):
            return super().from_config_value(inst_data, placed)


class Artifacts(LocalArtifactStorage):
    """Files that Dagster stores."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> LocalArtifactStorage:
        """Open the folder."""
        return super().from_config_value(inst_data, _placed(config_value))


class Logs(LocalComputeLogManager):
    """Output that steps print."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> LocalComputeLogManager:
        """Open the folder."""
        return super().from_config_value(inst_data, _placed(config_value))
