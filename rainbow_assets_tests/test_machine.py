"""Trouble of the machine is a sentence with an exit code of 1 or 2; nothing is lost, and the next build is whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest

from rainbow_assets import scratch
from rainbow_assets.assets import GRAPH
from rainbow_assets.cli import LEAST_MEMORY
from rainbow_assets.home import dagster_home
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.lineage.materialize import BuildResult, bring_up_to_date
from rainbow_assets.orchestration import leases
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import LEASE_S, NAME, ShardBusy, writer_lock
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.machine import ROOT, command, ended, full_disk, read_only

BUILD = ("build", "--asset", "base_manifest", "--color", "Green")
NO_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps",
             "-dac_override,-dac_read_search")
"""Root without the right to read and write everything: from then on, the modes of files count, as for any user."""


def state(name: str = "base_manifest") -> str:
    shards = parsed(rainbow("plan", "--color", "Green", "--json"))["shards"]
    return next(entry["state"] for entry in shards if entry["asset"] == name)


def build(project: Path) -> BuildResult:
    """Build one shard as the command does, without Dagster."""
    return bring_up_to_date(GRAPH["base_manifest"], ShardStore(str(project)), "Green")


def retitle(project: Path) -> Path:
    song = project.parent / "corpus/05_01/05_01.yml"
    song.write_text(song.read_text("utf-8").replace("title:", "title: Another", 1), "utf-8")
    return song


@pytest.mark.parametrize("kb", [8, 20, 40])
def test_a_full_disk_leaves_no_half_of_a_shard(project: Path, kb: int) -> None:
    with full_disk(project, kb) as more_space:
        with pytest.raises(OSError, match=rf"No space left on device: '{project}/"):
            build(project)
        assert not list(project.rglob("*.tmp")) and not list(project.rglob("shard.json"))
        more_space()
        assert build(project).problem is None and len(list(project.rglob("shard.json"))) == 1


@pytest.mark.heavy
def test_a_full_data_disk(project: Path) -> None:
    with full_disk(project, 40) as more_space:
        done = rainbow(*BUILD)
        assert done.exit_code == 1 and "cannot be written: the disk is full" in done.output and str(project) in done.output
        assert rainbow("lint").exit_code == 0
        assert rainbow("plan").exit_code == 0, "a cache that cannot be written only costs time"
        more_space()
        assert rainbow(*BUILD).exit_code == 0 and state() == "fresh"


@pytest.mark.heavy
def test_a_full_disk_of_the_dagster_home(project: Path) -> None:
    home = project.parent / "home"
    text = (home / "dagster.yaml").read_text("utf-8")
    with full_disk(home, 100) as more_space:
        (home / "dagster.yaml").write_text(text, "utf-8")
        done = rainbow(*BUILD)
        assert done.exit_code == 1 and "full" in done.output and str(home) in done.output
        more_space()
        assert rainbow(*BUILD).exit_code == 0 and state() == "fresh"


def test_a_full_disk_of_the_hub_and_of_an_order(project: Path) -> None:
    from rainbow_assets.release.directory_hub import DirectoryHub
    from rainbow_assets_tests.release.test_hub import publish

    (project / "hub").mkdir()
    (project / "compositions").mkdir()
    with full_disk(project / "hub", 8) as more_space:
        hub = DirectoryHub(project / "hub")
        with pytest.raises(OSError, match=r"No space left on device: '.*/hub/\.rainbow\."):
            publish(hub, texts={"README.md": "x" * 100_000})
        assert hub.versions() == [] and list((project / "hub").iterdir()) == []
        more_space()
        assert publish(hub) == "published"
    order = project.parent / "PROPOSAL.yml"
    order.write_text("title: Rain\nkey: A minor\nbpm: 97\ntime_signature: 4/4\nrainbow_color: Green\nconcept: rain\n")
    with full_disk(project / "compositions", 4):
        (project / "compositions/filler").write_bytes(b"x" * 4096)
        done = rainbow("compose", str(order))
        assert done.exit_code == 1 and "the disk is full" in done.output, done.output


def test_a_read_only_disk_is_named(project: Path) -> None:
    (project / "cache").mkdir()
    with read_only(project):
        digests = FileDigests(project.parent / "corpus", project / "cache/file_digests.json")
        digests.digest("05_01/05_01.yml")
        digests.save()  # a cache that cannot be written only costs time
        with pytest.raises(OSError, match=rf"Read-only file system: '{project}/shards'"):
            build(project)
    assert build(project).problem is None


@pytest.mark.heavy
def test_read_only_data(project: Path) -> None:
    assert rainbow(*BUILD).exit_code == 0
    retitle(project)
    with read_only(project):
        assert rainbow("plan").exit_code == 0 == rainbow("why", "base_manifest").exit_code == rainbow("lint").exit_code
        for words in (BUILD, ("release",), ("build", "--repair")):
            done = rainbow(*words)
            assert done.exit_code == 1 and done.output.strip(), words
        assert f"{project}/shards/base_manifest/Green/.lock cannot be used (Read-only file system)" in rainbow(*BUILD).output
    assert rainbow(*BUILD).exit_code == 0 and state() == "fresh"


@pytest.mark.heavy
def test_a_user_without_rights(project: Path) -> None:
    """Data, home, one song and one shard that this user may not read or write: a sentence with the place."""
    lock, song = project.parent / "home/.dagster-home.lock", project.parent / "corpus/05_01/05_01.yml"
    assert command(*BUILD, under=NO_RIGHTS).returncode == 0
    index = project / "shards/base_manifest/Green/shard.json"
    for path, words, sentence in (
        (lock, BUILD, f"{lock} cannot be used (Permission denied)"),
        (index, BUILD, f"{index} cannot be used (Permission denied)"),
        (index, ("plan",), f"{index} cannot be used (Permission denied)"),
        (song, BUILD, "05_01/05_01.yml, file: it cannot be opened (Permission denied)"),
        (index.parent, BUILD, "Permission denied"),
    ):
        mode = path.stat().st_mode
        (index.parent / "state.json").unlink(missing_ok=True)
        retitle(project)
        path.chmod(0)
        try:
            done = command(*words, under=NO_RIGHTS)
        finally:
            path.chmod(mode)
        assert done.returncode == 1 and sentence in done.stderr, (path, done.stderr)
    assert command(*BUILD, under=NO_RIGHTS).returncode == 0 and state() == "fresh"


def test_no_dagster_home_and_no_place_for_one(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAGSTER_HOME")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "corpus/05_01/05_01.yml"))
    done = rainbow(*BUILD)
    assert done.exit_code == 2 and "DAGSTER_HOME is not set, and " in done.output and "run: export DAGSTER_HOME=" in done.output
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert dagster_home() == tmp_path / "share/rainbow_assets/dagster"


def test_little_memory_for_everything() -> None:
    done = command("plan", under=("prlimit", f"--as={LEAST_MEMORY - 1}"))
    assert done.returncode == 2 and "run: ulimit -v unlimited" in done.stderr


def long_stem(path: Path, minutes: int) -> None:
    """Write silence, most of it not stored: 16 bits, stereo."""
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44100, 0, "NONE", ""))
    size = minutes * 60 * 44100 * 4
    with path.open("r+b") as stream:
        stream.truncate(44 + size)
        for place, value in ((4, 36 + size), (40, size)):
            stream.seek(place)
            stream.write(value.to_bytes(4, "little"))


def test_little_memory_for_one_stem(tmp_path: Path) -> None:
    """The stem does not fit into what is left: that is known before it is read, not when a library aborts."""
    pytest.importorskip("resource", reason="this system has no limits of memory")
    long_stem(tmp_path / "long.wav", 20)
    code = ("import re, resource, sys\nfrom pathlib import Path\nfrom rainbow_assets.sound.stems import read_stem\n"
            "import soundfile\nused = int(re.search(r'VmSize:\\s+(\\d+)', open('/proc/self/status').read())[1]) << 10\n"
            "resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20),) * 2)\n"
            "try:\n    read_stem(Path(sys.argv[1]))\nexcept MemoryError as error:\n    print(error)")
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "long.wav"], capture_output=True, text=True, check=False)
    assert done.stdout == "long.wav needs 423 MB\n", done.stderr


@pytest.mark.heavy
def test_little_memory_for_one_stem_of_a_build(project: Path) -> None:
    wide = next((project.parent / "corpus/05_01").glob("*wide_pad.wav"))
    short = wide.read_bytes()
    long_stem(wide, 90)
    done = command("build", "--color", "Green", under=("prlimit", f"--as={LEAST_MEMORY}"))
    assert done.returncode == 1
    assert f"there is too little memory for 05_01 ({wide.name} needs " in done.stderr
    wide.write_bytes(short)
    assert command("build", "--color", "Green").returncode == 0


def test_a_clock_that_goes_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert build(project).problem is None
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 40 * 86_400)
    os.utime(retitle(project), (real() - 50 * 86_400,) * 2)
    again = build(project)
    assert again.report is not None and again.report.changed and again.report.computed > 0
    history = json.loads((project / "shards/base_manifest/Green/history.json").read_bytes())
    assert len(history) == 2 and all(entry["seconds"] >= 0 for entry in history)
    assert build(project).report.changed is False  # type: ignore[union-attr]


def test_locks_and_leases_from_the_future_are_free(tmp_path: Path) -> None:
    """Their owners died, and the clock was set back since: nothing waits until it is that late again."""
    files = Files("memory://clock").below("shard")
    for age, free in ((LEASE_S * -2, True), (-60.0, False), (60.0, False), (LEASE_S * 2, True)):
        files.write(NAME, json.dumps({"run": "old", "pid": 1, "host": "x", "since": time.time() - age}).encode())
        if free:
            with writer_lock(files):
                pass
        else:
            with pytest.raises(ShardBusy), writer_lock(files):
                pass
    lease = tmp_path / "run.lock"
    lease.touch()
    os.utime(lease, (time.time() + 86_400,) * 2)
    assert leases._is_free(lease)


KILLED = """
import os, signal, sys
from pathlib import Path
from rainbow_assets import atomic, scratch
from rainbow_assets.storage.files import Files
place = Path(sys.argv[1])
with scratch.folder() as folder, scratch.folder(place), atomic.replacing(place / "x.json") as stream:
    with Files(str(place)).staged() as part:
        part.write_bytes(b"half")
        (folder / "file").write_bytes(b"half")
        stream.write(b"half" * 10_000)
        print(len(list(place.iterdir())), flush=True)
        if sys.argv[2] == "wait":
            sys.stdin.read()
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    place, temporary = tmp_path / "data", tmp_path / "tmp"
    place.mkdir()
    temporary.mkdir()
    old = scratch.beside(tmp_path / "old").name.replace(scratch._machine(), "0" * 8)
    for name, age in ((old, 25 * 3600), (old.replace(".old.", ".young."), 60)):
        (place / name).touch()
        os.utime(place / name, (time.time() - age,) * 2)
    (place / ended("x.json")).touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}

    def process(how: str) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", KILLED, place, how], env=environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    alive = process("wait")
    assert alive.stdout is not None and alive.stdout.readline() == "4\n", "its own three, and the young one"
    for _ in range(2):
        child = process("kill")
        assert child.wait() == -signal.SIGKILL
        assert len(list(place.iterdir())) == 7 and len(list(temporary.iterdir())) == 2, "those of one killed process"
    alive.kill()
    alive.wait()
    scratch.sweep(place)
    scratch.sweep(temporary)
    assert [path.name for path in place.iterdir()] == [old.replace(".old.", ".young.")] and not list(temporary.iterdir())
