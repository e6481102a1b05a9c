"""Faults on the real graph: killed builds, two builds at once, random edits. An incremental build equals a clean one."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile
import yaml
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, plan
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.counts import count

pytestmark = pytest.mark.heavy
EDITS = ("concept", "mood", "lyric", "stem", "stem rate", "midi gone", "comment", "title", "song again", "song gone",
         "section", "stem gone", "override")
COLORS = ("Red", "Green", "Blue")
BUILD = """
import sys
from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
store = ShardStore(sys.argv[1])
for color in sys.argv[2].split(","):
    for step in GRAPH.colored().values():
        outcome = bring_up_to_date(step, store, color)
        assert outcome.problem is None, outcome.problem
"""


def build(data: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch, colors: tuple[str, ...] = COLORS) -> None:
    """Bring every asset of ``colors`` up to date in this process."""
    monkeypatch.setenv("RAINBOW_CORPUS", str(corpus))
    store = ShardStore(str(data))
    for color in colors:
        for step in GRAPH.colored().values():
            outcome = bring_up_to_date(step, store, color, allow_deletes=True)
            assert outcome.problem is None, outcome.problem
            assert all(verdict.passed for verdict in outcome.verdicts), [v for v in outcome.verdicts if not v.passed]


def rows(store: ShardStore) -> dict[tuple[str, str], dict[str, str]]:
    """{shard: {key: digest of its row, or why it has none}}."""
    found = {}
    for name in GRAPH.colored():
        for color in COLORS:
            ledger = store.shard(name, color).ledger(["key", "output", "reason"])
            found[name, color] = {} if ledger is None else {key: out or why for key, out, why in ledger.iter_rows()}
    return found


def build_as_planned(data: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Build, and hold what became of each row against the plan; afterwards a plan has nothing."""
    monkeypatch.setenv("RAINBOW_CORPUS", str(corpus))
    store, steps = ShardStore(str(data)), GRAPH.colored()
    planned, before = plan(steps, store, COLORS, allow_deletes=True), rows(store)
    build(data, corpus, monkeypatch)
    after = rows(store)
    for entry in planned:
        was, now = (found[entry.asset, entry.partition] for found in (before, after))
        moved = {key for key in {*was, *now} if was.get(key) != now.get(key)}
        named = entry.keys | entry.gone | entry.may_go | (set(now) - set(was) if entry.more else set())
        assert moved <= named, (entry, moved - named)
        assert entry.at_most or entry.gone == set(was) - set(now), entry
    left = [entry for entry in plan(steps, store, COLORS) if entry.state != FRESH]
    assert not left, left


def state(data: Path) -> dict[str, str]:
    """Digest of every live file of every shard, and of its index: what readers see."""
    found = {}
    store = ShardStore(str(data))
    for color in COLORS:
        for name in GRAPH.colored():
            shard = store.shard(name, color)
            index = shard.require_index()
            for file in ("shard.json", index.ledger, *(part.name for part in index.parts)):
                found[f"{name}/{color}/{file}"] = hashlib.sha256(shard.files.read(file) or b"").hexdigest()
    return found


def start(data: Path, corpus: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", BUILD, str(data), ",".join(COLORS)],
                            env={**os.environ, "RAINBOW_CORPUS": str(corpus)}, stderr=subprocess.PIPE)


@pytest.mark.counted
def test_killed_builds_end_like_an_undisturbed_one(tiny_corpus, tmp_path, monkeypatch):
    clean = tmp_path / "clean"
    begun = time.monotonic()
    child = start(clean, tiny_corpus)
    assert child.wait() == 0, child.stderr and child.stderr.read().decode()[-800:]
    whole = time.monotonic() - begun
    expected = state(clean)
    rng = random.Random(5)
    data = tmp_path / "killed"
    for kill in range(count("kills")):
        if kill % 5 == 0:
            shutil.rmtree(data, ignore_errors=True)
        child = start(data, tiny_corpus)
        time.sleep(rng.uniform(0.3, max(0.6, whole)))
        child.send_signal(signal.SIGKILL)
        child.wait()
        for color in COLORS:
            for name in GRAPH.colored():
                shard = ShardStore(str(data)).shard(name, color)
                if shard.index() is not None:
                    list(shard.tables())  # whole, by digest, at any moment
    build(data, tiny_corpus, monkeypatch)
    assert state(data) == expected


def test_two_builds_at_once_end_like_one(tiny_corpus, tmp_path, monkeypatch):
    build(tmp_path / "one", tiny_corpus, monkeypatch)
    children = [start(tmp_path / "two", tiny_corpus) for _ in range(2)]
    for child in children:
        assert child.wait() == 0, child.stderr and child.stderr.read().decode()[-800:]
    assert state(tmp_path / "two") == state(tmp_path / "one")


def test_a_full_disk_leaves_the_shard_and_the_next_build_completes(tiny_corpus, tmp_path, monkeypatch):
    """The disk is really full: a file size limit of the process makes every larger write fail."""
    limited = BUILD.replace("import sys\n", "import sys, resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
                            "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n", 1)
    data = tmp_path / "full"
    found = subprocess.run([sys.executable, "-c", limited, str(data), "Red"], capture_output=True, text=True,
                           env={**os.environ, "RAINBOW_CORPUS": str(tiny_corpus)})
    assert found.returncode != 0
    assert "File too large" in found.stderr
    store = ShardStore(str(data))
    assert store.shard("segment_media", "Red").index() is None, "nothing half written is live"
    build(data, tiny_corpus, monkeypatch)
    build(tmp_path / "clean", tiny_corpus, monkeypatch)
    assert state(data) == state(tmp_path / "clean")


def edit(corpus: Path, kind: str, rng: random.Random) -> str:
    """Change one thing in the raw songs, as an artist would; return what."""
    songs = sorted(path for path in corpus.iterdir() if path.is_dir())
    song = rng.choice(songs)
    manifest, lyrics = song / f"{song.name}.yml", song / f"{song.name}.lrc"
    text = manifest.read_text("utf-8")
    stems = sorted(path for path in song.glob("*.wav") if "main" not in path.name)
    if kind in ("concept", "mood", "title"):
        document = yaml.safe_load(text)
        document[kind] = {"concept": f"Once more, {rng.random()}.", "mood": [f"restless {rng.randrange(9)}"],
                          "title": f"Part {rng.randrange(9)}"}[kind]
        manifest.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    elif kind == "comment":
        manifest.write_text(text + f"# {rng.random()}\n", "utf-8")
    elif kind == "lyric" and lyrics.exists():
        lines = lyrics.read_text("utf-8").splitlines()
        lines[-1] += f" {rng.randrange(99)}"
        lyrics.write_text("\n".join(lines), "utf-8")
    elif kind == "stem":
        samples, rate = soundfile.read(rng.choice(stems), dtype="int16")
        soundfile.write(rng.choice(stems), samples // 2, rate, subtype="PCM_16")
    elif kind == "stem rate":
        samples, _ = soundfile.read(stems[0], dtype="int16")
        soundfile.write(stems[0], samples, 48000, subtype="PCM_16")
    elif kind == "midi gone":
        for path in sorted(song.glob("*.mid"))[:1]:
            path.unlink()
    elif kind == "song again":
        copy = corpus / f"{song.name[:3]}{rng.randrange(20, 99)}"
        if not copy.exists():
            shutil.copytree(song, copy)
            (copy / f"{song.name}.yml").rename(copy / f"{copy.name}.yml")
    elif kind == "song gone" and len(songs) > 2:
        shutil.rmtree(song)
    elif kind == "section":
        document = yaml.safe_load(text)
        document["structure"] = document["structure"][:-1] or document["structure"]
        manifest.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    elif kind == "stem gone" and len(stems) > 1:
        rng.choice(stems).unlink()
    elif kind == "override":
        (corpus / "corpus.toml").write_text(f'[album."{song.name[:2]}"]\nunit = "ms"\n# {rng.random()}\n', "utf-8")
    return f"{kind} of {song.name}"


class EditScripts(RuleBasedStateMachine):
    """Edits and builds in any order. At the end the data must be, byte for byte, what a clean build makes."""

    def __init__(self, folder: Path, corpus: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.folder, self.monkeypatch, self.done = folder, monkeypatch, list[str]()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(corpus, folder / "corpus")
        shutil.copytree(built, folder / "data")

    @rule(kind=st.sampled_from(EDITS), seed=st.integers(0, 2**16))
    def edit(self, kind: str, seed: int) -> None:
        if len(list((self.folder / "corpus").iterdir())) < 8:
            self.done.append(edit(self.folder / "corpus", kind, random.Random(seed)))

    @precondition(lambda self: self.done and self.done[-1] != "build")
    @rule()
    def build(self) -> None:
        build_as_planned(self.folder / "data", self.folder / "corpus", self.monkeypatch)
        self.done.append("build")

    def teardown(self) -> None:
        build_as_planned(self.folder / "data", self.folder / "corpus", self.monkeypatch)
        build(self.folder / "clean", self.folder / "corpus", self.monkeypatch)
        assert state(self.folder / "data") == state(self.folder / "clean"), self.done


@pytest.mark.counted
def test_random_edit_scripts_give_the_bytes_of_a_clean_build(tiny_corpus, tmp_path, monkeypatch):
    build(tmp_path / "built", tiny_corpus, monkeypatch)
    run_state_machine_as_test(
        lambda: EditScripts(tmp_path / "script", tiny_corpus, tmp_path / "built", monkeypatch),
        settings=hypothesis_settings(max_examples=count("edit_scripts"), stateful_step_count=4, deadline=None,
                                     derandomize=True, database=None, phases=[Phase.generate],
                                     suppress_health_check=list(HealthCheck)))  # shrinking would take hours
