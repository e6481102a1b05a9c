"""Reading one raw thread: every kind of irregularity and every reason of a quarantine, each from the file that causes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rainbow_assets.threads import artifacts, checks
from rainbow_assets.threads.manifest import MANIFEST, packed_folders
from rainbow_assets.threads.model import KINDS, QUARANTINE
from rainbow_assets.threads.names import read_name
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.rules import rule_for
from rainbow_assets.threads.shrinkwrap import shrinkwrap
from rainbow_assets_tests.command import rainbow
from rainbow_assets_tests.threads.synth import MACHINE, thread_id, write_thread

OTHER = thread_id(99)


def proposals(folder: Path) -> Path:
    return next(folder.glob("yml/all_song_proposals_*.yml"))


def with_proposal(index: int, **fields: Any) -> Callable[[Path], object]:
    """Change fields of one proposal in the thread's list; None removes a field."""
    def apply(folder: Path) -> None:
        document = yaml.safe_load(proposals(folder).read_text("utf-8"))
        document["iterations"][index].update(fields)
        proposals(folder).write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")

    return apply


def with_odd_entry(folder: Path) -> None:
    document = yaml.safe_load(proposals(folder).read_text("utf-8"))
    document["iterations"].insert(3, "just text")
    proposals(folder).write_text(yaml.safe_dump(document), "utf-8")


def with_equal_ids(folder: Path) -> None:
    document = yaml.safe_load(proposals(folder).read_text("utf-8"))
    document["iterations"][2]["iteration_id"] = document["iterations"][1]["iteration_id"]
    proposals(folder).write_text(yaml.safe_dump(document), "utf-8")


def text(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content, "utf-8")


CAUSES: dict[str, Callable[[Path], object]] = {
    "unreadable_yaml": text("yml/broken.yml", "a: [1"),
    "python_tags": text("yml/tags.yml", "a: !!python/tuple\n- 1\n"),
    "odd_yaml": text("yml/twice.yml", "a: 1\na: 2\n"),
    "machine_path": text("md/path.md", f"see {MACHINE}/x.wav"),
    "outside_path": text("md/outside.md", "see /Users/somebody/song.wav"),
    "removed_reference": text("md/removed.md", f"see {MACHINE}/{thread_id(1)}/wav/x_segment_1.wav"),
    "missing_reference": text("md/missing.md", f"see {MACHINE}/{thread_id(1)}/wav/nowhere.wav"),
    "no_text": lambda folder: (folder / "md/bytes.md").write_bytes(b"\xff\xfe"),
    "too_big_to_rewrite": text("md/big.md", "x" * (2 << 20)),
    "link": lambda folder: (folder / "md/link.md").symlink_to("/etc/hostname"),
    "odd_proposal": with_odd_entry,
    "missing_field": with_proposal(2, bpm="fast"),
    "key_corrected": with_proposal(2, key="A# major"),
    "key_not_read": with_proposal(2, key="A ll Keys"),
    "meter_not_read": with_proposal(2, tempo="Moderato"),
    "color_corrected": with_proposal(2, rainbow_color={"color_name": "Green", "hex_value": 1}),
    "color_not_read": with_proposal(2, rainbow_color="mauve"),
    "concept_cut": with_proposal(2, concept="x" * 1997 + "..."),
    "overwritten_proposal": with_equal_ids,
    "final_not_white": with_proposal(-1, rainbow_color="Green"),
    "several_proposal_files": text("yml/all_song_proposals_old.yml", "iterations: []\n"),
    "thread_id_disagrees": text("yml/owner.yml", f"thread_id: {OTHER}\n"),
    "unknown_artifact_name": text(f"md/{OTHER}_t_UNKNOWN_ARTIFACT_NAME.md", "x"),
    "odd_timestamp": with_proposal(2, timestamp=12),
}
REASONS: dict[str, Callable[[Path], object]] = {
    "no_proposals": lambda folder: proposals(folder).unlink(),
    "unreadable_proposals": lambda folder: proposals(folder).write_text("iterations: [", "utf-8"),
    "no_iterations": lambda folder: proposals(folder).write_text("iterations: []\n", "utf-8"),
    "unusable_final": with_proposal(-1, title=""),
    "reserved_name": text("manifest.yml", "mine"),
}


def test_every_kind_and_every_reason_has_a_cause_here() -> None:
    assert set(CAUSES) == set(KINDS)
    assert set(REASONS) | {"not_a_thread", "unreadable_folder"} == set(QUARANTINE)


@pytest.mark.parametrize("kind", CAUSES)
def test_an_irregularity_is_listed_with_its_severity(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "TEXT_LIMIT", 1 << 20)
    folder = write_thread(tmp_path, 1, files=8)
    before = read_thread(folder).thread
    assert before is not None
    CAUSES[kind](folder)
    after = read_thread(folder).thread
    assert after is not None
    new = set(after.anomalies) - set(before.anomalies)
    assert {(item.kind, item.severity) for item in new} >= {(kind, KINDS[kind][0])}
    assert all(item.of == folder.name and item.file and item.message and item.action for item in new)


@pytest.mark.parametrize("reason", REASONS)
def test_what_cannot_be_packed_has_a_reason_and_a_sentence(tmp_path: Path, reason: str) -> None:
    folder = write_thread(tmp_path, 1, files=8)
    REASONS[reason](folder)
    reading = read_thread(folder)
    assert reading.thread is None and reading.quarantined is not None
    assert reading.quarantined.reason == reason and reading.quarantined.message.startswith(f"thread {folder.name}: ")


def test_a_folder_that_is_no_thread_or_cannot_be_read_is_quarantined(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    found = [read_thread(folder).quarantined for folder in (tmp_path / "notes", tmp_path / OTHER)]
    assert [item.reason for item in found if item] == ["not_a_thread", "unreadable_folder"]


@pytest.mark.parametrize(("file", "rule"), [
    (".DS_Store", "os_metadata"), ("md/._x.md", "os_metadata"), ("debug/a/b.json", "debug_state"),
    ("md/white_agent_red_document_synthesis.md", "debug_document"), ("wav/a_segment_12.wav", "evp_segment"),
    ("audio/x/y_Segment_1.WAV", "evp_segment"), ("wav/z_blended.wav", "evp_blend"), ("wav/a_mosiac.wav", None),
    (f"md/white_agent_{OTHER}_CHROMATIC_SYNTHESIS.md", None), ("yml/debug.yml", None), ("md/segment_1.wav.md", None),
])
def test_what_packing_leaves_out(file: str, rule: str | None) -> None:
    found = rule_for(file)
    assert (found.name if found else None) == rule


@pytest.mark.parametrize(("file", "kind", "color"), [
    (f"yml/all_song_proposals_{OTHER}.yml", "all_song_proposals", "White"),
    ("yml/song_proposal_Green (0x00ff)_green_v1.yml", "song_proposal", "Green"),
    (f"html/{OTHER}_y_character_sheet.html", "character_sheet", "Yellow"), (f"yml/{OTHER}_t_evp.yml", "evp", "Black"),
    (f"wav/{OTHER}_z_mosiac.wav", "audio", "Black"), ("png/character_portrait_1.png", "character_portrait", "Yellow"),
    ("json/audio_1_metadata.json", "infranym_metadata", "Indigo"), ("md/anything.md", "narrative", None),
    ("anything.md", "document", None), ("song.mid", "midi", None),
])
def test_what_a_file_is_follows_from_its_name(file: str, kind: str, color: str | None) -> None:
    found = read_name(file)
    assert (found.type, found.color) == (kind, color)


def test_verify_repairs_a_copy_that_changed_under_its_size(tmp_path: Path) -> None:
    source, out = tmp_path / "raw", tmp_path / "packed"
    write_thread(source, 1, files=8)
    shrinkwrap(source, out)
    (folder,) = (item.folder for item in packed_folders(out).values())
    victim = next(folder.glob("png/*"))
    data = victim.read_bytes()
    victim.write_bytes(bytes(len(data)))
    finding = checks.copies_are_true(checks.load_packing(source, out, {}))
    assert not finding.passed and "run: rainbow threads shrinkwrap --verify" in finding.message
    words = ("threads", "shrinkwrap", "--source", str(source), "--out", str(out))
    assert "1 unchanged" in rainbow(*words).output and victim.read_bytes() != data
    planned = rainbow(*words, "--verify", "--dry-run")
    assert "1 would be packed again" in planned.output and victim.read_bytes() != data
    assert "1 packed again" in rainbow(*words, "--verify").output and victim.read_bytes() == data


def test_a_manifest_of_the_original_program_is_replaced(tmp_path: Path) -> None:
    source, out = tmp_path / "raw", tmp_path / "packed"
    write_thread(source, 1, files=8)
    (out / "their-name").mkdir(parents=True)
    (out / "their-name" / MANIFEST).write_text(json.dumps({"title": "x"}) + f"\nthread_id: '{thread_id(1)}'\n", "utf-8")
    report = shrinkwrap(source, out)
    assert [(item.directory, item.status) for item in report.threads] == [("their-name", "repacked")]
    assert packed_folders(out)[thread_id(1)].sources is not None
