"""Versions from the command line: a rehearsal, two versions, how they differ, and whether they are still whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.release import publish as publishing
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.tables import ReleaseRefused
from rainbow_assets.release.versions import Version
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.hub_server.server import running


def told(*words: str) -> dict:
    found = rainbow(*words, "--json")
    assert found.exit_code == 0, found.output
    return parsed(found)


@pytest.fixture
def own_rules() -> Iterator[None]:
    """Rules are read once per process; those of this test are forgotten after it."""
    yield
    settings.default_rules.cache_clear()


def retitle(project: Path, title: str) -> None:
    manifest = project.parent / "corpus/02_01/02_01.yml"
    document = yaml.safe_load(manifest.read_text("utf-8"))
    manifest.write_text(yaml.safe_dump({**document, "title": title}, sort_keys=False, allow_unicode=True), "utf-8")


def test_versions_from_the_first_to_a_major_step(whole: Path, project: Path, own_rules: None) -> None:
    first = told("release", "--dry-run")
    assert first["version"] == "0.3.0" and first["against_latest"] is None
    assert not (project / "hub/v0.3.0").exists(), "a rehearsal publishes nothing"
    assert told("release")["version"] == "0.3.0"
    assert told("release", "--dry-run")["against_latest"]["files"] == []
    every_row_is_traced_to_its_raw_files()

    retitle(project, "Another title")
    assert rainbow("build").exit_code == 0
    a_rehearsal_says_what_would_be_sent_and_what_the_gates_say()
    a_gate_that_says_no_is_told_with_all_others(project)
    assert not (project / "hub/v0.3.1").exists()
    low = rainbow("release", "--version", "0.2.9")
    assert low.exit_code == 1 and "v0.2.9 is too low" in low.output and "use v0.3.1 or more" in low.output
    assert "Traceback" not in low.output
    assert told("release")["version"] == "0.3.1"
    assert "published v0.3.1" in rainbow("release").output and not (project / "hub/v0.3.2").exists(), "the same data is the same version, changelog and all"
    card = (project / "hub/v0.3.1/README.md").read_text("utf-8")
    assert card.index("### v0.3.1 (patch)") < card.index("### v0.3.0 (minor)")
    assert "same columns and row counts, other content" in card
    assert "**A program wrote the music of 3 of 3 songs, with their texts.**" in card and "Earthly Frames" not in card
    clips = re.findall(r'src="https://huggingface.co/datasets/[^"]+/resolve/v0.3.1/(clips/[^"]+)"', card)
    assert len(clips) == 3 and all((project / "hub/v0.3.1" / clip).is_file() for clip in clips)
    assert (project / "hub/v0.3.1/colors/Green.png").is_file() and "| `segment_id` | 0" in card
    two_versions_are_compared()
    damage_and_other_data_are_told_apart(project)

    the_token_is_nowhere(project)
    music_of_a_program_is_not_for_everyone(project)

    (project.parent / "rainbow.toml").write_text("[slices]\nlyric_tail_ms = 321\n", "utf-8")
    settings.default_rules.cache_clear()
    assert rainbow("build").exit_code == 0
    low = rainbow("release", "--version", "0.4.0")
    assert low.exit_code == 1 and "a major step, so use v1.0.0 or more" in low.output
    assert "slices.lyric_tail_ms of segments was" in low.output
    assert told("release", "--dry-run")["version"] == "1.0.0"


def a_rehearsal_says_what_would_be_sent_and_what_the_gates_say() -> None:
    found = told("release", "--dry-run")
    assert found["version"] == "0.3.1" and found["refused"] is None
    assert all(len(gate["passed"]) == 9 for gate in found["gates"])
    assert {"audio.splits_kept", "segments.unique_keys"} <= {gate["gate"] for gate in found["gates"]}
    against = found["against_latest"]
    assert {row["color"] for row in against["rows"]} == {"Red"}
    changed = {row["config"]: row["changed"] for row in against["rows"]}
    assert changed["base_manifest"] > 0 and changed["audio"] > 0, "a title is in every table of its song"
    assert "embeddings" not in changed and "training_segments" not in changed
    assert against["bytes"] > 0 and all("Red" in path or "/" not in path for path in against["files"])
    said = rainbow("release", "--dry-run").output
    assert "gate segments." in said and "would publish v0.3.1" in said and "base_manifest Red: 0 rows added" in said


def a_gate_that_says_no_is_told_with_all_others(project: Path) -> None:
    """A person sees every gate before the refusal, not only the first that stands in the way."""
    shard = ShardStore(str(project)).shard("audio", "Red")
    path = Path(shard.files.path("verdicts.json"))
    whole = path.read_text("utf-8")
    told_no = json.loads(whole)
    told_no["verdicts"][0].update(passed=False, message="Two rows are other sounds.")
    path.write_text(json.dumps(told_no), "utf-8")
    name = f"audio.{told_no['verdicts'][0]['check']}"
    refused = rainbow("release", "--dry-run")
    assert refused.exit_code == 1 and "  Red failed: Two rows are other sounds." in refused.output
    assert f"gate {name}: passed in 8 of 9 colors" in refused.output and "gate preview.rows_play" in refused.output
    assert "would publish" not in refused.output and "audio/Red is blocked" in refused.output
    answer = rainbow("release", "--dry-run", "--json")
    found = parsed(answer)
    assert answer.exit_code == 1 and "nothing was published" in found["refused"]
    gate = next(gate for gate in found["gates"] if gate["gate"] == name)
    assert gate["failed"] == {"Red": "Two rows are other sounds."} and "Red" not in gate["passed"]
    path.unlink()
    assert "has not run on the current data of Red; run: rainbow build" in rainbow("release", "--dry-run").output
    path.write_text(whole, "utf-8")


def two_versions_are_compared() -> None:
    found = told("diff", "0.3.0", "v0.3.1")
    assert found["level"] == "patch" and found["gone"] == []
    assert {"README.md", "croissant.json", "listen.html"} <= set(found["files"])
    assert not [path for path in found["files"] if path.startswith(("clips/", "colors/"))], "no clip is new"
    assert "rows added" in rainbow("diff", "0.3.0", "0.3.1").output
    missing = rainbow("diff", "0.3.0", "0.9.0")
    assert missing.exit_code == 2 and "v0.9.0" in missing.output and "Traceback" not in missing.output


def every_row_is_traced_to_its_raw_files() -> None:
    found = told("verify", "0.3.0", "--rows")
    assert found["problems"] == [] and found["differs"] == []
    assert set(found["songs"]) == {"02_01", "05_01", "06_01"}
    assert set(found["rows"]) >= {"preview", "preview_mix", "audio", "training_full", "embeddings", "base_manifest"}
    assert found["rows_traced"] == sum(map(len, found["rows"].values())) > 100
    segment = next(key for key in found["rows"]["training_segments"] if not key.startswith("02_01_t00"))
    files = found["rows"]["training_segments"][segment]
    song = segment[:5]
    assert f"{song}/{song}.yml" in files and sum(name.endswith(".wav") for name in files) == 1
    said = rainbow("verify", "0.3.0").output
    assert f"{found['rows_traced']:,} rows traced to" in said and "0 damaged" in said


def damage_and_other_data_are_told_apart(project: Path) -> None:
    differs = told("verify", "0.3.0")["differs"]
    assert "base_manifest: the local rows of Red have changed since" in differs
    assert "song 02_01: the local files 02_01.yml have changed since" in differs
    victim = project / "hub/v0.3.0/base_manifest/train-Red-00000.parquet"
    whole = victim.read_bytes()
    victim.chmod(0o644)
    victim.write_bytes(whole[:-1] + b"x")
    broken = rainbow("verify", "0.3.0")
    assert broken.exit_code == 1 and "does not have the sha256" in broken.output
    victim.write_bytes(whole)


def music_of_a_program_is_not_for_everyone(project: Path) -> None:
    store = ShardStore(str(project))
    with running() as server, pytest.MonkeyPatch.context() as patch:
        server.repositories.create("earth/open", private=False)
        server.repositories.create("earth/closed", private=True)

        def opened(name: str) -> None:
            hub = HuggingFaceHub(f"hf://{name}", server.endpoint, "hf_writer")
            patch.setattr(publishing, "open_hub", lambda push: hub)

        for name, public in (("earth/open", False), ("earth/new", True)):
            opened(name)
            for verb in (publishing.publish, publishing.rehearse):
                with pytest.raises(ReleaseRefused, match=r"wrote the music of 3 of 3 songs.* add --demo-music"):
                    verb(GRAPH, store, push=True, public=public)
            assert "earth/new" not in server.repositories.datasets
        opened("earth/closed")
        assert publishing.rehearse(GRAPH, store, push=True)[0].version == Version(0, 3, 0)
        with pytest.raises(HubError, match="is private, and --public changes no repository"):
            publishing.rehearse(GRAPH, store, push=True, public=True)
        opened("earth/open")
        named = publishing.publish(GRAPH, store, push=True, demo_music=True)
        assert named.result.outcome == "published" and "A demo of the Rainbow Table" in named.card


def the_token_is_nowhere(project: Path) -> None:
    """Push through Dagster with every logger at its most talkative; then look into all that was said and written."""
    with running() as server:
        env = {**os.environ, **client.environment(server.endpoint, project / "hf_home"), "HF_DEBUG": "1",
               "RAINBOW_DATA": str(project), "RAINBOW_CORPUS": str(project.parent / "corpus"),
               "RAINBOW_HUB": "hf://earth/songs", "DAGSTER_HOME": str(project.parent / "home")}
        code = ("import logging; logging.basicConfig(level=logging.DEBUG)\n"
                "from rainbow_assets.cli import main; main(['release', '--push'])")
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.repositories.datasets["earth/songs"].tags.keys() == {"v0.3.0"}
        pushed = HuggingFaceHub("hf://earth/songs", server.endpoint, "hf_writer")
        card = pushed.read(Version(0, 3, 0), "README.md").decode()
        assert 'load_dataset("earth/songs", "preview"' in card, "the card speaks of the repository that it stands in"
    assert "DEBUG" in done.stderr, "nothing was said at all"
    assert "hf_writer" not in done.stdout + done.stderr
    holders = [path for path in project.parent.rglob("*") if path.is_file() and b"hf_writer" in path.read_bytes()]
    assert holders == []
