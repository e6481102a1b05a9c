"""Programs that open an unused Dagster home at the same moment."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPEN = """
import os, sys, time
import dagster as dg
from rainbow_assets import below_home
print(flush=True)
sys.stdin.readline()
dg.DagsterInstance.get().get_runs_count()
"""


def test_programs_of_dagster_that_open_an_unused_home_at_once_leave_one_version_in_each_database(project: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    programs = [
        subprocess.Popen([sys.executable, "-c", OPEN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for _ in range(3)]
    for program in programs:
        assert program.stdout and program.stdout.readline() == "\n"
    for program in programs:
        assert program.stdin
        program.stdin.write("\n")
        program.stdin.flush()
    errors = [program.communicate(timeout=120)[1] for program in programs]
    assert [program.returncode for program in programs] == [0, 0, 0], errors
    databases = list((project.parent / "home/data/dagster/history").rglob("*.db"))
    assert {file.stem for file in databases} >= {"runs", "index", "schedules"}
    for file in databases:
        with closing(sqlite3.connect(file)) as connection:
            assert len(connection.execute("select version_num from alembic_version").fetchall()) == 1, file
