"""Packing, whatever is in the threads and whatever happens between two runs."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rainbow_assets.ingest.yaml_tolerant import parse_text
from rainbow_assets.ingest.yaml_write import Rows, dump
from rainbow_assets.threads import checks, prune
from rainbow_assets.threads.manifest import MANIFEST, dropped_text, holds, packed_folders, read_packed
from rainbow_assets.threads.model import Removed
from rainbow_assets.threads.names import directory_for, shared_prefixes, slug
from rainbow_assets.threads.rewrite import has_absolute
from rainbow_assets.threads.rules import RULES, rule_for
from rainbow_assets.threads.shrinkwrap import shrinkwrap
from rainbow_assets.threads.source import all_inputs, list_thread
from rainbow_assets_tests.counts import count, examples
from rainbow_assets_tests.threads.synth import MACHINE, thread_id, write_thread
from rainbow_assets_tests.threads.test_shrinkwrap import all_hold, tree

pytestmark = [pytest.mark.property, pytest.mark.counted]
NAMES = st.sampled_from([
    "md/a.md", "md/b c.md", "html/é.html", "yml/note.yml", "json/n.json", "wav/x_segment_3.wav", "wav/y_blended.wav",
    "wav/mosaic.wav", "debug/s.json", ".DS_Store", "png/p.png", "txt/z.txt", "deep/er/still.md", "yml/empty.yml",
])
TEXTS = st.one_of(
    st.text(max_size=60), st.just(f"see {MACHINE}/x.wav"), st.just("C:\\Users\\me\\song.wav and /Users/me/y.mid"),
    st.just("a: !!python/tuple\n- 1\n- 2\n"), st.just(f"path: {MACHINE}/wav/x_segment_3.wav\n"), st.just("a: [1, 2"),
    st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3).map(yaml.safe_dump),
    st.dictionaries(st.text(max_size=5), st.text(max_size=8) | st.integers(), max_size=3).map(json.dumps))
FILES = st.dictionaries(NAMES, TEXTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=40), max_size=6)


def raw_thread(root: Path, seed: int, files: dict[str, bytes], title: str = "A Title", bpm: object = 90) -> Path:
    """Write a small raw thread that has ``files`` besides its proposals."""
    folder = root / thread_id(seed)
    (folder / "yml").mkdir(parents=True)
    final = {"title": title, "bpm": bpm, "key": "C major", "concept": "x", "mood": [], "genres": [], "tempo": "4/4",
             "rainbow_color": "White", "iteration_id": "white_v1"}
    proposals = yaml.safe_dump({"iterations": [final]}, allow_unicode=True)
    (folder / f"yml/all_song_proposals_{folder.name}.yml").write_text(proposals, "utf-8")
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(FILES, st.text(max_size=100))
def test_every_file_is_kept_or_listed_as_left_out_and_a_second_run_does_nothing(
    files: dict[str, bytes], title: str
) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, out = Path(place, "raw"), Path(place, "packed")
        folder = raw_thread(source, 1, files, title)
        before = tree(source)
        report = shrinkwrap(source, out)
        assert tree(source) == before
        if not title:
            assert [item.reason for item in report.quarantined] == ["unusable_final"]
            return
        (packed,) = packed_folders(out).values()
        kept, dropped = set(packed.contents), {item.file for item in packed.dropped}
        assert kept | dropped == set(tree(folder)) and not kept & dropped
        assert dropped == {name for name in files if rule_for(name)}
        assert holds(packed.folder, packed.contents, verify=True)
        manifest = yaml.load((packed.folder / MANIFEST).read_text("utf-8"), yaml.CSafeLoader)
        assert {name: manifest[name] for name in packed.values} == dict(packed.values)
        assert [dict(row) for row in packed.files] == manifest["files"]
        for path in packed.folder.rglob("*.md"):
            assert not has_absolute(path.read_text("utf-8", "surrogateescape"))
        packed_before = tree(out)
        for options in ({}, {"verify": True}):
            again = shrinkwrap(source, out, **options)
            assert [item.status for item in again.threads] == ["unchanged"] and tree(out) == packed_before
            assert again.threads[0].dropped == report.threads[0].dropped
            assert (again.threads[0].files, again.threads[0].bytes) == (report.threads[0].files, report.threads[0].bytes)


def edited(rng: random.Random, source: Path, out: Path) -> None:
    folder = rng.choice(sorted(path for path in source.iterdir() if path.name[0] != "."))
    path = folder / f"md/note-{rng.randrange(3)}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"see {MACHINE}/{rng.random()}.wav", "utf-8")


def file_deleted(rng: random.Random, source: Path, out: Path) -> None:
    notes = sorted(source.glob("*/md/note-*.md"))
    if notes:
        rng.choice(notes).unlink()


def retitled(rng: random.Random, source: Path, out: Path) -> None:
    path = rng.choice(sorted(source.glob("*/yml/all_song_proposals_*.yml")))
    document = yaml.safe_load(path.read_text("utf-8"))
    document["iterations"][-1]["title"] = rng.choice(["River", "Lantern", "The Same", "Ünder"])
    path.write_text(yaml.safe_dump(document), "utf-8")


def added(rng: random.Random, source: Path, out: Path) -> None:
    seed = rng.randrange(100, 10_000)
    raw_thread(source, seed, {"debug/x.json": b"{}", "md/a.md": b"text"}, "The Same")


def damaged(rng: random.Random, source: Path, out: Path) -> None:
    found = sorted(path for path in out.glob("*/**/*") if path.is_file() and ".cache" not in path.parts)
    path = rng.choice(found)
    rng.choice([path.unlink, lambda: path.write_bytes(path.read_bytes() + b"more")])()


def folder_deleted(rng: random.Random, source: Path, out: Path) -> None:
    shutil.rmtree(rng.choice(sorted(out.glob("*/manifest.yml"))).parent)


def left_half_way(rng: random.Random, source: Path, out: Path) -> None:
    folder = rng.choice(sorted(out.glob("*/manifest.yml"))).parent
    folder.rename(out / f".old-{folder.name}")
    (out / f".new-{folder.name}").mkdir()


EVENTS: list[Callable[[random.Random, Path, Path], None]] = [
    edited, file_deleted, retitled, added, damaged, folder_deleted, left_half_way]


@pytest.mark.parametrize("seed", range(count("edit_scripts") * 2))
def test_whatever_happens_the_next_run_is_a_clean_packing(tmp_path: Path, seed: int) -> None:
    rng, source, out = random.Random(seed), tmp_path / "raw", tmp_path / "packed"
    for number in range(3):
        write_thread(source, number, files=8)
    names = {item.thread_id: item.directory for item in shrinkwrap(source, out).threads}
    for _ in range(8):
        event = rng.choice(EVENTS)
        event(rng, source, out)
        report = shrinkwrap(source, out)
        now = {item.thread_id: item.directory for item in report.threads}
        # A folder that is gone, or has no manifest, has no name to keep.
        if event not in (folder_deleted, damaged):
            assert {name: now[name] for name in names} == names, event.__name__
        names = now
        all_hold(source, out)
        clean = tmp_path / "clean"
        shrinkwrap(source, clean)
        packed, fresh = packed_folders(out), packed_folders(clean)
        assert {name: folder.contents for name, folder in packed.items()} == {
            name: folder.contents for name, folder in fresh.items()}
        assert {name: item.values["inputs"] for name, item in packed.items()} == all_inputs(source, None)
        assert not list(out.glob(".new-*")) and not list(out.glob(".old-*"))
        shutil.rmtree(clean)


@pytest.mark.parametrize("seed", range(count("edit_scripts")))
def test_prune_undo_and_confirm_between_runs_lose_nothing_that_is_listed(tmp_path: Path, seed: int) -> None:
    rng, source, out = random.Random(seed), tmp_path / "raw", tmp_path / "packed"
    for number in range(2):
        write_thread(source, number, files=8)
    shrinkwrap(source, out)
    left_out = {name: folder.dropped for name, folder in packed_folders(out).items()}
    kept = {name: value for name, value in tree(source).items() if rule_for(name.partition("/")[2]) is None}
    waiting = False
    for _ in range(8):
        verb = rng.choice([prune.undo, prune.confirm]) if waiting else prune.prune
        waiting = verb(source, out).state == "moved"
        if rng.random() < 0.5:
            assert {item.status for item in shrinkwrap(source, out).threads} == {"unchanged"}
        assert {name: folder.dropped for name, folder in packed_folders(out).items()} == left_out
        assert {name: value for name, value in tree(source).items() if name in kept} == kept
    assert checks.nothing_listed_is_pruned(checks.load_packing(source, out, {})).passed


@hypothesis_settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.integers(0, 10**9)), max_size=5))
def test_what_was_left_out_is_read_back(files: list[tuple[str, int]]) -> None:
    rule = RULES[0]
    removed = tuple(sorted({name: Removed(name, rule.name, rule.reason, size) for name, size in files}.values(),
                           key=lambda item: item.file))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / MANIFEST).write_text(f"thread_id: {thread_id(1)}\n", "utf-8")
        (folder / "dropped.yml").write_bytes(dropped_text(removed).encode())
        packed = read_packed(folder)
        assert packed is not None and packed.dropped == removed
        assert parse_text(dropped_text(removed)).value["files"] == len(removed)


@hypothesis_settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=200), st.integers(0, 50), st.booleans())
def test_a_folder_name_is_a_safe_file_name_that_ends_with_the_id(title: str, seed: int, crowded: bool) -> None:
    name = directory_for(title, thread_id(seed), crowded)
    assert name.endswith(thread_id(seed) if crowded else f"-{thread_id(seed)[:8]}")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and name[0] != "-" and len(name) <= 117
    assert slug(slug(title)) == slug(title)


@hypothesis_settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.sampled_from(["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb-1", "cccccccc-1", "cccccccc-2"])))
def test_prefixes_are_shared_by_different_ids_only(ids: list[str]) -> None:
    for prefix in ("aaaaaaaa", "bbbbbbbb", "cccccccc"):
        assert (prefix in shared_prefixes(ids)) == (len({name for name in ids if name.startswith(prefix)}) > 1)


@hypothesis_settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_no_manifest_makes_packing_fail(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, out = Path(place, "raw"), Path(place, "packed")
        raw_thread(source, 1, {})
        shrinkwrap(source, out)
        before, (folder,) = tree(out), packed_folders(out).values()
        text = (folder.folder / MANIFEST).read_bytes()
        (folder.folder / MANIFEST).write_bytes(text[: len(data)] + data + text[len(data):])
        shrinkwrap(source, out, verify=True)
        assert tree(out) == before


@pytest.mark.parametrize("rows", [[{"file": "x"}], [{"size": 1, "sha256": "a"}], []])
def test_a_table_of_files_that_is_not_whole_is_no_packed_thread(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    text = dump({"thread_id": thread_id(1), "directory": tmp_path.name, "inputs": "x", "files": Rows(rows)})
    (tmp_path / MANIFEST).write_text(text, "utf-8")
    packed = read_packed(tmp_path)
    assert packed is not None and packed.sources is None and packed.contents == {}


def test_what_a_thread_consists_of(tmp_path: Path) -> None:
    folder = write_thread(tmp_path, 1, files=8)
    (folder / "md/link.md").symlink_to("/etc/hostname")
    files = list_thread(folder)
    assert files.links == ("md/link.md",) and set(files.kept) | {item.file for item in files.dropped} == set(tree(folder)) - {
        "md/link.md"}
    assert {item.rule for item in files.dropped} == {rule.name for rule in RULES}
    assert all(item.size == (folder / item.file).stat().st_size for item in files.dropped)
