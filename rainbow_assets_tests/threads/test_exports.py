"""What the assets of the threads write beside their rows: after the commit, from the rows, and again if it is missing."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rainbow_assets import settings
from rainbow_assets.errors import RainbowError
from rainbow_assets.ingest import digests
from rainbow_assets.lineage.ledger import reconcile
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.threads import history, thread_manifests
from rainbow_assets.threads.constraints import derive, load
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.source import packed_folder
from rainbow_assets.threads.tables import feedback_folder, measured_threads
from rainbow_assets.threads.thread_manifests import MANIFESTS, pack, places
from rainbow_assets_tests.threads import synth
from rainbow_assets_tests.threads.test_shrinkwrap import tree
from rainbow_assets_tests.threads.test_steps import OWN, build, made, outcomes, raw, store

__all__ = ["made", "raw", "store"]
MANIFESTS_ASSET, _, FEEDBACK_ASSET, CONSTRAINTS_ASSET = OWN


def beside(store: ShardStore) -> dict[str, str]:
    """Digests of everything that the assets wrote for people, below ``threads`` of the store."""
    return tree(packed_folder(store.files.root).parent)


def first_packed(out: Path) -> Path:
    return sorted(out.glob("*/manifest.yml"))[0].parent


def damage_copy(out: Path) -> None:
    next(first_packed(out).glob("md/*.md")).write_text("longer than it was " * 1000, "utf-8")


def edit_manifest_in_place(out: Path) -> None:
    path = first_packed(out) / "manifest.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("agent_name: White Agent", "agent_name: Green Agent", 1), "utf-8")
    assert path.stat().st_size == len(text.encode()) and path.read_text("utf-8") != text


DAMAGE: dict[str, Callable[[Path], object]] = {
    "all is gone": lambda out: shutil.rmtree(out.parent),
    "a folder is gone": lambda out: shutil.rmtree(first_packed(out)),
    "a file is gone": lambda out: next(first_packed(out).glob("md/*.md")).unlink(),
    "a file is longer": damage_copy,
    "a file is too many": lambda out: (first_packed(out) / "md/new.md").write_text("x", "utf-8"),
    "a manifest is gone": lambda out: (first_packed(out) / "manifest.yml").unlink(),
    "a manifest is cut": lambda out: (first_packed(out) / "manifest.yml").write_text("title: [", "utf-8"),
    "a manifest is other text of equal size": edit_manifest_in_place,
    "what was left out is gone": lambda out: (first_packed(out) / "dropped.yml").unlink(),
    "what was left out is other text": lambda out: (first_packed(out) / "dropped.yml").write_text("files: 0\n", "utf-8"),
    "the index is gone": lambda out: (out / "index.yml").unlink(),
    "the constraints are gone": lambda out: (out.parent / "negative_constraints.yml").unlink(),
    "the history is gone": lambda out: (out.parent / "history.jsonl").unlink(),
    "the chart is gone": lambda out: (out.parent / "history.png").unlink(),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_damaged_or_deleted_comes_back_with_the_next_run(store: ShardStore, name: str) -> None:
    before = beside(store)
    DAMAGE[name](packed_folder(store.files.root))
    assert beside(store) != before
    assert set(build(store).values()) == {0}, "no row is computed for that"
    assert beside(store) == before


@pytest.mark.parametrize("asset", [MANIFESTS_ASSET, FEEDBACK_ASSET, CONSTRAINTS_ASSET], ids=lambda asset: asset.name)
def test_compute_only_reads_and_returns_rows(store: ShardStore, raw: Path, asset) -> None:
    path = next(sorted(raw.iterdir())[0].glob("yml/all_song_proposals_*.yml"))
    path.write_text(path.read_text("utf-8").replace("C major", "E minor"), "utf-8")
    for above in OWN[:OWN.index(asset)]:
        bring_up_to_date(above, store)
    before = beside(store)
    delta = reconcile(asset, store.shard(asset.name))
    batches = list(asset.compute(delta.work()))
    assert sum(batch.table.num_rows for batch in batches) > 0 and beside(store) == before


def test_a_run_killed_before_it_packed_is_finished_by_the_next(
    store: ShardStore, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(sorted(raw.iterdir())[3].glob("yml/all_song_proposals_*.yml"))
    path.write_text(path.read_text("utf-8").replace("C major", "E minor"), "utf-8")
    before = beside(store)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(thread_manifests, "shrinkwrap", killed)
        bring_up_to_date(MANIFESTS_ASSET, store)
    assert beside(store) == before
    computed = build(store)
    assert computed["thread_manifests"] == 0 and computed["thread_index"] == 1, "the row was committed before"
    assert beside(store) != before
    again = beside(store)
    shutil.rmtree(packed_folder(store.files.root))
    build(store)
    assert beside(store) == again, "as if it had never been killed"


def test_a_thread_that_moves_while_it_is_packed_is_not_packed(
    store: ShardStore, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sorted(raw.iterdir())[1]
    path = next(folder.glob("yml/all_song_proposals_*.yml"))
    path.write_text(path.read_text("utf-8").replace("C major", "E minor"), "utf-8")
    real = thread_manifests.shrinkwrap

    def moved_first(*args, **options):
        path.write_text(path.read_text("utf-8").replace("E minor", "G minor"), "utf-8")
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(thread_manifests, "shrinkwrap", moved_first)
        problem = bring_up_to_date(MANIFESTS_ASSET, store).problem
    assert problem is not None and f"the thread {folder.name} changed while it was being packed" in problem
    assert build(store)["thread_manifests"] == 1


def test_a_thread_that_moves_while_it_is_read_gives_no_row(store: ShardStore, raw: Path) -> None:
    path = next(sorted(raw.iterdir())[1].glob("yml/all_song_proposals_*.yml"))
    path.write_text(path.read_text("utf-8").replace("C major", "E minor"), "utf-8")
    delta = reconcile(MANIFESTS_ASSET, store.shard("thread_manifests"))
    path.write_text(path.read_text("utf-8").replace("E minor", "G minor"), "utf-8")
    with pytest.raises(RainbowError, match=r"changed while it was read; wait .* run: rainbow build"):
        list(MANIFESTS_ASSET.compute(delta.work()))


def test_a_plan_with_nothing_to_do_reads_no_raw_file(
    store: ShardStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(store)  # copies of the template have other inodes: digested once more
    read: list[Path] = []
    monkeypatch.setattr(digests, "file_sha256", lambda path: read.append(path) or "0" * 64)
    assert reconcile(MANIFESTS_ASSET, store.shard("thread_manifests")).current
    pack(store.shard("thread_manifests"))
    assert read == []


def test_a_folder_keeps_the_name_of_its_row(store: ShardStore, raw: Path) -> None:
    row = store.shard("thread_manifests").table(MANIFESTS, ["thread_id", "directory"]).to_pylist()[0]
    out = packed_folder(store.files.root)
    (out / row["directory"]).rename(out / "renamed-by-hand")
    pack(store.shard("thread_manifests"))
    assert (out / row["directory"] / "manifest.yml").exists() and (out / "renamed-by-hand").exists()
    shutil.rmtree(out / "renamed-by-hand")
    path = next((raw / row["thread_id"]).glob("yml/all_song_proposals_*.yml"))
    document = yaml.safe_load(path.read_text("utf-8"))
    document["iterations"][-1]["title"] = "Quite Another Title"
    path.write_text(yaml.safe_dump(document), "utf-8")
    build(store)
    rows = {item["thread_id"]: item for item in store.shard("thread_manifests").rows("thread_id", "directory", "title")}
    assert rows[row["thread_id"]] == {**row, "title": "Quite Another Title"}


def test_two_folders_of_one_thread_are_reported(store: ShardStore) -> None:
    shard = store.shard("thread_manifests")
    out = packed_folder(store.files.root)
    folder = first_packed(out)
    shutil.copytree(folder, out / "a-copy")
    packing = thread_manifests.checks.load_packing(*places(shard), {})
    finding = thread_manifests.checks.ids_are_unique(packing)
    assert not finding.passed and f"a-copy and {folder.name} are of one thread; delete one" in finding.message


def test_files_of_an_earlier_version_are_removed(store: ShardStore) -> None:
    out = packed_folder(store.files.root)
    before = beside(store)
    (out / "packed.json").write_text("{", "utf-8")
    (out / ".cache").mkdir(exist_ok=True)
    (out / ".cache/states.json").write_text("{", "utf-8")
    assert set(build(store).values()) == {0} and beside(store) == before
    assert not (out / "packed.json").exists() and not (out / ".cache/states.json").exists()


def test_rows_of_an_earlier_version_have_no_facts_and_are_packed(store: ShardStore) -> None:
    before = beside(store)
    for name in ("thread_manifests", "result_feedback"):
        shard = store.shard(name)
        index = shard.require_index()
        parts = tuple(dataclasses.replace(part, facts={}) for part in index.parts)
        shard.replace_index(dataclasses.replace(index, parts=parts))
    shutil.rmtree(first_packed(packed_folder(store.files.root)))
    assert set(build(store).values()) == {0} and beside(store) == before


def test_the_constraints_file_is_what_is_derived(store: ShardStore) -> None:
    folder = feedback_folder(store.shard("negative_constraints"))
    threads = measured_threads(store.shard("thread_manifests"))
    derived = derive(measure(threads, settings.default_rules().feedback))
    assert load(folder / "negative_constraints.yml") == derived
    lines = history.read_history(folder / "history.jsonl")
    assert lines == [json.loads(json.dumps(history.snapshot(measure(threads, settings.default_rules().feedback))))]


def test_a_broken_history_is_a_sentence_and_leaves_the_rows(store: ShardStore) -> None:
    path = feedback_folder(store.shard("result_feedback")) / "history.jsonl"
    path.write_text("{\n", "utf-8")
    problem = outcomes(store)["result_feedback"].problem
    assert problem is not None and "history.jsonl cannot be read" in problem and "delete the line" in problem
    path.unlink()
    assert set(build(store).values()) == {0} and path.exists()


def test_another_set_of_threads_is_another_line_of_the_history(store: ShardStore, raw: Path) -> None:
    folder = feedback_folder(store.shard("result_feedback"))
    chart = (folder / "history.png").read_bytes()
    synth.write_thread(raw, 50, files=20)
    build(store)
    lines = history.read_history(folder / "history.jsonl")
    assert [line["threads"] for line in lines] == [12, 13] and (folder / "history.png").read_bytes() != chart
