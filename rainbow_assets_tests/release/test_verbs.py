"""Versions from the command line: a rehearsal, two versions, how they differ, and whether they are still whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from rainbow_assets.cli import main


def rainbow(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def told(*words: str) -> dict:
    found = rainbow(*words, "--json")
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.fixture
def published(project: Path) -> Path:
    assert rainbow("build").exit_code == 0
    first = told("release", "--dry-run")
    assert first["version"] == "0.3.0" and first["against_latest"] is None
    assert not (project / "hub/v0.3.0").exists(), "a rehearsal publishes nothing"
    assert told("release")["version"] == "0.3.0"
    return project


def retitle(project: Path, title: str) -> None:
    manifest = project.parent / "corpus/02_01/02_01.yml"
    document = yaml.safe_load(manifest.read_text("utf-8"))
    manifest.write_text(yaml.safe_dump({**document, "title": title}, sort_keys=False, allow_unicode=True), "utf-8")


def test_a_rehearsal_says_what_would_be_sent_and_what_the_gates_say(published: Path) -> None:
    nothing = told("release", "--dry-run")
    assert nothing["version"] == "0.3.0" and nothing["against_latest"]["files"] == []
    retitle(published, "Another title")
    assert rainbow("build").exit_code == 0
    found = told("release", "--dry-run")
    assert found["version"] == "0.3.1" and any(gate.startswith("segments.unique_keys 8/8") or
                                               gate.startswith("segments.") for gate in found["gates"])
    against = found["against_latest"]
    assert {row["color"] for row in against["rows"]} == {"Red"}
    changed = {row["config"]: row["changed"] for row in against["rows"]}
    assert changed["base_manifest"] > 0 and "audio" not in changed
    assert all("Red" in path or "/" not in path for path in against["files"])
    assert against["bytes"] == sum((published / "hub").stat().st_size * 0 or size for size in [against["bytes"]])
    said = rainbow("release", "--dry-run").output
    assert "gate segments." in said and "would publish v0.3.1" in said and "base_manifest Red: 0 rows added" in said
    assert not (published / "hub/v0.3.1").exists()


def test_two_versions_their_difference_and_the_changelog(published: Path) -> None:
    retitle(published, "Another title")
    assert rainbow("build").exit_code == 0
    low = rainbow("release", "--version", "0.2.9")
    assert low.exit_code == 2 and "v0.2.9 is too low" in low.output and "use v0.3.1 or more" in low.output
    assert told("release")["version"] == "0.3.1"
    found = told("diff", "0.3.0", "v0.3.1")
    assert found["level"] == "patch" and found["gone"] == []
    assert {"README.md", "croissant.json", "listen.html"} <= set(found["files"])
    assert "rows added" in rainbow("diff", "0.3.0", "0.3.1").output
    card = (published / "hub/v0.3.1/README.md").read_text("utf-8")
    assert card.index("### v0.3.1 (patch)") < card.index("### v0.3.0 (minor)")
    assert "same columns and row counts, other content" in card
    assert told("release")["outcome"] == "unchanged", "the same data is the same version, changelog and all"
    missing = rainbow("diff", "0.3.0", "0.9.0")
    assert missing.exit_code == 1 and "v0.9.0" in missing.output and "Traceback" not in missing.output


def test_other_rules_of_slicing_are_a_major_step(published: Path) -> None:
    (published.parent / "rainbow.toml").write_text("[slices]\nlyric_tail_ms = 250\n", "utf-8")
    assert rainbow("build").exit_code == 0
    low = rainbow("release", "--version", "0.4.0")
    assert low.exit_code == 2 and "a major step, so use v1.0.0 or more" in low.output
    assert "slices.lyric_tail_ms was" in low.output
    assert told("release")["version"] == "1.0.0"


def test_a_version_is_verified_down_to_the_raw_files(published: Path) -> None:
    found = told("verify", "0.3.0")
    assert found["problems"] == [] and found["differs"] == []
    assert set(found["songs"]) == {"02_01", "05_01", "06_01"}
    assert any(name.endswith(".lrc") for name in found["songs"]["02_01"])
    rows = told("verify", "0.3.0", "--rows")["rows"]
    segment = next(row for row in rows["training_segments"] if row.startswith("02_01_t01_"))
    files = rows["training_segments"][segment]
    assert "02_01/02_01.yml" in files and sum(name.endswith(".wav") for name in files) == 1
    retitle(published, "Another title")
    assert rainbow("build").exit_code == 0
    assert any("base_manifest: other rows here now in Red" in line for line in told("verify", "0.3.0")["differs"])
    victim = published / "hub/v0.3.0/base_manifest/train-Red-00000.parquet"
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    broken = rainbow("verify", "0.3.0")
    assert broken.exit_code == 1 and "does not have the sha256" in broken.output
