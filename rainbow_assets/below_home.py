"""Dagster's storages with folders below the Dagster home.

A relative ``base_dir`` in ``dagster.yaml`` means the working folder of whoever runs a command: from another folder
there is a second history, which the UI never sees.
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
        """Open the databases, one program after the other.

        Dagster marks a new database with its version in two steps. Two programs that do so at once may leave two
        versions in it, and no program opens it again.
        """
        placed = _placed(config_value)
        with file_lock(Path(placed["base_dir"], LOCK)):
            return super().from_config_value(inst_data, placed)


class Artifacts(LocalArtifactStorage):
    """Files that Dagster keeps."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> LocalArtifactStorage:
        """Open the folder."""
        return super().from_config_value(inst_data, _placed(config_value))


class Logs(LocalComputeLogManager):
    """What steps print."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> LocalComputeLogManager:
        """Open the folder."""
        return super().from_config_value(inst_data, _placed(config_value))
