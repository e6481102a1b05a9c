"""The ledger does exactly the work that is stale, loses nothing, and lands whole shards only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rainbow_assets.lineage import parts
from rainbow_assets.lineage.codeversion import Used
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.ledger import LedgerError, commit, ledger_frame, reconcile
from rainbow_assets.lineage.materialize import bring_up_to_date, history
from rainbow_assets.lineage.plan import FRESH, RESTAMP, STALE, plan
from rainbow_assets.lineage.row_asset import Batch
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.lineage.toy import WORDS, World


@pytest.fixture
def world() -> World:
    return World({"a1": ("A", "ant", "x"), "a2": ("A", "bee", "x"), "b1": ("B", "crow", "x"), "b2": ("B", "", "x")})


@pytest.fixture
def store(tmp_path) -> ShardStore:
    return ShardStore(str(tmp_path))


def build(world: World, store: ShardStore, color: str = "Green"):
    world.computed.clear()
    steps = world.graph().values()
    return [bring_up_to_date(step, store, color, allow_deletes=True) for step in steps]


def files(store: ShardStore, asset: str) -> dict[str, bytes]:
    shard = store.shard(asset, "Green")
    index = shard.require_index()
    return {name: shard.files.read(name) for name in ["shard.json", index.ledger, *(p.name for p in index.parts)]}


def test_first_build_computes_all_and_quarantines_with_a_reason(world, store):
    words, lengths = build(world, store)
    assert words.report.rows == 3
    assert words.report.quarantined == {"empty": 1}
    assert lengths.report.rows == 3
    frame = ledger_frame(store.shard("toy_words", "Green"))
    assert dict(frame.select("key", "reason").iter_rows())["b2"] == "empty"
    assert sorted(world.computed) == ["lengths:a1", "lengths:a2", "lengths:b1",
                                      "words:a1", "words:a2", "words:b1", "words:b2"]


def test_second_build_reads_indexes_only(world, store):
    build(world, store)
    before = files(store, "toy_words")
    words, lengths = build(world, store)
    assert world.computed == []
    assert (words.report.computed, words.report.reused, words.report.parts_written) == (0, 3, 0)
    assert words.report.quarantined == {"empty": 1}
    assert files(store, "toy_words") == before
    assert not lengths.report.changed


def test_one_changed_row_rewrites_its_part_only(world, store):
    build(world, store)
    before = files(store, "toy_words")
    world.rows["a1"] = ("A", "antelope", "x")
    words, lengths = build(world, store)
    assert world.computed == ["words:a1", "lengths:a1"]
    assert words.report.parts_written == lengths.report.parts_written == 1
    after = files(store, "toy_words")
    assert {name for name in before if name.startswith("B-")} <= set(after)
    assert words.report.changed


def test_a_field_that_is_not_read_changes_nothing_downstream(world, store):
    build(world, store)
    world.rows["a1"] = ("A", "ant", "another note")
    _, lengths = build(world, store)
    assert world.computed == ["words:a1"]
    assert not lengths.report.changed
    assert lengths.report.reused == 3


def test_a_plan_after_an_upgrade_that_gave_the_upstream_other_fields(world, store, tmp_path):
    """The upstream's ledger lacks what the new code reads: the plan says so, and a build then does it."""
    build(world, store)
    words, lengths = world.graph().values()
    wider = replace(words, fields={**words.fields, "both": ("word", "note")})
    reads = replace(lengths, reads={"toy_words": ("word", "both")})
    wider, reads = Graph([wider, reads]).values()
    planned = plan({step.name: step for step in (wider, reads)}, store, ["Green"])
    assert [(entry.state, entry.at_most) for entry in planned] == [(STALE, False), (STALE, True)]
    assert any("the columns of toy_words changed" in reason for reason in planned[1].reasons)
    for step in (wider, reads):
        assert bring_up_to_date(step, store, "Green").problem is None
    assert [entry.state for entry in plan({step.name: step for step in (wider, reads)}, store, ["Green"])] == [FRESH] * 2
    clean = ShardStore(str(tmp_path / "clean"))
    for step in (wider, reads):
        assert bring_up_to_date(step, clean, "Green").problem is None
        found = [s.shard(step.name, "Green").require_index() for s in (store, clean)]
        assert found[0] == found[1], "the ledger has today's columns, whatever it had before"


def test_an_upgrade_of_a_color_without_rows_is_planned_and_a_lone_reader_says_what_lacks(world, store):
    world.rows.clear()
    build(world, store)
    words, lengths = world.graph().values()
    wider = replace(words, fields={**words.fields, "both": ("word", "note")}, checks=())
    reads = replace(lengths, reads={"toy_words": ("word", "both")}, libraries=("numpy",))
    wider, reads = Graph([wider, reads]).values()
    assert [entry.state for entry in plan({step.name: step for step in (wider, reads)}, store, ["Green"])] == [RESTAMP, RESTAMP]
    alone = bring_up_to_date(reads, store, "Green")
    assert alone.problem == "toy_words/Green was built before it had both; run: rainbow build"
    for step in (wider, reads):
        assert bring_up_to_date(step, store, "Green").problem is None


def test_an_empty_shard_gets_todays_columns_too(world, store):
    world.rows.clear()
    build(world, store)
    words, _ = world.graph().values()
    wider = replace(words, fields={**words.fields, "both": ("word", "note")})
    assert bring_up_to_date(wider, store, "Green").problem is None
    assert ledger_frame(store.shard("toy_words", "Green")).columns == wider.ledger_columns


def test_early_cutoff_on_equal_output(world, store):
    build(world, store)
    world.rows["a1"] = ("A", "cat", "x")
    _, lengths = build(world, store)
    assert world.computed == ["words:a1", "lengths:a1"]
    assert not lengths.report.changed, "the length is the same, so the shard's data version is"
    assert lengths.report.parts_written == 0


def test_deletes_go_through(world, store):
    build(world, store)
    del world.rows["a1"], world.rows["b1"], world.rows["b2"]
    words, lengths = build(world, store)
    assert world.computed == []
    assert (words.report.rows, lengths.report.rows) == (1, 1)
    assert [p.group for p in store.shard("toy_lengths", "Green").require_index().parts] == ["A"]


def test_incremental_equals_clean(world, store, tmp_path):
    build(world, store)
    world.rows |= {"a1": ("A", "x", "y"), "c1": ("C", "new", "z")}
    del world.rows["b1"]
    build(world, store)
    clean = ShardStore(str(tmp_path / "clean"))
    build(world, clean)
    for asset in ("toy_words", "toy_lengths"):
        assert files(store, asset) == files(clean, asset)


def test_rows_that_never_come_are_an_error_and_leave_the_shard(world, store):
    build(world, store)
    before = files(store, "toy_words")
    world.rows["a1"] = ("A", "changed", "x")
    step, _ = world.graph().values()
    with pytest.raises(LedgerError, match="did not return"):
        commit(reconcile(step, store.shard("toy_words", "Green")), [])
    wrong = Batch("A", WORDS.empty_table())
    with pytest.raises(LedgerError, match="neither returned"):
        commit(reconcile(step, store.shard("toy_words", "Green")), [wrong])
    with pytest.raises(LedgerError, match="does not declare; add it to the asset's reasons"):
        commit(reconcile(step, store.shard("toy_words", "Green")), [Batch("A", WORDS.empty_table(), {"a1": "bad"})])
    assert files(store, "toy_words") == before


def test_a_killed_build_goes_on_where_it_was(world, store):
    step, _ = world.graph().values()
    shard = store.shard("toy_words", "Green")
    delta = reconcile(step, shard)

    def dies():
        for number, batch in enumerate(step.compute(delta.work())):
            if number == 1:
                raise KeyboardInterrupt
            yield batch

    with pytest.raises(KeyboardInterrupt):
        commit(delta, dies())
    assert shard.index() is None, "nobody sees half a shard"
    assert [part.group for part, _ in parts.pending(shard)] == ["A"]
    world.computed.clear()
    build(world, store)
    assert [entry for entry in world.computed if entry.startswith("words")] == ["words:b1", "words:b2"]
    assert shard.files.names("pending") == []


def test_unreferenced_parts_are_collected_after_their_grace(world, store):
    build(world, store)
    world.rows["a1"] = ("A", "other", "x")
    step, _ = world.graph().values()
    shard = store.shard("toy_words", "Green")
    delta = reconcile(step, shard)
    commit(delta, step.compute(delta.work()), grace_s=1e9)
    assert len([name for name in shard.files.names() if name.startswith("A-")]) == 2
    parts.clear(shard, shard.require_index(), grace_s=-1)
    assert len([name for name in shard.files.names() if name.startswith("A-")]) == 1


def test_history_remembers_builds_that_changed_something(world, store):
    build(world, store)
    build(world, store)
    entries = history(store.shard("toy_words", "Green"))
    assert len(entries) == 1
    assert entries[0]["computed"] == 4


def test_works_behind_a_url(world):
    store = ShardStore("memory://rainbow-ledger-test")
    words, lengths = build(world, store)
    assert words.problem is None
    assert lengths.report.rows == 3
    build(world, store)
    assert world.computed == []


def test_a_writer_of_other_bytes_writes_every_file_again_and_computes_nothing(world, store, tmp_path, monkeypatch):
    build(world, store)
    before = files(store, "toy_words")
    monkeypatch.setattr(parts, "LAYOUT", 2)
    entries = {entry.asset: entry for entry in plan(steps_of(world), store, ["Green"])}
    assert entries["toy_words"].state == RESTAMP and entries["toy_words"].compute == 0
    assert entries["toy_words"].reasons == ["the layout of the files changed; the rows are the same"]
    words, lengths = build(world, store)
    assert world.computed == [] and words.problem is None and not lengths.report.changed
    after = files(store, "toy_words")
    assert {name for name in after if name.startswith(("A-", "B-"))}.isdisjoint(before), "parts are named by their bytes"
    assert {entry.state for entry in plan(steps_of(world), store, ["Green"])} == {FRESH}
    clean = ShardStore(str(tmp_path / "clean"))
    build(world, clean)
    assert after == files(clean, "toy_words")


def steps_of(world: World) -> Graph:
    return world.graph()


def test_the_code_of_the_writer_is_what_its_layout_was_declared_for():
    """If this fails, the Parquet writer was edited. Are the bytes the same? Then put the new digest here.

    Else raise ``parts.LAYOUT`` as well: every shard is written again.
    """
    root = ("rainbow_assets.storage.parquet", "write_parquet")
    assert Used((root,)).version == "f62f197d897b6522"
