"""The `rainbow` command as a person meets it: help, sentences, exit codes, JSON."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from rainbow_assets import progress
from rainbow_assets.assets import GRAPH
from rainbow_assets.cli import VERBS, main
from rainbow_assets_tests.command import parsed, rainbow


def every_verb() -> list[tuple[str, ...]]:
    return [(name,) for name in VERBS]


@pytest.mark.parametrize("verb", every_verb(), ids=" ".join)
def test_each_verb_has_help(verb):
    found = rainbow(*verb, "--help")
    assert found.exit_code == 0
    assert len(found.output) > 80


@pytest.mark.parametrize(("words", "code", "said"), [
    (["no-such-verb"], 2, "No such command"),
    (["why", "no_such_asset"], 2, "no asset is called 'no_such_asset'"),
    (["build", "--color", "Pink"], 2, "'Pink' is not a color of the Rainbow Table"),
    (["plan", "--color", "pink"], 2, "Black, Red, Orange"),
    (["lint", "/no/such/folder"], 2, "does not exist"),
    (["demo", "--stems-for", "x"], 2, "--stems-for needs a folder"),
    (["lineage", "nothing"], 2, "write an id like"),
    (["impact", "nothing"], 2, "name a color (Green)"),
    (["release", "--version", "three"], 2, "is not a version"),
    (["release", "--preview-samples", "0"], 2, "0 is not in the range"),
])
def test_wrong_use_gets_a_sentence_and_no_traceback(project: Path, words, code, said):
    found = rainbow(*words)
    assert found.exit_code == code, found.output
    assert said in found.output
    assert "Traceback" not in found.output


def test_a_settings_file_with_a_wrong_name_is_reported(project: Path):
    (project.parent / "rainbow.toml").write_text("[slices]\nsnap = 3\n", "utf-8")
    found = subprocess.run([sys.executable, "-m", "rainbow_assets.cli", "plan"], capture_output=True, text=True)
    assert found.returncode == 2
    assert "[slices] has no setting 'snap'; known: lyric_tail_ms" in found.stderr
    assert "Traceback" not in found.stderr


def test_lint_as_json(project: Path):
    found = rainbow("lint", "--json")
    document = parsed(found)
    assert found.exit_code == 0
    assert document["songs_found"] == 3
    assert document["quarantined"] == []


def test_from_songs_to_a_release_and_back_to_the_raw_file(whole: Path, project: Path):
    assert parsed(rainbow("plan", "--json"))["stale"] == 0
    assert "nothing to do" in rainbow("plan").output
    published = parsed(rainbow("release", "--version", "0.3.0", "--json"))
    assert published["version"] == "0.3.0"
    assert published["configs"]["training_full"] == published["configs"]["training_segments"]
    again = rainbow("release", "--version", "0.3.0")
    assert again.exit_code == 0, "the same bytes are a no-op"

    document = parsed(rainbow("impact", "Green", "--json"))
    segment = next(key for entry in document["touched"] if entry["asset"] == "training_segments" for key in entry["keys"])
    assert document["releases"] == ["v0.3.0"]
    story = parsed(rainbow("lineage", segment, "--json"))
    assert story["releases"] == ["v0.3.0"]
    assert any(name.endswith(".yml") for name in story["files"])
    assert {entry["asset"] for entry in story["into"]} >= {"segment_media", "training_segments", "training_full"}
    assert story["from"][0]["asset"] == "base_manifest"

    audio = rainbow("impact", "02_01/" + next(n for n in story_files(project) if n.endswith(".wav") and "main" not in n))
    assert "base_manifest/Red: 1 of" in audio.output
    assert "song_splits" not in audio.output, "a stem's sound does not reach the splits"

    lyrics = project.parent / "corpus/02_01/02_01.lrc"
    lyrics.write_text(lyrics.read_text("utf-8").rstrip("\n") + " again\n", "utf-8")
    plan = parsed(rainbow("plan", "--json"))
    stale = {(entry["asset"], entry["partition"]) for entry in plan["shards"] if entry["state"] == "stale"}
    assert ("segments", "Red") in stale and plan["stale"] >= len(stale)
    assert {color for _, color in stale} == {"Red", "_all"}
    assert {asset for asset, color in stale if color == "_all"} == {"fusion_training_set"}
    reasons = " ".join(reason for entry in plan["shards"] for reason in entry["reasons"])
    assert "02_01/02_01.lrc changed" in reasons
    assert "fields of 02_01: lrc_lyrics, lines" in reasons
    why = rainbow("why", "training_full", "--color", "Red").output
    assert "training_full/Red: stale" in why
    assert "02_01/02_01.lrc changed" in why
    named = rainbow("why", "human_evaluation").output
    assert "built only when named" in named and "--select human_evaluation" in named
    refused = rainbow("release", "--version", "0.3.0")
    assert refused.exit_code == 1 and "base_manifest/Red is out of date" in refused.output
    assert rainbow("build", "--color", "Red").exit_code == 0
    conflict = rainbow("release", "--version", "0.3.0")
    assert conflict.exit_code == 1
    assert "versions never change" in conflict.output
    assert "Traceback" not in conflict.output
    assert rainbow("release").exit_code == 0
    assert (project / "hub/v0.3.1").is_dir(), "a corrected lyric is a patch"

    assert rainbow("build").exit_code == 0, "what reads all colors is not built for one"
    page = project.parent / "plan.html"
    assert rainbow("plan", "--html", str(page)).exit_code == 0
    assert page.read_text("utf-8").count("data-state='fresh'") == sum(
        len(step.partitions) for step in GRAPH.values() if not step.on_request)


def story_files(project: Path) -> list[str]:
    return sorted(path.name for path in (project.parent / "corpus/02_01").iterdir())


@pytest.mark.parametrize("verb", every_verb(), ids=" ".join)
def test_the_help_of_all_verbs_is_that_of_each(verb):
    command = main.get_command(click.Context(main), *verb)
    assert command is not None
    assert VERBS[verb[0]][1] == command.get_short_help_str(200)
    assert VERBS[verb[0]][1] in " ".join(rainbow("--help").output.split()), "nothing is cut"


HEAVY = {"dagster", "polars", "pyarrow", "scipy", "onnxruntime", "networkx", "matplotlib", "huggingface_hub", "datasets"}


@pytest.mark.parametrize(("words", "spared"), [
    (["--version"], HEAVY), (["--help"], HEAVY),
    (["plan"], {"dagster", "scipy", "onnxruntime", "matplotlib", "huggingface_hub", "datasets", "ruamel"}),
])
def test_a_command_loads_only_what_it_needs(project: Path, words, spared):
    code = (f"import sys; sys.argv = ['rainbow', *{words!r}]\nfrom rainbow_assets.cli import main\n"
            "try:\n    main()\nfinally:\n    print(sorted(sys.modules), file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1000:]
    loaded = {name.partition(".")[0] for name in re.findall(r"'([^']+)'", done.stderr)}
    assert sorted(loaded & spared) == []


def test_quiet_and_json(project: Path):
    done = rainbow("-q", "build", "--color", "Green", "--asset", "base_manifest", "--json")
    answer = parsed(done)
    assert answer["computed"] == answer["assets"]["base_manifest"]["computed"] > 0 and answer["removed"] == 0
    again = parsed(rainbow("build", "--color", "Green", "--asset", "base_manifest", "--json"))
    assert (again["assets"], again["shards"], again["computed"], again["removed"]) == ({}, [], 0, 0)


def test_without_a_dagster_home_the_projects_is_used_and_named(project: Path):
    home = project.parent / "place"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", "utf-8")
    below = home / "below"
    below.mkdir()
    kept = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    done = subprocess.run([sys.executable, "-m", "rainbow_assets.cli", "build", "--color", "Green", "--asset", "base_manifest"],
                          cwd=below, env=kept, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1000:]
    assert f"DAGSTER_HOME is not set; using {home}" in done.stderr
    assert (home / "history").is_dir()


def test_a_folder_that_cannot_be_used_is_a_sentence(project: Path, monkeypatch):
    (project.parent / "a_file").write_text("", "utf-8")
    monkeypatch.setenv("RAINBOW_DATA", str(project.parent / "a_file/below"))
    done = rainbow("build", "--color", "Green", "--asset", "base_manifest")
    assert done.exit_code == 1 and "Traceback" not in done.output


def test_a_run_shows_which_asset_is_made(project: Path, monkeypatch):
    seen = []

    @contextmanager
    def bar(title: str):
        yield lambda label, done, total: seen.append((title, label, done, total))

    monkeypatch.setattr(progress, "bar", bar)
    assert rainbow("build", "--color", "Green", "--asset", "base_manifest", "--asset", "song_splits").exit_code == 0
    assert [item for item in seen if item[0] == "building"] == [
        ("building", "assets", 0, 2), ("building", "assets", 1, 2), ("building", "assets", 2, 2)]


def test_a_build_with_nothing_to_do_loads_no_dagster(project: Path):
    words = ["build", "--color", "Green", "--asset", "base_manifest"]
    assert rainbow(*words).exit_code == 0
    for database in project.parent.rglob("*.db"):
        os.utime(database, (1, 1))  # as if it had been written long ago
    assert rainbow(*words).exit_code == 0  # Dagster is asked, and its answer kept
    code = (f"import sys; sys.argv = ['rainbow', *{words!r}]\nfrom rainbow_assets.cli import main\n"
            "try:\n    main()\nfinally:\n    print('dagster' in sys.modules, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr.endswith("False\n"), done.stdout + done.stderr
