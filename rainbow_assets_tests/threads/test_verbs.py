"""`rainbow threads` from the command line: pack, prune and undo, measure, check; exit codes 0, 1 and 2."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from rainbow_assets_tests.command import parsed, rainbow
from rainbow_assets_tests.threads.synth import write_thread


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve raw threads in C major, as the agents leave them."""
    root = tmp_path / "threads"
    for seed in range(12):
        write_thread(root / "chain_artifacts", seed, files=12, key="C major")
    monkeypatch.setenv("RAINBOW_THREADS", str(root))
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path / "data"))
    return root / "chain_artifacts"


threads = partial(rainbow, "threads")


def test_pack_prune_and_undo(raw: Path):
    files = sorted(path.relative_to(raw) for path in raw.rglob("*") if path.is_file())
    planned = threads("shrinkwrap", "--dry-run")
    assert planned.exit_code == 0 and "12 would be packed" in planned.output
    assert threads("shrinkwrap").exit_code == 0
    again = parsed(threads("shrinkwrap", "--json"))
    assert (again["packed"], again["unchanged"]) == (0, 12)
    assert sorted(path.relative_to(raw) for path in raw.rglob("*") if path.is_file()) == files, "the source is untouched"
    assert "moved out of the source" in threads("shrinkwrap", "--prune").output
    assert len([path for path in raw.rglob("*") if path.is_file() and ".prune" not in path.parts]) < len(files)
    assert "brought back" in threads("shrinkwrap", "--undo").output
    assert sorted(path.relative_to(raw) for path in raw.rglob("*") if path.is_file()) == files


def test_measure_and_check(raw: Path, tmp_path: Path):
    threads("shrinkwrap")
    found = parsed(threads("feedback", "--json"))
    banned = [item for item in found["constraints"] if item["kind"] == "key" and item["severity"] == "exclude"]
    assert [item["value"] for item in banned] == ["C major"]
    song = tmp_path / "song.yml"
    song.write_text("title: New\nkey: C major\nbpm: 150\n", "utf-8")
    refused = threads("check", str(song))
    assert refused.exit_code == 1 and "excluded" in refused.output
    song.write_text("title: New\nkey: E minor\nbpm: 150\n", "utf-8")
    assert threads("check", str(song)).exit_code == 0
    assert parsed(threads("check", str(song), "--json"))


@pytest.mark.parametrize(("words", "said"), [
    (("check", "nowhere.yml"), "rainbow threads feedback"), (("feedback", "--manifests", "nowhere"), "does not exist"),
    (("shrinkwrap", "--undo", "--confirm"), "exclude each other"),
])
def test_wrong_use_is_a_sentence(raw: Path, words: tuple[str, ...], said: str):
    done = threads(*words)
    assert done.exit_code == 2 and said in done.output
