"""The README's commands, run in order in an empty folder; and the UI's server, driven as a browser drives it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from rainbow_assets.demo.write import write_demo

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.e2e


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("RAINBOW_", "DAGSTER_"))}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}", "DAGSTER_HOME": str(folder), "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT), **more}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone has that commands read, without the virtual environment."""
    found = tmp_path_factory.mktemp("clone")
    environment_of_make = Path(sys.prefix)
    if not (environment_of_make / "core").is_file():
        pytest.skip("the README's commands need the virtual environment that make sets up")
    (found / "requirements").mkdir()
    for name in ("dagster.yaml", "workspace.yaml", "Makefile", "pyproject.toml", "constraints.txt", "requirements/core.lock"):
        shutil.copy(ROOT / name, found / name)
        os.utime(found / name, (0, 0))  # older than what make installed from it, so that it installs nothing here
    (found / ".venv").symlink_to(environment_of_make)
    (found / "data/dagster").mkdir(parents=True)
    # The commands are the README's; a training of one epoch and few candidates show that they work.
    (found / "rainbow.toml").write_text(
        "[fitness]\nmax_epochs = 1\nfolds = 3\n[composition]\ncandidates = 6\nbeam = 2\nfinals = 2\n", "utf-8")
    return found


def run(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment(folder, **more), capture_output=True,
                          text=True, timeout=400)


def blocks(kind: str) -> list[str]:
    """Fenced blocks of the README."""
    return re.findall(rf"```{kind}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


def stranger(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in an empty environment: a new home, and a PATH without anything of the project."""
    (folder / "home").mkdir(exist_ok=True)
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder / "home"),
           "LANG": "C.UTF-8", "HF_HUB_OFFLINE": "1"}
    return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True,
                          timeout=600)


def test_the_readme_runs_as_written(folder: Path):
    """Every line, block by block, as a person pastes it; `make test` and installing from an index are left out."""
    made = stranger(next(line for line in blocks("console")[0].splitlines() if line == "make demo"), folder)
    assert made.returncode == 0, made.stderr[-3000:]
    last = made.stdout.strip().splitlines()[-8:]
    assert [line.partition(":")[0] for line in last[:5]] == ["time", "threads", "chords", "piece", "next"]
    assert last[5].startswith("published v0.3.0") and "load_dataset" in last[6]
    assert last[7].startswith("hear it:  file:///") and last[7].endswith("/v0.3.0/listen.html")
    assert re.search(r"songs \d+ s, tables \d+ s, chords \d+ s, composition \d+ s, release \d+ s", last[0])
    assert "10 threads packed" in last[1] and Path(last[2].rpartition(" in ")[2]).is_file()
    assert list((folder / last[3].partition(";")[0].removeprefix("piece:    ")).glob("*.flac"))
    assert "DEBUG" not in made.stdout + made.stderr
    python = next(block for block in blocks("python") if "load_dataset" in block)
    code = f"{python}\nprint(green['segment_id'], len(green['audio']['bytes']))"
    loaded = stranger(f".venv/bin/python - <<'END'\n{code}\nEND", folder)
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    assert loaded.stdout.startswith("05_0")
    ran = 0
    for block in blocks("console"):
        lines = [line for line in block.splitlines() if not line.startswith(("make ", "pip ", "rainbow "))]
        script = "\n".join(lines).replace("/path/to/songs", f"{folder}/data/corpus").replace("/srv/datasets", f"{folder}/srv")
        done = stranger(script, folder)
        assert done.returncode == 0, (script, done.stdout[-800:], done.stderr[-2000:])
        assert "Traceback" not in done.stderr
        ran += len(lines)
    assert ran >= 15
    assert (folder / "srv/v0.3.0/README.md").read_bytes() == (folder / "data/hub/v0.3.0/README.md").read_bytes()


def test_one_color_and_a_repeat_are_cheap(folder: Path):
    done = run("dagster asset materialize -m rainbow_assets.definitions --select segments,segment_media --partition Green",
               folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "segments/Green" in done.stderr + done.stdout
    assert " 0 computed" in done.stderr + done.stdout


def test_datasets_loads_every_config_and_streams(folder: Path):
    code = """
import sys
from datasets import Audio, get_dataset_config_names, load_dataset
path = sys.argv[1]
names = get_dataset_config_names(path)
assert names[0] == "preview", names
assert set(names) == {"preview", "preview_mix", "audio", "midi", "base_manifest", "training_segments", "training_full", "embeddings"}
for name in names:
    rows = load_dataset(path, name, split="train")
    assert len(rows) > 0
preview = load_dataset(path, split="train")
assert isinstance(preview.features["audio"], Audio) and preview.features["audio"].sampling_rate == 44100
first = next(iter(load_dataset(path, "preview", split="train", streaming=True)))
assert first["audio"]["bytes"][:4] == b"fLaC" and first["audio"]["path"].endswith(".flac")
full = load_dataset(path, "training_full", split="train")
songs = {}
for row in full:
    songs.setdefault(row["song_id"], set()).add(row["split"])
assert all(len(splits) == 1 for splits in songs.values())
sounds = load_dataset(path, "audio", split="train")
assert {row["audio"]["bytes"][:4] for row in sounds} == {b"fLaC"}
assert all({row["split"]} == songs[row["song_id"]] for row in sounds if not row["is_mix"])
stems = {row["segment_id"] for row in sounds if not row["is_mix"]}
assert stems == {row["segment_id"] for row in full if row["has_audio"]}, "every segment that sounds, and no other"
print("ok")
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder / "data/hub/v0.3.0")], capture_output=True, text=True,
                          env=environment(folder), cwd=folder)
    assert done.stdout.strip() == "ok", done.stderr[-2000:]


LAUNCH = """mutation($colors: [String!]!, $assets: [AssetKeyInput!]!) {
  launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $colors}) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
STATUS = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill { status } ... on PythonError { message } } }"""


def ask(port: int, query: str, variables: dict[str, object]) -> dict:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", method="POST",
                                     data=json.dumps({"query": query, "variables": variables}).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["data"]


@pytest.mark.heavy
def test_the_ui_launches_a_range_of_colors(folder: Path):
    if not (folder / "data/corpus").exists():  # the README's demo makes it, where that test runs too
        write_demo(folder / "data/corpus", songs_per_color=1, seconds=6)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "dev.log").open("w")
    server = subprocess.Popen([str(BIN / "dagster"), "dev", "-h", "127.0.0.1", "-p", str(port)], cwd=folder,
                              env=environment(folder), stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                assets = ask(port, "{ assetNodes { assetKey { path } groupName hasMaterializePermission } }", {})
                if assets["assetNodes"]:
                    break
            except (OSError, KeyError):
                pass
            assert time.monotonic() < deadline and server.poll() is None, (folder / "dev.log").read_text()[-2000:]
            time.sleep(1)
        names = {"/".join(node["assetKey"]["path"]) for node in assets["assetNodes"]}
        assert {"base_manifest", "segments", "published_dataset", "taxonomy"} <= names
        started = ask(port, LAUNCH, {"colors": ["Red", "Orange"],
                                     "assets": [{"path": ["base_manifest"]}, {"path": ["song_splits"]}]})
        found = started["launchPartitionBackfill"]
        assert found["__typename"] == "LaunchBackfillSuccess", found
        status = ""
        while not status.startswith("COMPLETED"):
            assert time.monotonic() < deadline + 180, (status, (folder / "dev.log").read_text()[-2000:])
            time.sleep(2)
            status = ask(port, STATUS, {"id": found["backfillId"]})["partitionBackfillOrError"]["status"]
        assert status == "COMPLETED_SUCCESS"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:  # its daemons are in the middle of a tick; nothing of theirs is needed
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(30)
        log.close()
