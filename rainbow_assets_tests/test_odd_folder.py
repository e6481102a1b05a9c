"""Paths and texts are data: every verb works in a folder whose name has a meaning to globs, URLs, shells and encodings,
on texts that command terminals, Markdown and HTML, and what it prints and writes commands nothing."""

from __future__ import annotations

import contextlib
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
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import dagster as dg
import pytest
import yaml

from rainbow_assets import settings
from rainbow_assets.cli import main
from rainbow_assets.orchestration import jobs
from rainbow_assets.text import CONTROL
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.harmony.packs import original_layout
from rainbow_assets_tests.threads import synth

ROOT = Path(__file__).resolve().parents[1]
ODD = "we [1] #2 100% é"
FEW = ("[composition]\ncandidates = 4\nkeep = 2\nbeam = 2\nfinals = 2\ngenerations = 1\nbars = 4\n"
       "[fitness]\nmax_epochs = 1\nbatch = 64\nfolds = 3\ndevice = \"cpu\"\n")
VARIABLES = {"RAINBOW_CORPUS": "corpus", "RAINBOW_DATA": "data", "DAGSTER_HOME": "home", "RAINBOW_THREADS": "raw",
             "RAINBOW_CHORDS": "chords", "RAINBOW_HUB": "hub"}


@pytest.fixture
def odd(whole: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A built project whose folder, and every folder that it uses, is below :data:`ODD`; the working folder."""
    place = whole.parent / ODD
    place.mkdir()
    for name in ("corpus", "data", "home"):
        shutil.move(whole.parent / name, place / name)
    for variable, name in VARIABLES.items():
        monkeypatch.setenv(variable, str(place / name))
    thread = synth.write_thread(place / "raw", 1, files=3, title=EVIL, concept=EVIL, mood=[EVIL], genres=[EVIL])
    (thread / "md" / f"{NAMED}.md").write_text(EVIL, "utf-8")
    pack = {**original_layout(), f"01 - C Major - A Minor/1 Triads/{NAMED}.mid": b"MThd"}
    for name, data in pack.items():
        for folder in (NAMED, "mine"):
            (file := place / "chords" / folder / name).parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
    (place / "rainbow.toml").write_text(FEW, "utf-8")
    monkeypatch.chdir(place)
    settings.default_rules.cache_clear()
    yield place
    settings.default_rules.cache_clear()


EVIL = "a\x1b[31m\x00\x07\u202e\u2028\ufeff\r\x9b2J</script><script>alert(1)</script>![x](http://x.invalid/)|`b`\nerror   forged"
"""What nobody means to write into a title."""
NAMED = EVIL.replace("\0", "").replace("/", "")
"""It as the name of a file."""


def harmless(text: str) -> str:
    """Return ``text``, in which nothing commands a screen."""
    found = CONTROL.search(text)
    assert found is None, text[max(0, found.start() - 200):found.end() + 50]
    return text


def done(*words: str | Path, code: int = 0) -> str:
    """Run a verb that must end with the exit code ``code``; return what it printed."""
    found = rainbow(*map(str, words))
    assert found.exit_code == code, (words, found.output)
    assert not re.search(r"(?m)^error   forged", harmless(found.output)), "a value starts a line"
    return found.stdout


def spoil(song: Path) -> None:
    """Write :data:`EVIL` into the texts and the field names of a song, and into the name of a file."""
    manifest = song / f"{song.name}.yml"
    document = yaml.safe_load(manifest.read_text("utf-8"))
    for place in (document, document["structure"][0], document["audio_tracks"][0]):
        place[f"field {EVIL}"] = EVIL
    document["structure"][0] |= {"section_name": EVIL, "description": EVIL}
    document["audio_tracks"][0]["description"] = EVIL
    manifest.write_text(yaml.safe_dump(document | {"title": EVIL, "concept": EVIL, "mood": [EVIL], "key": EVIL}), "utf-8")
    (song / "note \x1b[31m.txt").touch()
    lyrics = song / f"{song.name}.lrc"
    lyrics.write_text(lyrics.read_text("utf-8") + "\n[00:07.000]" + EVIL.translate({0: "", 10: "", 13: ""}) + "\n", "utf-8")


def judged(place: Path) -> None:
    """The review page is served, and its verdicts are read."""
    server = subprocess.Popen([sys.executable, "-m", "rainbow_assets.cli", "review", "--no-browser"], text=True,
                              stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=place)
    try:
        assert server.stdout is not None
        link = re.search(r"http://\S+", server.stdout.readline())
        assert link is not None
        with urllib.request.urlopen(link[0], timeout=60) as answer:
            page, shown = answer.url, harmless(answer.read().decode())
        assert "<script>alert" not in shown and "&lt;script&gt;alert" in shown
        sounds = re.findall(r'src="([^"]+\.flac[^"]*)"', shown)
        with urllib.request.urlopen(page + sounds[0], timeout=60) as answer:
            assert answer.read(4) == b"fLaC"
    finally:
        server.kill()
        server.wait(20)
    done("review", "--ingest")


def changed_and_built(place: Path) -> None:
    lyrics = place / "corpus/05_01/05_01.lrc"
    lyrics.write_text(lyrics.read_text("utf-8") + "\n[00:07.500]one more line\n", "utf-8")
    done("build")


def scored(place: Path) -> None:
    done("fitness", "score", *sorted((place / "corpus/05_01").glob("*.mid")), "--color", "Green")


def of_a_proposal(place: Path) -> None:
    file = place / "song 50% #1.yml"
    proposal = yaml.safe_load(done("compose", "--example"))
    file.write_text(yaml.safe_dump({**proposal, "title": EVIL, "concept": EVIL}), "utf-8")
    done("compose", file)


def checked(place: Path) -> None:
    (place / "own.yml").write_text(done("compose", "--example"), "utf-8")
    done("threads", "check", place / "own.yml")


TRIALS: dict[str, Callable[[Path], object]] = {
    "init": lambda place: done("init", place / "new"),
    "demo": lambda place: done("demo", place / "songs", "--songs-per-color", "1"),
    "lint": lambda place: (spoil(place / "corpus/05_01"), done("lint"), parsed(rainbow("lint", "--json"))),
    "build": changed_and_built,
    "plan": lambda place: done("plan", "--html", place / "plan.html"),
    "why": lambda place: done("why", "segments"),
    "impact": lambda place: done("impact", place / "corpus/05_01/05_01.lrc"),
    "release": lambda place: (done("release"), changed_and_built(place), done("release", "--push"), done("release")),
    "lineage": lambda place: done("lineage", parsed(rainbow("impact", "Green", "--json"))["touched"][-1]["keys"][0]),
    "verify": lambda place: (done("verify", "0.3.0", "--rows"), done("verify", "0.3.0", "--push")),
    "diff": lambda place: done("diff", "0.3.0", "0.3.1"),
    "threads shrinkwrap": lambda place: (
        done("threads", "shrinkwrap", "--prune"), (place / "raw" / NAMED).mkdir(),
        done("threads", "shrinkwrap", code=1)),
    "threads feedback": lambda place: done("threads", "feedback"),
    "threads check": checked,
    "chords": lambda place: (
        done("chords", "--length", "2", "--top", "1", "--midi", place / "found", "--audio"),
        done("chords", "--length", "2", "--top", "1", "--pack", place / "chords" / NAMED)),
    "fitness train": lambda place: done("fitness", "train"),
    "fitness evaluate": lambda place: done("fitness", "evaluate"),
    "fitness score": scored,
    "compose": of_a_proposal,
    "review": judged,
}
"""Verb -> how it is tried, in an order in which each finds what it needs."""


def verbs(command: click.Command = main, before: str = "") -> Iterator[str]:
    """The names of all commands."""
    if not isinstance(command, click.Group):
        yield before.strip()
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from verbs(found, f"{before} {name}")


def test_every_verb_has_a_trial():
    assert sorted(TRIALS) == sorted(verbs())


@pytest.mark.heavy
def test_every_verb_runs_in_an_odd_folder_on_odd_texts(odd: Path):
    for trial in TRIALS.values():
        trial(odd)
    assert sorted(path.name for path in odd.parent.iterdir()) == [ODD], "nothing was written beside the folder"
    pages = [odd / "plan.html", *odd.glob("data/hub/v*/*.*"), *odd.glob("hub/v*/*.*")]
    assert len(pages) == 13
    for page in pages:
        text = harmless(page.read_text("utf-8"))
        assert "<script>alert" not in text or page.suffix == ".json"
    with jobs.instance() as instance:
        shown = [value.value for key in instance.all_asset_keys()
                 for event in [instance.get_latest_materialization_event(key)] if event
                 for value in event.asset_materialization.metadata.values() if isinstance(value, dg.MarkdownMetadataValue)]
    assert any("alert" in text for text in shown)
    for text in shown:
        assert "<script>" not in harmless(text) and "![x]" not in text


def ui(place: Path, env: dict[str, str]) -> None:
    """`dagster dev` serves the graph of a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = place / "dev.log"
    with log.open("w", encoding="utf-8") as stream:
        server = subprocess.Popen([sys.executable, "-m", "dagster", "dev", "-m", "rainbow_assets.definitions", "-p", str(port)],
                                  env=env, cwd=place, stdout=stream, stderr=stream, start_new_session=True)
    question = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", b'{"query": "{assetNodes {assetKey {path}}}"}',
                                      {"Content-Type": "application/json"})
    try:
        shown: list[object] = []
        deadline = time.monotonic() + 180
        while not shown and time.monotonic() < deadline and server.poll() is None:
            time.sleep(1)
            with contextlib.suppress(OSError), urllib.request.urlopen(question, timeout=60) as answer:
                shown = json.load(answer)["data"]["assetNodes"]
        assert len(shown) > 20, log.read_text("utf-8")[-3000:]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:  # its own programs wait for a SIGINT, which a parent may have switched off
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.mark.heavy
def test_dagster_and_datasets_read_an_odd_folder(odd: Path):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(odd / "cache")}
    program = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "rainbow_assets.definitions", "--select"]
    made = subprocess.run([*program, "base_manifest", "--partition", "Green"], env=env, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[-2000:]
    ui(odd, env)
    done("build")
    load = done("release").split("load it:  ")[1].splitlines()[0]
    read = subprocess.run([sys.executable, "-c", f"import datasets\nprint({load}[0]['audio']['bytes'][:4])"], env=env,
                          capture_output=True, text=True)
    assert read.stdout.strip() == "b'fLaC'", read.stderr[-3000:]
