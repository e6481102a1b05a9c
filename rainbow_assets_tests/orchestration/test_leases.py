"""A run whose process was killed is recorded as failed, holds no place in the queue, and is asked for again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from dagster._core.storage.tags import AUTOMATION_CONDITION_TAG

from rainbow_assets.definitions import defs
from rainbow_assets.orchestration import jobs, leases
from rainbow_assets_tests.command import rainbow

ROOT = Path(__file__).resolve().parents[2]


def unfinished(here: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return list(here.get_runs(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)))


@pytest.fixture
def killed(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a run that was killed in the middle, as every command of Dagster begins one."""
    words = ["-m", "dagster", "asset", "materialize", "-m", "rainbow_assets.definitions", "--select", "*",
             "--partition-range", "Black...White"]
    process = subprocess.Popen([sys.executable, *words], env={**os.environ, "PYTHONPATH": str(ROOT)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with jobs.instance() as here:
        deadline = time.monotonic() + 120
        while not (process.poll() is None and (project / "shards/base_manifest/Green/shard.json").exists()):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        run = unfinished(here)[0]
        monkeypatch.setattr(leases, "YOUNG_S", 0.0)
        assert leases.bury(here) == [], "it is alive"
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        process.wait()
        assert unfinished(here), "nobody has told Dagster"
    return run.run_id


def test_a_killed_run_is_buried_and_the_next_build_goes_on(killed: str):
    with jobs.instance() as here:
        assert [run.run_id for run in leases.bury(here)] == [killed]
        assert here.get_run_by_id(killed).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert unfinished(here) == [] == leases.bury(here)
    assert rainbow("build", "--asset", "base_manifest").exit_code == 0


def test_what_automation_asked_for_is_asked_for_again(project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leases, "YOUNG_S", 0.0)
    with jobs.instance() as here:
        run = here.create_run_for_job(
            defs.resolve_job_def("songs_to_tables"), asset_selection=frozenset({dg.AssetKey("segments")}),
            status=dg.DagsterRunStatus.STARTED,
            tags={AUTOMATION_CONDITION_TAG: "true", "dagster/partition": "Green", "dagster/sensor_name": "keep_up_to_date"})
        by_hand = here.create_run_for_job(defs.resolve_job_def("songs_to_tables"), status=dg.DagsterRunStatus.STARTED)
        leases._folder(here).mkdir(parents=True)
        for one in (run, by_hand):
            (leases._folder(here) / f"{one.run_id}.lock").touch()
        result = leases.dead_runs(dg.build_sensor_context(here, definitions=defs))
        assert unfinished(here) == [], "what a person ran is dead as well, and nobody repeats it"
    (request,) = result.run_requests
    assert request.asset_selection == [dg.AssetKey("segments")]
    assert request.tags["dagster/partition"] == "Green"
    assert "dagster/sensor_name" not in request.tags


def test_a_build_from_another_folder_has_the_same_history(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert rainbow("build", "--asset", "base_manifest").exit_code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert "nothing" in rainbow("build", "--asset", "base_manifest").output
    with jobs.instance() as here:
        assert here.get_latest_materialization_event(dg.AssetKey("base_manifest")) is not None
    assert list(elsewhere.iterdir()) == []
