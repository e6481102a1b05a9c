"""The assets of the threads as ledger steps: nothing lost, no work twice, what a person set by hand is kept."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

import polars as pl
import pytest
import yaml

from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage.ledger import commit, ledger_frame, reconcile
from rainbow_assets.lineage.materialize import BuildResult, bring_up_to_date
from rainbow_assets.release.bundle import write_bundle
from rainbow_assets.release.croissant import render_croissant
from rainbow_assets.release.tables import published
from rainbow_assets.release.threads_table import threads_table
from rainbow_assets.release.versions import Version
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.measured import read_folder
from rainbow_assets.threads.negative_constraints import CONSTRAINTS, constraints_path, constraints_report
from rainbow_assets.threads.result_feedback import FEEDBACK, feedback_report
from rainbow_assets.threads.rewrite import has_absolute
from rainbow_assets.threads.source import packed_folder
from rainbow_assets.threads.tables import INDEX, measured_threads
from rainbow_assets.threads.thread_manifests import MANIFESTS, pack, packing_report
from rainbow_assets_tests.threads import synth
from rainbow_assets_tests.threads.places import RAW, needs_shared

THREADS = 12
OWN = [GRAPH[name] for name in ("thread_manifests", "thread_index", "result_feedback", "negative_constraints")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw threads, and what was built from them: ``raw`` and ``data``."""
    root = tmp_path_factory.mktemp("threads")
    for seed in range(THREADS):
        synth.write_thread(root / "raw", seed, files=20, key="C major" if seed < 8 else "D minor", bpm=90 + seed % 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_THREADS", str(root / "raw"))
        build(ShardStore(str(root / "data")))
    return root


@pytest.fixture
def raw(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the raw threads, with what was built from them beside it. Copies are seen as moved files."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "raw"))
    return tmp_path / "raw"


def test_without_a_folder_of_threads_every_step_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "nowhere"))
    store = ShardStore(str(tmp_path / "data"))
    for step in OWN:
        shard = store.shard(step.name, WHOLE)
        delta = reconcile(step, shard)
        commit(delta, step.compute(delta.work()))
        index = shard.require_index()
        assert step.name in ("result_feedback", "negative_constraints") or index.rows == 0
    build(store)
    assert not packed_folder(str(tmp_path / "data")).exists()


@pytest.fixture
def store(raw: Path) -> ShardStore:
    return ShardStore(str(raw.parent / "data"))


def build(store: ShardStore, allow_deletes: bool = False) -> dict[str, int]:
    """Bring all four up to date; return how many rows were computed."""
    found = outcomes(store, allow_deletes)
    problems = [outcome.problem for outcome in found.values() if outcome.problem]
    wrong = [verdict for outcome in found.values() for verdict in outcome.verdicts if not verdict.passed]
    assert not problems and not wrong
    return {name: outcome.report.computed for name, outcome in found.items() if outcome.report is not None}


def outcomes(store: ShardStore, allow_deletes: bool = False) -> dict[str, BuildResult]:
    return {step.name: bring_up_to_date(step, store, allow_deletes=allow_deletes) for step in OWN}


def stamps(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()
            and not {".cache", ".lock"} & {*path.parts}}


def test_every_thread_is_a_row_of_every_table(store: ShardStore, raw: Path) -> None:
    rows = store.shard("thread_manifests").table(MANIFESTS).to_pylist()
    assert {row["thread_id"] for row in rows} == {folder.name for folder in raw.iterdir()}
    assert all(len(row["iterations"]) == row["iteration_count"] == len(synth.COLORS) for row in rows)
    index = store.shard("thread_index").table(INDEX)
    assert index.num_rows == THREADS and set(index["timestamp_source"].to_pylist()) == {"newest_artifact"}
    assert not any(has_absolute(json.dumps(row, default=str)) for row in rows)


def test_measuring_rows_is_measuring_manifests(store: ShardStore) -> None:
    rules = settings.FeedbackRules()
    found = measure(measured_threads(store.shard("thread_manifests")), rules)
    assert found == measure(read_folder(packed_folder(store.files.root)), rules)
    final = store.shard("result_feedback").table(FEEDBACK).to_pylist()[0]
    assert final["scope"] == "final" and final["normalized_top_key"] == "C major"
    assert final["normalized_top_key_share"] == pytest.approx(8 / 12)
    assert json.loads(final["report"])["final"]["n"] == THREADS


def test_a_second_build_does_nothing_and_one_edited_file_packs_one_thread(store: ShardStore, raw: Path) -> None:
    assert build(store) == dict.fromkeys((step.name for step in OWN), 0)
    before = stamps(packed_folder(store.files.root))
    folder = sorted(raw.iterdir())[4]
    path = next(folder.glob("yml/all_song_proposals_*.yml"))
    document = yaml.safe_load(path.read_text("utf-8"))
    document["iterations"][-1]["bpm"] = 61
    path.write_text(yaml.safe_dump(document), "utf-8")
    computed = build(store)
    assert computed["thread_manifests"] == computed["thread_index"] == 1 and computed["result_feedback"] == 2
    after = stamps(packed_folder(store.files.root))
    moved = {name.partition("/")[0] for name in before | after if before.get(name) != after.get(name)}
    row = next(row for row in store.shard("thread_index").table(INDEX).to_pylist() if row["thread_id"] == folder.name)
    assert row["bpm"] == 61 and moved == {row["directory"], "index.yml"}


def test_what_packing_leaves_out_moves_nothing(store: ShardStore, raw: Path) -> None:
    next(raw.glob("*/debug/*.json")).write_text('{"state": 2}', "utf-8")
    assert set(build(store).values()) == {0}


def test_what_cannot_be_packed_is_a_row_with_a_reason(store: ShardStore, raw: Path) -> None:
    (raw / "notes of a summer").mkdir()
    broken = sorted(raw.iterdir())[0]
    next(broken.glob("yml/all_song_proposals_*.yml")).write_text("iterations: [", "utf-8")
    linked = raw / str(uuid.UUID(int=7))
    synth.write_thread(raw.parent / "elsewhere", 40, files=8).rename(raw.parent / "elsewhere" / linked.name)
    linked.symlink_to(raw.parent / "elsewhere" / linked.name)
    build(store)
    ledger = ledger_frame(store.shard("thread_manifests"))
    assert ledger is not None
    aside = dict(ledger.filter(pl.col("status") != "ok").select("key", "reason").iter_rows())
    assert aside == {"notes of a summer": "not_a_thread", broken.name: "unreadable_proposals",
                     linked.name: "unreadable_folder"}
    (sentence,) = ledger.filter(pl.col("key") == linked.name)["sentence"]
    assert sentence == f"thread {linked.name}: it is a link; copy the folder itself if it belongs here"
    assert store.shard("thread_manifests").table(MANIFESTS, ["thread_id"]).num_rows == THREADS - 1


def test_a_vanished_source_deletes_nothing_and_a_deleted_thread_goes_everywhere(store: ShardStore, raw: Path) -> None:
    raw.rename(raw.with_name("elsewhere"))
    refused = outcomes(store)["thread_manifests"]
    assert refused.problem is not None and "12 of 12 threads are gone at once" in refused.problem
    raw.with_name("elsewhere").rename(raw)
    gone = sorted(raw.iterdir())[3]
    shutil.rmtree(gone)
    build(store)
    for name, schema in (("thread_manifests", MANIFESTS), ("thread_index", INDEX)):
        assert gone.name not in store.shard(name).table(schema, ["thread_id"])["thread_id"].to_pylist()
    assert store.shard("result_feedback").table(FEEDBACK)["threads"].to_pylist() == [THREADS - 1] * 2


def test_a_damaged_packed_folder_is_made_again(store: ShardStore) -> None:
    out = packed_folder(store.files.root)
    victim = sorted(out.glob("*/manifest.yml"))[2].parent
    before = (victim / "manifest.yml").read_bytes()
    shutil.rmtree(victim)
    pack(store.shard("thread_manifests"))
    assert (victim / "manifest.yml").read_bytes() == before


def test_what_a_person_sets_by_hand_is_an_input_and_is_kept(store: ShardStore) -> None:
    path = constraints_path(store.shard("negative_constraints"))
    document = yaml.safe_load(path.read_text("utf-8"))
    assert {"kind": "key", "value": "C major", "severity": "exclude"}.items() <= document["constraints"][0].items()
    document["manual_overrides"] = [{"kind": "key", "value": "C major", "severity": "allow", "reason": "a waltz"},
                                    {"kind": "mood", "value": "bored", "severity": "exclude"}]
    path.write_text(yaml.safe_dump(document), "utf-8")
    computed = build(store)
    assert computed["thread_manifests"] == computed["result_feedback"] == 0 and computed["negative_constraints"] > 0
    rows = store.shard("negative_constraints").table(CONSTRAINTS).to_pylist()
    assert "key: C major" not in {row["constraint_id"] for row in rows}
    assert next(row for row in rows if row["value"] == "bored")["source"] == "manual"
    kept = yaml.safe_load(path.read_text("utf-8"))
    assert [item["value"] for item in kept["manual_overrides"]] == ["C major", "bored"] and "bored" in kept["prompt"]
    path.write_text("manual_overrides: [{kind: tempo, value: x, severity: avoid}]\n", "utf-8")
    told = outcomes(store)["negative_constraints"].problem
    assert told is not None and "field kind: 'tempo' is not known" in told


def test_other_thresholds_measure_again_and_pack_nothing(
    store: ShardStore, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (raw.parent / "rainbow.toml").write_text("[feedback]\nkey_exclude = 0.9\n", "utf-8")
    monkeypatch.setenv("RAINBOW_SETTINGS", str(raw.parent / "rainbow.toml"))
    settings.default_rules.cache_clear()
    try:
        computed = build(store)
    finally:
        settings.default_rules.cache_clear()
    assert computed["thread_manifests"] == computed["thread_index"] == 0 and computed["result_feedback"] == 2
    rows = store.shard("negative_constraints").table(CONSTRAINTS).to_pylist()
    assert next(row for row in rows if row["constraint_id"] == "key: C major")["severity"] == "avoid"


def test_without_raw_threads_the_tables_are_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINBOW_THREADS", str(tmp_path / "nowhere"))
    store = ShardStore(str(tmp_path / "data"))
    assert set(build(store).values()) == {0} and not packed_folder(store.files.root).exists()
    assert feedback_report(store.shard("result_feedback")) == ({}, None)


def test_reports_show_rules_figures_and_effects(store: ShardStore) -> None:
    packing = packing_report(store.shard("thread_manifests"))
    assert "| debug\\_document | 192 |" in packing["files"] and "python\\_tags" in packing["anomalies"]
    text, picture = feedback_report(store.shard("result_feedback"))
    assert "| C major | 8 | 0.667 |" in text["keys"] and picture is not None and picture.startswith(b"\x89PNG")
    found = constraints_report(store.shard("negative_constraints"))
    assert "| exclude | key | C major | 0.667 | measured |" in found["constraints"] and "effect" in found


def test_a_release_holds_threads_only_where_they_are_asked_for(
    store: ShardStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "thread_manifests" not in published(GRAPH) and "thread_manifests" in GRAPH
    monkeypatch.setattr(settings, "default_rules", lambda: settings.Rules(release=settings.ReleaseRules(threads=True)))
    assert "thread_manifests" in published(GRAPH)
    bundle = write_bundle([threads_table(store)], tmp_path)
    assert [file.path for file in bundle.files] == ["threads/train-White-00000.parquet"]
    rows = pl.read_parquet(tmp_path / "threads/train-White-00000.parquet")
    assert len(rows) == THREADS and rows["iterations"].list.len().unique().to_list() == [len(synth.COLORS)]
    assert not has_absolute((tmp_path / "threads/train-White-00000.parquet").read_bytes().decode("latin-1"))
    fields = json.loads(render_croissant(bundle, Version(0, 3, 0)))["recordSet"][0]["field"]
    assert {"threads/thread_id", "threads/iterations"} <= {field["@id"] for field in fields}


@needs_shared
def test_the_real_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINBOW_THREADS", str(RAW.parent))
    store = ShardStore(str(tmp_path / "data"))
    assert build(store)["thread_manifests"] == len(list(RAW.iterdir()))
    assert set(build(store).values()) == {0}
