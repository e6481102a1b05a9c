"""Steps with colors and steps without read each other: every color feeds the one, the one feeds every color."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from rainbow_assets.digests import digest
from rainbow_assets.lineage import gates
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import BLOCKED, FRESH, STALE, plan
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

SCHEMA = pa.schema([("key", pa.string()), ("word", pa.string())])


class World:
    """Words by color; `grain_all` gathers them; `grain_back` says in each color how many there are in all."""

    def __init__(self) -> None:
        self.words = {color: {f"{color}_1": "one"} for color in COLOR_NAMES}
        self.fine = True
        self.computed: list[str] = []

    def graph(self) -> Graph:
        def listed(shard, rules):
            rows = [(key, key, digest(word)) for key, word in self.words[shard.partition].items()]
            return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", "in:corpus.word"], pl.String), orient="row")

        def words(work: Work) -> Iterator[Batch]:
            for part, rows in work.parts():
                made = [{"key": key, "word": self.words[work.shard.partition][key]} for key in rows["key"]]
                yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))

        def gather(work: Work) -> Iterator[Batch]:
            found = {row["key"]: row for color in COLOR_NAMES
                     for row in work.upstream("grain_words", color).table(SCHEMA).to_pylist()}
            for part, rows in work.parts():
                self.computed += [f"all:{key}" for key in rows["key"]]
                made = [{"key": key, "word": found[key]["word"].upper()} for key in rows["key"]]
                yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))

        def back(work: Work) -> Iterator[Batch]:
            count = work.upstream("grain_all", WHOLE).require_index().rows
            yield Batch("total", pa.Table.from_pylist([{"key": work.shard.partition, "word": str(count)}], schema=SCHEMA))

        def one(shard, rules):
            version = shard.store.shard("grain_all").require_index().data_version
            return pl.DataFrame({"key": [shard.partition], "part": ["total"], "in:grain_all.word": [version]})

        fields = {"word": ("word",)}
        first = RowAsset("grain_words", {"corpus": ("word",)}, words, SCHEMA, fields, key="key",
                     candidates=listed, source=lambda shard: digest(self.words[shard.partition]),
                     checks=[Check("fine", lambda shard: Finding(
                         self.fine or shard.partition != "Red", "words are fine"), "Words are fine.")])
        second = RowAsset("grain_all", {"grain_words": ("word",)}, gather, SCHEMA, fields, key="key", colored=False)
        third = RowAsset("grain_back", {"grain_all": ("word",)}, back, SCHEMA, fields, key="key", candidates=one)
        return Graph([first, second, third])


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def store(tmp_path: Path) -> ShardStore:
    return ShardStore(str(tmp_path))


def build(steps: Graph, store: ShardStore) -> list[str]:
    """Bring everything up to date; return the problems."""
    outcomes = [bring_up_to_date(step, store, partition, allow_deletes=True) for step in steps.values() for partition in step.partitions]
    return [outcome.problem for outcome in outcomes if outcome.problem]


def states(steps: Graph, store: ShardStore) -> dict[tuple[str, str], str]:
    return {(entry.asset, entry.partition): entry.state for entry in plan(steps, store, COLOR_NAMES)}


def test_every_color_reaches_the_one_and_the_one_reaches_every_color(world: World, store: ShardStore):
    steps = world.graph()
    assert build(steps, store) == []
    assert store.shard("grain_all").require_index().rows == 9
    assert store.shard("grain_back", "Blue").table(SCHEMA).to_pylist() == [{"key": "Blue", "word": "9"}]
    assert set(states(steps, store).values()) == {FRESH}

    world.words["Green"]["Green_2"] = "two"
    planned = states(steps, store)
    assert {key for key, state in planned.items() if state == STALE and key[0] == "grain_words"} == {("grain_words", "Green")}
    assert planned["grain_all", WHOLE] == STALE

    world.computed.clear()
    assert build(steps, store) == []
    assert world.computed == ["all:Green_2"], "only the new row"
    assert store.shard("grain_back", "Blue").table(SCHEMA).to_pylist() == [{"key": "Blue", "word": "10"}]

    del world.words["Green"]["Green_2"]
    assert build(steps, store) == []
    assert store.shard("grain_all").require_index().rows == 9


def test_one_bad_color_blocks_what_reads_them_all(world: World, store: ShardStore):
    steps = world.graph()
    build(steps, store)
    world.fine = False
    world.words["Red"]["Red_1"] = "bad"
    problems = build(steps, store)
    assert len(problems) == 10 and all("grain_words/Red is blocked" in problem for problem in problems)
    assert gates.blocked(store, steps["grain_all"]) is None, "the last good one stands"
    planned = states(steps, store)
    assert planned["grain_all", WHOLE] == BLOCKED
    assert planned["grain_back", "Blue"] == BLOCKED


def test_a_plan_of_one_color_leaves_the_ones_without_colors_out(world: World, store: ShardStore):
    steps = world.graph()
    assert {entry.asset for entry in plan(steps, store, ["Red"])} == {"grain_words", "grain_back"}
