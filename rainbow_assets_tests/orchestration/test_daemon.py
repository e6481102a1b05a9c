"""The daemon itself: its sensors, started as a person starts them, bring a corpus to tables."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rainbow_assets.storage.store import ShardStore

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
WAIT_S = 420


@pytest.mark.heavy
def test_the_daemon_takes_a_new_corpus_to_segments(project: Path):
    here = project.parent
    (here / "workspace.yaml").write_text(
        "load_from:\n  - python_module:\n      module_name: rainbow_assets.definitions\n      working_directory: .\n", "utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "1"}

    def command(*words: str) -> None:
        done = subprocess.run([str(BIN / words[0]), *words[1:]], cwd=here, env=env, capture_output=True, text=True, timeout=180)
        assert done.returncode == 0, done.stderr[-2000:]

    command("dagster", "instance", "migrate")
    command("dagster", "sensor", "start", "--start-all", "-w", "workspace.yaml")
    log = (here / "daemon.log").open("w", encoding="utf-8")
    daemon = subprocess.Popen([str(BIN / "dagster-daemon"), "run", "-w", "workspace.yaml"], cwd=here, env=env,
                              stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        store, deadline = ShardStore(str(project)), time.monotonic() + WAIT_S
        while time.monotonic() < deadline and store.shard("segments", "Green").index() is None:
            assert daemon.poll() is None, (here / "daemon.log").read_text("utf-8")[-2000:]
            time.sleep(2)
        index = store.shard("segments", "Green").index()
        assert index is not None and index.rows > 0, (here / "daemon.log").read_text("utf-8")[-3000:]
    finally:
        os.killpg(daemon.pid, signal.SIGTERM)
        daemon.wait(60)
        log.close()
