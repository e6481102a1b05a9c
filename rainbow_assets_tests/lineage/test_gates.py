"""A gate opens only for a pass on the live data by the live check."""

from __future__ import annotations

import dataclasses
import json

import polars as pl
import pytest

from rainbow_assets.lineage import gates, ledger, verdicts
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.materialize import bring_up_to_date, problem
from rainbow_assets.lineage.row_asset import UnknownAsset, Work
from rainbow_assets.settings import default_rules
from rainbow_assets.storage.shard import DamagedShard, UndeclaredRead
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.lineage import toy
from rainbow_assets_tests.lineage.toy import World


@pytest.fixture
def world() -> World:
    return World({"a1": ("A", "ant", "x"), "b1": ("B", "crow", "x")})


@pytest.fixture
def store(tmp_path) -> ShardStore:
    return ShardStore(str(tmp_path))


def build(world, store, color="Green"):
    world.computed.clear()
    return [bring_up_to_date(step, store, color) for step in world.graph().values()]


def test_a_pass_opens_the_gate(world, store):
    build(world, store)
    gates.require(store, world.words(), "Green")


def test_never_made_is_blocked_with_the_command(world, store):
    with pytest.raises(gates.Blocked, match=r"has not been built yet.*--select toy_words --partition Green"):
        gates.require(store, world.words(), "Green")


def test_an_asset_outside_of_the_graph_is_an_error_not_a_pass(world, store):
    with pytest.raises(UnknownAsset, match="no_such_asset"):
        world.graph()["no_such_asset"]
    with pytest.raises(LookupError, match="toy_lengths reads toy_words, which is not in the graph before it"):
        gates.require_upstreams(world.lengths(), store, "Green")
    with pytest.raises(LookupError, match="toy_lengths reads toy_words"):
        Graph([world.lengths(), world.words()])


def test_a_failed_check_blocks_the_consumer_in_later_runs_and_keeps_its_last_good_shard(world, store):
    build(world, store)
    good = store.shard("toy_lengths", "Green").require_index()
    world.rows["a1"] = ("A", "a word that is much too long", "x")
    words, lengths = build(world, store)
    assert [v.passed for v in words.verdicts] == [False]
    assert "check short failed" in lengths.problem
    assert "28 letters" in lengths.problem
    assert store.shard("toy_lengths", "Green").require_index() == good
    again = ShardStore(store.files.url)
    _, lengths = build(world, again)
    assert lengths.problem is not None
    assert problem(again.shard("toy_lengths", "Green")) == lengths.problem
    world.rows["a1"] = ("A", "ant", "x")
    _, lengths = build(world, store)
    assert lengths.problem is None
    assert problem(store.shard("toy_lengths", "Green")) is None


def test_a_bad_color_does_not_stop_a_good_one(world, store):
    world.rows["a1"] = ("A", "a word that is much too long", "x")
    assert build(world, store, "Green")[1].problem
    world.rows["a1"] = ("A", "ant", "x")
    assert build(world, store, "Blue")[1].problem is None


def test_a_missing_verdict_blocks(world, store):
    build(world, store)
    store.shard("toy_words", "Green").files.remove("verdicts.json")
    with pytest.raises(gates.Blocked, match="has never run"):
        gates.require(store, world.words(), "Green")


def test_a_pass_for_older_data_blocks(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    shard.replace_index(dataclasses.replace(shard.require_index(), data_version="0" * 32))
    with pytest.raises(gates.Blocked, match="has not run on the current data"):
        gates.require(store, world.words(), "Green")


def test_a_pass_by_an_older_check_blocks(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    old = [dataclasses.replace(v, check_version="older") for v in verdicts.read(shard)]
    verdicts.write(shard, old)
    with pytest.raises(gates.Blocked, match="has not run on the current data"):
        gates.require(store, world.words(), "Green")
    build(world, store)
    gates.require(store, world.words(), "Green")


def test_a_damaged_verdict_file_blocks_and_is_named(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    shard.files.write("verdicts.json", b'{"verdicts": [{"chec')
    with pytest.raises(DamagedShard, match=r"toy_words/Green/verdicts\.json"):
        verdicts.read(shard)
    with pytest.raises(gates.Blocked, match=r"verdicts\.json"):
        gates.require(store, world.words(), "Green")


def test_verdicts_carry_numbers(world, store):
    build(world, store)
    document = json.loads(store.shard("toy_words", "Green").files.read("verdicts.json"))
    assert document["verdicts"][0]["numbers"] == {"longest": 4}


def test_a_verdict_is_bound_to_all_that_its_check_read(world, store):
    """Another shard, or a file of the store, that moved since asks the check again; nothing has to be declared."""
    build(world, store)
    asked = []

    def as_long(shard):
        words = shard.store.shard("toy_words", shard.partition).table(toy.WORDS).num_rows
        asked.append((words, shard.store.files.read("limits/most")))
        return verdicts.Finding(True, f"{words} words")

    check = verdicts.Check("as_long", as_long, "As many lengths as words.")
    shard = store.shard("toy_lengths", "Green")
    verdicts.ensure(shard, (check,))
    verdicts.ensure(shard, (check,))
    assert asked == [(2, None)]
    store.files.write("limits/most", b"7")
    assert verdicts.current(shard, check) is None
    verdicts.ensure(shard, (check,))
    world.rows["b1"] = ("B", "crow", "another note, which lengths do not read")
    bring_up_to_date(world.words(), store, "Green")
    verdicts.ensure(shard, (check,))
    assert asked == [(2, None), (2, b"7"), (2, b"7")]
    assert set(verdicts.read(shard)[0].read) == {"toy_words/Green", "file limits/most"}


def test_a_step_that_reads_what_it_does_not_declare_is_stopped(world, store):
    build(world, store)
    lengths = dataclasses.replace(world.lengths(), reads={"toy_nothing": ()})
    work = Work(ledger._declared(lengths, store.shard("toy_lengths", "Green")), pl.DataFrame(), default_rules())
    with pytest.raises(UndeclaredRead, match="toy_lengths reads toy_words, which is not among its inputs"):
        work.upstream("toy_words")
    assert work.shard.index() is not None


def test_a_step_sees_the_columns_of_the_fields_that_it_declares(world, store):
    build(world, store)
    work = Work(ledger._declared(world.graph()["toy_lengths"], store.shard("toy_lengths", "Green")), pl.DataFrame(), default_rules())
    words = work.upstream("toy_words")
    with pytest.raises(UndeclaredRead, match="note of toy_words/Green is in no field that the asset declares"):
        words.table(toy.WORDS)
    assert words.table(toy.WORDS, ["key", "word"]).num_rows
    assert [table.column_names for _, table in words.tables()] == [["key", "word"]] * len(words.require_index().parts)
    assert store.shard("toy_words", "Green").table(toy.WORDS).column_names == ["key", "word", "note"]


def test_rows_are_read_by_key_and_made_with_all_columns(world, store):
    build(world, store)
    lengths = world.graph()["toy_lengths"]
    work = ledger.reconcile(lengths, store.shard("toy_lengths", "Green")).work()
    assert work.rows("toy_words", ["word"])["a1"] == {"word": "ant"}
    with pytest.raises(UndeclaredRead, match="reads toy_nothing, which is not among its inputs"):
        work.rows("toy_nothing", ["word"])
    with pytest.raises(UndeclaredRead, match="note of toy_words/Green is in no field"):
        work.rows("toy_words", ["note"])
    assert work.batch("A", [{"key": "a1", "length": 3}]).table.num_rows == 1
    for wrong in ({"key": "a1", "lenght": 3}, {"key": "a1"}, {"key": "a1", "length": 3, "more": 1}):
        with pytest.raises(ValueError, match="toy_lengths/Green has the columns .*; declared are key, length"):
            work.batch("A", [wrong])


def test_rows_without_some_columns_are_read_from_verified_files(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    assert [row.keys() for row in shard.rows(without=["note"])] == [{"key", "word"}] * shard.require_index().rows
    assert shard.rows("key", "note", without=["note"]) == shard.rows("key")
    shard.files.write(shard.require_index().parts[0].name, b"PAR1 and no more")
    with pytest.raises(DamagedShard, match="is not what shard.json lists"):
        shard.rows(without=["note"])
