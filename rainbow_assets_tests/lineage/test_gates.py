"""A gate opens only for a pass on the live data by the live check."""

from __future__ import annotations

import dataclasses
import json

import pytest

from rainbow_assets.lineage import catalog, gates, verdicts
from rainbow_assets.lineage.materialize import bring_up_to_date, problem
from rainbow_assets.storage.shard import DamagedShard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.lineage.toy import World


@pytest.fixture
def world() -> World:
    return World({"a1": ("A", "ant", "x"), "b1": ("B", "crow", "x")})


@pytest.fixture
def store(tmp_path) -> ShardStore:
    return ShardStore(str(tmp_path))


def build(world, store, color="Green"):
    world.computed.clear()
    return [bring_up_to_date(step, store, color) for step in world.register()]


def test_a_pass_opens_the_gate(world, store):
    build(world, store)
    gates.require(store, "toy_words", "Green")


def test_never_made_is_blocked_with_the_command(world, store):
    world.register()
    with pytest.raises(gates.Blocked, match=r"has not been made yet.*--select toy_words --partition Green"):
        gates.require(store, "toy_words", "Green")


def test_an_unregistered_asset_is_an_error_not_a_pass(store):
    with pytest.raises(catalog.UnknownAsset, match="no_such_asset"):
        gates.require(store, "no_such_asset", "Green")


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
    with pytest.raises(gates.Blocked, match="was answered never"):
        gates.require(store, "toy_words", "Green")


def test_a_pass_for_older_data_blocks(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    shard.replace_index(dataclasses.replace(shard.require_index(), data_version="0" * 32))
    with pytest.raises(gates.Blocked, match="only for older data or by an older check"):
        gates.require(store, "toy_words", "Green")


def test_a_pass_by_an_older_check_blocks(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    old = [dataclasses.replace(v, check_version="older") for v in verdicts.read(shard)]
    verdicts.write(shard, old)
    with pytest.raises(gates.Blocked, match="older check"):
        gates.require(store, "toy_words", "Green")
    build(world, store)
    gates.require(store, "toy_words", "Green")


def test_a_damaged_verdict_file_blocks_and_is_named(world, store):
    build(world, store)
    shard = store.shard("toy_words", "Green")
    shard.files.write("verdicts.json", b'{"verdicts": [{"chec')
    with pytest.raises(DamagedShard, match=r"toy_words/Green/verdicts\.json"):
        verdicts.read(shard)
    with pytest.raises(gates.Blocked, match=r"verdicts\.json"):
        gates.require(store, "toy_words", "Green")


def test_verdicts_carry_numbers(world, store):
    build(world, store)
    document = json.loads(store.shard("toy_words", "Green").files.read("verdicts.json"))
    assert document["verdicts"][0]["numbers"] == {"longest": 4}
