"""Packing: true copies, stable folders, no work twice, an untouched source, nothing lost by a kill."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from rainbow_assets.errors import UsageError
from rainbow_assets.threads import checks, commands
from rainbow_assets.threads.manifest import packed_folders
from rainbow_assets.threads.measured import read_folder
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.shrinkwrap import NEW, OLD, shrinkwrap
from rainbow_assets.threads.source import all_inputs
from rainbow_assets.threads.tables import MANIFESTS, thread_row
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.threads.places import RAW, needs_shared
from rainbow_assets_tests.threads.synth import MACHINE, thread_id, write_thread


def tree(root: Path) -> dict[str, str]:
    """Return {path: sha256} of every file below ``root``, caches and locks left out."""
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*")) if path.is_file() and ".cache" not in path.parts
            and not path.name.startswith(".lock")}


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    source = tmp_path / "raw"
    for seed in range(4):
        write_thread(source, seed)
    return source, tmp_path / "packed"


def all_hold(source: Path, out: Path) -> None:
    """Run every quality check."""
    quarantined = {item.folder: item.reason for item in shrinkwrap(source, out, dry_run=True).quarantined}
    packing = checks.load_packing(source, out, quarantined)
    assert not {ask.__name__: ask(packing).message for ask in checks.CHECKS if not ask(packing).passed}


def test_packs_everything_and_never_touches_the_source(places: tuple[Path, Path]) -> None:
    source, out = places
    before = tree(source)
    report = shrinkwrap(source, out)
    assert tree(source) == before
    assert [item.status for item in report.threads] == ["packed"] * 4
    assert {item.rule for item in report.dropped} == {"os_metadata", "debug_state", "debug_document", "evp_segment",
                                                      "evp_blend"}
    all_hold(source, out)
    for path in out.rglob("*.yml"):
        yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    folder = out / report.threads[0].directory
    manifest = yaml.load((folder / "manifest.yml").read_text("utf-8"), yaml.CSafeLoader)
    assert manifest["mnemonic"] == "A" and manifest["time_signature"] == "7/8" and manifest["tempo"]["numerator"] == 7
    assert len(manifest["iterations"]) == 16 and manifest["iteration_count"] == 16
    assert {item["status"] for item in manifest["references"]} >= {"kept", "removed"}
    assert manifest["newest_artifact_at"].startswith("2026-02-03T")
    kinds = {item["kind"] for item in manifest["anomalies"]}
    assert kinds >= {"python_tags", "machine_path", "removed_reference", "color_corrected", "meter_not_read"}
    evp = next(line for line in manifest["files"] if line["type"] == "evp")
    text = (folder / evp["file"]).read_text("utf-8")
    assert "audio_mosiac: wav/" in text and evp["packed_sha256"] != evp["sha256"]
    assert not any("segment_" in line["file"] or "blended" in line["file"] for line in manifest["files"])
    index = yaml.load((out / "index.yml").read_text("utf-8"), yaml.CSafeLoader)
    assert index["thread_count"] == 4 and all(row["timestamp_source"] == "newest_artifact" for row in index["threads"])


def test_second_run_is_a_no_op_and_one_edit_packs_one_thread(places: tuple[Path, Path]) -> None:
    source, out = places
    shrinkwrap(source, out)
    before, times = tree(out), {path: path.stat().st_mtime_ns for path in out.rglob("*.yml")}
    report = shrinkwrap(source, out)
    assert {item.status for item in report.threads} == {"unchanged"}
    assert tree(out) == before and {path: path.stat().st_mtime_ns for path in out.rglob("*.yml")} == times
    edited = next((source / thread_id(2) / "yml").glob("*_newspaper_article.yml"))
    before_edit = all_inputs(source, None)
    stat = edited.stat()
    text = edited.read_text("utf-8")
    edited.write_text(text.replace(text[-60:-50], "x" * 10), "utf-8")
    os.utime(edited, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    now = all_inputs(source, None)
    assert [name for name in before_edit if before_edit[name] != now[name]] == [thread_id(2)]
    report = shrinkwrap(source, out)
    assert [(item.thread_id, item.status) for item in report.threads if item.status != "unchanged"] == [
        (thread_id(2), "repacked")]
    assert now == {name: folder.values["inputs"] for name, folder in packed_folders(out).items()}
    all_hold(source, out)


def test_touched_but_equal_files_pack_nothing(places: tuple[Path, Path]) -> None:
    source, out = places
    shrinkwrap(source, out)
    for path in (source / thread_id(0)).rglob("*.yml"):
        os.utime(path)
    assert {item.status for item in shrinkwrap(source, out).threads} == {"unchanged"}


def test_a_clean_build_equals_an_incremental_one_on_any_number_of_cores(places: tuple[Path, Path]) -> None:
    source, out = places
    shrinkwrap(source, out, workers=1)
    write_thread(source, 9)
    shrinkwrap(source, out, workers=1)
    clean = out.with_name("clean")
    shrinkwrap(source, clean, workers=2)
    assert tree(out) == tree(clean)


def test_folders_outlive_new_titles_and_equal_titles(tmp_path: Path) -> None:
    source, out = tmp_path / "raw", tmp_path / "packed"
    for seed in (1, 2):
        write_thread(source, seed, title="The Same Title")
    first = {item.thread_id: item.directory for item in shrinkwrap(source, out).threads}
    assert len(set(first.values())) == 2 and all(name.startswith("the-same-title-") for name in first.values())
    shutil.rmtree(source / thread_id(1))
    write_thread(source, 1, title="Another Title")
    report = shrinkwrap(source, out)
    assert {item.thread_id: item.directory for item in report.threads} == first


def test_ids_that_begin_alike_get_folders_of_their_own(tmp_path: Path) -> None:
    source, out = tmp_path / "raw", tmp_path / "packed"
    for seed, last in ((1, "1"), (2, "2")):
        folder = write_thread(source, seed, title="Twin")
        name = f"00000000-0000-4000-8000-00000000000{last}"
        (folder / f"yml/all_song_proposals_{folder.name}.yml").rename(folder / f"yml/all_song_proposals_{name}.yml")
        folder.rename(source / name)
    report = shrinkwrap(source, out)
    assert len({item.directory for item in report.threads}) == 2
    all_hold(source, out)


def test_bad_folders_are_quarantined_with_a_reason(places: tuple[Path, Path]) -> None:
    source, out = places
    (source / "notes").mkdir()
    shutil.rmtree(source / thread_id(0) / "yml")
    (source / thread_id(1) / f"yml/all_song_proposals_{thread_id(1)}.yml").write_text("iterations: [", "utf-8")
    (source / thread_id(2) / f"yml/all_song_proposals_{thread_id(2)}.yml").write_text("iterations: [x]", "utf-8")
    (source / "stray.txt").write_text("x", "utf-8")
    answer = commands.shrinkwrap_command(source, out)
    reasons = {item["folder"]: item["reason"] for item in answer.values["quarantined"]}
    assert reasons == {"notes": "not_a_thread", thread_id(0): "no_proposals", thread_id(1): "unreadable_proposals",
                       thread_id(2): "no_iterations"}
    assert answer.exit_code == 1 and answer.values["stray_files"] == ["stray.txt"]
    all_hold(source, out)


def test_hostile_files_inside_a_thread_are_copied_and_flagged(places: tuple[Path, Path]) -> None:
    source, out = places
    folder = source / thread_id(0)
    (folder / "yml/bomb.yml").write_text("a: &a [x, x]\nb: [" + ", ".join(["*a"] * 200_000) + "]", "utf-8")
    (folder / "yml/deep.yml").write_text("[" * 50_000 + f" {MACHINE}/x", "utf-8")
    (folder / "yml/attack.yml").write_text(f"!!python/object/apply:os.system ['touch {folder}/pwned']", "utf-8")
    (folder / "md/bytes.md").write_bytes(b"\xff\xfe " + MACHINE.encode() + b"/x")
    (folder / "md/link.md").symlink_to("/etc/hostname")
    shrinkwrap(source, out)
    all_hold(source, out)
    assert not (folder / "pwned").exists()
    directory = packed_folders(out)[thread_id(0)].folder
    manifest = yaml.load((directory / "manifest.yml").read_text("utf-8"), yaml.CSafeLoader)
    kinds = {(item["file"], item["kind"]) for item in manifest["anomalies"]}
    assert {("yml/bomb.yml", "unreadable_yaml"), ("yml/deep.yml", "unreadable_yaml"), ("md/link.md", "link"),
            ("md/bytes.md", "no_text"), ("yml/attack.yml", "python_tags")} <= kinds
    assert not (directory / "md/link.md").exists()


def test_new_writer_shapes(tmp_path: Path) -> None:
    folder = write_thread(
        tmp_path, 5, key={"note": {"pitch_name": "E", "accidental": "flat"}, "mode": {"name": "major"}},
        rainbow_color="White", tempo=None, time_signature="5/4", bpm=99.0, is_final=True)
    thread = read_thread(folder).thread
    assert thread is not None
    final = thread.final
    assert (final.key.label, final.meter.label, final.bpm, final.color) == ("Eb major", "5/4", 99, "White")


def test_a_cut_concept_is_completed_from_the_single_file(tmp_path: Path) -> None:
    whole = "word " * 500
    folder = write_thread(tmp_path, 6, concept=whole[:1997] + "...")
    thread = read_thread(folder).thread
    assert thread is not None and thread.final.concept_cut
    single = next(path for path in (folder / "yml").glob("song_proposal_White*"))
    document = yaml.load(single.read_text("utf-8"), yaml.CSafeLoader)
    single.write_text(yaml.dump({**document, "concept": whole}), "utf-8")
    thread = read_thread(folder).thread
    assert thread is not None and thread.final.concept == whole and not thread.final.concept_cut


def test_places_inside_each_other_are_refused(places: tuple[Path, Path]) -> None:
    source, _ = places
    with pytest.raises(UsageError, match="inside each other"):
        shrinkwrap(source, source / "packed")
    with pytest.raises(UsageError, match="does not exist"):
        shrinkwrap(source / "nowhere", source.with_name("out"))


def test_rows_fit_their_schemas(places: tuple[Path, Path]) -> None:
    import pyarrow as pa

    thread = read_thread(places[0] / thread_id(0)).thread
    assert thread is not None
    row = thread_row(thread, "x")
    assert pa.Table.from_pylist([row], schema=MANIFESTS).num_rows == 1 and set(row) == set(MANIFESTS.names)
    proposal = MANIFESTS.field("iterations").type.value_type
    assert [set(item) for item in row["iterations"]] == [{item.name for item in proposal}] * 16
    assert checks.rows_without_paths([row]).passed
    assert not checks.rows_without_paths([{"thread_id": "x", "concept": f"see {MACHINE}"}]).passed


def test_damage_is_seen_and_repaired(places: tuple[Path, Path]) -> None:
    source, out = places
    report = shrinkwrap(source, out)
    folder = out / report.threads[0].directory
    victim = next((folder / "md").glob("*.md"))
    data = bytearray(victim.read_bytes())
    data[0] ^= 1
    victim.write_bytes(bytes(data))
    assert not checks.copies_are_true(checks.load_packing(source, out, {})).passed
    victim.unlink()
    assert [item.status for item in shrinkwrap(source, out).threads] == ["repacked", *["unchanged"] * 3]
    all_hold(source, out)


@pytest.mark.counted
def test_kill_while_packing_loses_nothing(tmp_path: Path) -> None:
    source, out, clean = tmp_path / "raw", tmp_path / "packed", tmp_path / "clean"
    for seed in range(12):
        write_thread(source, seed)
    before = tree(source)
    shrinkwrap(source, clean)
    code = (f"from pathlib import Path\nfrom rainbow_assets.threads.shrinkwrap import shrinkwrap\nprint(1, flush=True)\n"
            f"import shutil\nout = Path({str(out)!r})\nwhile True:\n    shrinkwrap(Path({str(source)!r}), out, workers=1)\n"
            f"    [path.unlink() for path in out.glob('*/manifest.yml')]\n")
    for attempt in range(count("kills")):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.02 + 0.035 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        shrinkwrap(source, out)
        assert tree(out) == tree(clean) and tree(source) == before
        assert not list(out.glob(".new-*")) and not list(out.glob(".old-*"))


@pytest.mark.parametrize("prefix", [OLD, NEW])
def test_hidden_folder_is_never_taken_for_a_packed_thread(tmp_path: Path, prefix: str) -> None:
    source, out, clean = tmp_path / "raw", tmp_path / "packed", tmp_path / "clean"
    write_thread(source, 1)
    shrinkwrap(source, clean)
    shrinkwrap(source, out)
    (directory,) = (path.parent.name for path in out.glob("*/manifest.yml"))
    (out / directory).rename(out / f"{prefix}{directory}")
    assert not shrinkwrap(source, out, dry_run=True).threads[0].directory.startswith(".")
    shrinkwrap(source, out)
    assert tree(out) == tree(clean)


@needs_shared
def test_the_eight_real_threads(tmp_path: Path) -> None:
    before = tree(RAW)
    report = shrinkwrap(RAW, tmp_path / "packed")
    assert len(report.threads) == 8 and not report.quarantined and tree(RAW) == before
    assert {item.status for item in shrinkwrap(RAW, tmp_path / "packed").threads} == {"unchanged"}
    all_hold(RAW, tmp_path / "packed")
    assert sum(len(item.iterations) for item in read_folder(tmp_path / "packed")) == 138
