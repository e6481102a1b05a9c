"""The `rainbow` command as a person meets it: help, sentences, exit codes, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rainbow_assets import rooms
from rainbow_assets.cli import VERBS, main
from rainbow_assets.lineage import catalog


def rainbow(*words: str):
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


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
    (["demo", "--stems-for", "x"], 2, "--stems-for needs --out"),
    (["lineage", "nothing"], 2, "ids look like"),
    (["impact", "nothing"], 2, "name a color (Green)"),
    (["release", "--version", "three"], 2, "is not a version"),
    (["release", "--preview-samples", "0"], 2, "0 is not in the range"),
])
def test_wrong_use_gets_a_sentence_and_no_traceback(project: Path, words, code, said):
    found = rainbow(*words)
    assert found.exit_code == code, found.output
    assert said in found.output
    assert "Traceback" not in found.output


def test_a_settings_file_with_a_wrong_name_is_told(project: Path):
    (project.parent / "rainbow.toml").write_text("[slices]\nsnap = 3\n", "utf-8")
    found = subprocess.run([sys.executable, "-m", "rainbow_assets.cli", "plan"], capture_output=True, text=True)
    assert found.returncode == 2
    assert "[slices] has no setting 'snap'; known: lyric_tail_ms" in found.stderr
    assert "Traceback" not in found.stderr


def test_lint_as_json(project: Path):
    found = rainbow("lint", "--json")
    document = json.loads(found.output)
    assert found.exit_code == 0
    assert document["songs_found"] == 3
    assert document["quarantined"] == []


def test_from_songs_to_a_release_and_back_to_the_raw_file(project: Path):
    before = json.loads(rainbow("plan", "--json").output)
    assert before["stale"] > 0
    assert rainbow("build").exit_code == 0
    assert json.loads(rainbow("plan", "--json").output)["stale"] == 0
    assert "nothing to do" in rainbow("plan").output
    published = json.loads(rainbow("release", "--version", "0.3.0", "--json").output)
    assert published["version"] == "0.3.0"
    assert published["configs"]["training_full"] == published["configs"]["training_segments"]
    again = rainbow("release", "--version", "0.3.0")
    assert again.exit_code == 0, "the same bytes are a no-op"

    document = json.loads(rainbow("impact", "Green", "--json").output)
    segment = next(key for entry in document["touched"] if entry["asset"] == "training_segments" for key in entry["keys"])
    assert document["releases"] == ["v0.3.0"]
    story = json.loads(rainbow("lineage", segment, "--json").output)
    assert story["releases"] == ["v0.3.0"]
    assert any(name.endswith(".yml") for name in story["files"])
    assert {entry["asset"] for entry in story["into"]} >= {"segment_media", "training_segments", "training_full"}
    assert story["from"][0]["asset"] == "base_manifest"

    audio = rainbow("impact", "02_01/" + next(n for n in story_files(project) if n.endswith(".wav") and "main" not in n))
    assert "base_manifest/Red: 1 of" in audio.output
    assert "song_splits" not in audio.output, "a stem's sound does not reach the splits"

    lyrics = project.parent / "corpus/02_01/02_01.lrc"
    lyrics.write_text(lyrics.read_text("utf-8").rstrip("\n") + " again\n", "utf-8")
    plan = json.loads(rainbow("plan", "--json").output)
    stale = {(entry["asset"], entry["partition"]) for entry in plan["shards"] if entry["state"] == "stale"}
    assert ("segments", "Red") in stale
    assert {color for _, color in stale} == {"Red", "_all"}
    assert {asset for asset, color in stale if color == "_all"} == {"fusion_training_set"}
    reasons = " ".join(reason for entry in plan["shards"] for reason in entry["reasons"])
    assert "02_01/02_01.lrc changed" in reasons
    assert "fields of 02_01: lrc_lyrics, lines" in reasons
    why = rainbow("why", "training_full", "--color", "Red").output
    assert "training_full/Red: stale" in why
    assert "02_01/02_01.lrc changed" in why
    refused = rainbow("release", "--version", "0.3.0")
    assert refused.exit_code == 0, "the shards are still those of the release"
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
        len(catalog.partitions(step)) for step in rooms.steps().values() if not step.on_request)


def story_files(project: Path) -> list[str]:
    return sorted(path.name for path in (project.parent / "corpus/02_01").iterdir())
