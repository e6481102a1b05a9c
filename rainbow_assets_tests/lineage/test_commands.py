"""Edit scripts by real processes: builds that are killed, lone materializations and releases in between."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.lineage.test_heavy import EDITS, edit

pytestmark = [pytest.mark.heavy, pytest.mark.counted]
LONE = ("base_manifest", "song_splits", "segments", "segment_media", "training_full", "lyric_embeddings", "preview")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=600)


def rainbow(*words: str) -> subprocess.CompletedProcess[str]:
    return run("rainbow_assets.cli", *words)


def state(data: Path) -> dict[str, bytes | None]:
    """The index of every shard that builds make: it names all other files by their content."""
    store = ShardStore(str(data))
    return {f"{name}/{color}": store.shard(name, color).files.read("shard.json")
            for name, step in GRAPH.items() if not step.on_request for color in step.partitions}


def act(project: Path, rng: random.Random) -> str:
    """Do one thing that people and machines do; a command may be refused, and then says so without a traceback."""
    what = rng.choice(["edit", "edit", "edit", "kill", "lone", "build", "release"])
    if what == "edit":
        return edit(project.parent / "corpus", rng.choice(EDITS), rng)
    if what == "kill":
        process = subprocess.Popen([sys.executable, "-m", "rainbow_assets.cli", "build", "--allow-deletes"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(1.5, 8))
        process.send_signal(signal.SIGKILL)
        process.wait()
        return "a build was killed"
    if what == "lone":
        asset, color = rng.choice(LONE), rng.choice(["Red", "Green", "Blue"])
        run("dagster", "asset", "materialize", "-m", "rainbow_assets.definitions", "--select", asset, "--partition", color)
        return f"{asset} of {color} alone"
    done = rainbow("build", "--allow-deletes") if what == "build" else rainbow("release")
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr[-2000:]
    return f"{what}: {done.returncode}"


@pytest.mark.parametrize("script", range(count("command_scripts")))
def test_after_whatever_happened_one_build_and_one_release_are_right(
    whole: Path, tmp_path: Path, script: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    rng = random.Random(f"{os.environ['RAINBOW_TEST_SEED']} {script}")
    story = [act(whole, rng) for _ in range(5)]
    built = rainbow("build", "--allow-deletes")
    assert built.returncode == 0, (story, built.stderr[-2000:])
    entries = json.loads(rainbow("plan", "--json").stdout)["shards"]
    assert [entry for entry in entries if entry["state"] != "fresh" and not entry["on_request"]] == [], story
    released = rainbow("release")
    assert released.returncode == 0, (story, released.stderr[-2000:])
    versions = (path.name for path in (whole / "hub").glob("v*"))
    newest = max(versions, key=lambda name: [int(n) for n in name[1:].split(".")])
    verified = rainbow("verify", newest[1:], "--json")
    assert verified.returncode == 0, (story, verified.stdout[-2000:])
    mine = state(whole)
    clean = tmp_path / "clean"
    shutil.copytree(whole.parent / "home", clean / "home", ignore=shutil.ignore_patterns("history", "leases", "storage"))
    monkeypatch.setenv("RAINBOW_DATA", str(clean / "data"))
    monkeypatch.setenv("DAGSTER_HOME", str(clean / "home"))
    again = rainbow("build")
    assert again.returncode == 0, (story, again.stderr[-2000:])
    theirs = state(clean / "data")
    assert {name for name in mine if mine[name] != theirs[name]} == set(), story
