"""Random graphs of small steps over words in two colors: what edit scripts play with.

Every step is a real one: candidates, ledgers, parts, checks. A row has two values, ``a`` and ``b``; the step's salt is
its code. ``World.computed`` notes which rows a build computed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.lineage.graph import Graph
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE

COLORS = ("Red", "Green")
SCHEMA = pa.schema([("key", pa.string()), ("a", pa.string()), ("b", pa.string())])
FIELDS = {"a": ("a",), "b": ("b",)}
BAD = "!"
"""A word with this in it fails the check of the first step."""
Row = dict[str, str]


@dataclass(frozen=True)
class ToyStep(RowAsset):
    """A step whose code is a word."""

    salt: str = ""

    def versions(self, rules: Any) -> dict[str, str]:
        """Return the salt as the code's version."""
        return {"settings": "-", "code": digest(self.salt), "libraries": "-"}


@dataclass
class World:
    """Words by color and key; an empty one cannot be used."""

    words: dict[str, dict[str, Row]] = field(default_factory=dict)
    computed: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    steps: Graph = field(default_factory=lambda: Graph([]))

    def note(self, work: Work) -> None:
        """Remember which rows were asked for."""
        self.computed.setdefault((work.shard.asset, work.shard.partition), set()).update(work.asked["key"])

    def add(self, step: ToyStep) -> None:
        """Put ``step`` into the graph, or its new version in the place of the old one."""
        self.steps = Graph({**self.steps, step.name: step}.values())

    def salt(self, name: str) -> str:
        """Return the code of a step."""
        step = self.steps[name]
        assert isinstance(step, ToyStep)
        return step.salt


def first(world: World, cheap: bool) -> None:
    """The words themselves."""

    def listed(shard: Shard, rules: Any) -> pl.DataFrame:
        rows = [(key, key[:1], digest(row["a"]), digest(row["b"])) for key, row in world.words[shard.partition].items()]
        return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", "in:raw.a", "in:raw.b"], pl.String), orient="row")

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        salt = world.salt("toy_0")
        for part, rows in work.parts():
            words = {key: world.words[work.shard.partition][key] for key in rows["key"]}
            made = [{"key": key, "a": salt + row["a"], "b": row["b"]} for key, row in words.items() if row["a"]]
            yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA),
                        {key: "empty" for key, row in words.items() if not row["a"]})

    def fine(shard: Shard) -> Finding:
        return Finding(not any(BAD in row["b"] for row in shard.table(SCHEMA).to_pylist()), "no bad word")

    world.add(ToyStep(
        "toy_0", {"raw": ("a", "b")}, compute, SCHEMA, FIELDS, key="key", candidates=listed, reasons={"empty": "no word"},
        source=lambda shard: digest(world.words[shard.partition]), flows={"a": ("raw.a",), "b": ("raw.b",),
                                                                         "key": ("raw.a",)},
        cheap=cheap, checks=[Check("fine", fine, "No bad word.")]))


def _above(world: World, work: Work, asset: str) -> dict[str, Row]:
    partitions = world.steps[work.shard.asset].read_partitions(asset, work.shard.partition)
    return {row["key"]: row for partition in partitions
            for _, table in work.upstream(asset, partition).tables() for row in table.to_pylist()}


def each(world: World, name: str, above: str, colored: bool, aside: bool, cheap: bool) -> None:
    """A row per row above; with ``aside``, some are set aside for their value."""

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        rows, salt = _above(world, work, above), world.salt(name)
        for part, asked in work.parts():
            out = {key: "odd" for key in asked["key"] if aside and int(digest(rows[key]["a"], salt), 16) % 3 == 0}
            made = [{"key": key, "a": f"{salt}{len(rows[key]['a']) % 4}", "b": rows[key]["b"] + salt}
                    for key in asked["key"] if key not in out]
            yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA), out)

    world.add(ToyStep(name, {above: ("a", "b")}, compute, SCHEMA, FIELDS, key="key", colored=colored, cheap=cheap,
                      reasons={"odd": "odd"}, flows={"a": (f"{above}.a",), "b": (f"{above}.b",), "key": (f"{above}.a",)}))


def expand(world: World, name: str, above: str, colored: bool, aside: bool, cheap: bool) -> None:
    """As many rows per row above as its value says: which ones, only its table tells."""

    def listed(shard: Shard, rules: Any) -> pl.DataFrame:
        records = []
        for partition in world.steps[name].read_partitions(above, shard.partition):
            upstream = shard.store.shard(above, partition)
            digests = {row[0]: row[1:] for row in outputs(upstream, above, ("a", "b")).iter_rows()}
            for row in upstream.table(SCHEMA).to_pylist():
                if row["key"] in digests:
                    records += [(f"{row['key']}/{n}", *digests[row["key"]]) for n in range(len(row["a"]) % 3 + 1)]
        columns = ["key", "part", f"in:{above}.a", f"in:{above}.b"]
        return pl.DataFrame(records, schema=dict.fromkeys(columns, pl.String), orient="row")

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        rows, salt = _above(world, work, above), world.salt(name)
        for part, asked in work.parts():
            made = [{"key": key, "a": salt + rows[key.rpartition("/")[0]]["a"] + key[-1],
                     "b": rows[key.rpartition("/")[0]]["b"]} for key in asked["key"]]
            yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))

    world.add(ToyStep(name, {above: ("a", "b")}, compute, SCHEMA, FIELDS, key="key", colored=colored, cheap=cheap,
                      candidates=listed, row_by_row=True, joins={above: pl.col("key").str.replace(r"/\d$", "")},
                      chosen_by=(f"{above}.a",),
                      flows={"a": (f"{above}.a",), "b": (f"{above}.b",)}))


def sample(world: World, name: str, above: str, colored: bool, aside: bool, cheap: bool) -> None:
    """The three rows above with the smallest digests of their values; a row says which place it has."""

    def listed(shard: Shard, rules: Any) -> pl.DataFrame:
        found = []
        for partition in world.steps[name].read_partitions(above, shard.partition):
            upstream = shard.store.shard(above, partition)
            digests = {row[0]: row[1:] for row in outputs(upstream, above, ("a", "b")).iter_rows()}
            found += [(digest(row["a"], row["key"]), row["key"], *digests[row["key"]])
                      for row in upstream.table(SCHEMA).to_pylist() if row["key"] in digests]
        records = [(key, part, f"{a}#{place}", b) for place, (_, key, part, a, b) in enumerate(sorted(found)[:3])]
        columns = ["key", "part", f"in:{above}.a", f"in:{above}.b"]
        return pl.DataFrame(records, schema=dict.fromkeys(columns, pl.String), orient="row")

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        rows, salt = _above(world, work, above), world.salt(name)
        ranked = sorted(rows, key=lambda key: digest(rows[key]["a"], key))
        for part, asked in work.parts():
            made = [{"key": key, "a": f"{salt}{ranked.index(key)}", "b": rows[key]["b"]} for key in asked["key"]]
            yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))

    world.add(ToyStep(name, {above: ("a", "b")}, compute, SCHEMA, FIELDS, key="key", colored=colored, cheap=cheap,
                      candidates=listed, chosen_by=(f"{above}.a",), ceiling=lambda rules: 3,
                      flows={"a": (f"{above}.a",), "b": (f"{above}.b",)}))


def split(world: World, name: str, above: str, colored: bool, aside: bool, cheap: bool) -> None:
    """A row per part, which says how many parts there are: it hangs on which rows exist, and on no value."""

    def parts(shard: Shard) -> list[str]:
        return sorted({part for partition in world.steps[name].read_partitions(above, shard.partition)
                       for part in outputs(shard.store.shard(above, partition), above, ())["part"]})

    def listed(shard: Shard, rules: Any) -> pl.DataFrame:
        found = parts(shard)
        records = [(f"part {part} {shard.partition}", part, digest(found.index(part), len(found))) for part in found]
        return pl.DataFrame(records, schema=dict.fromkeys(["key", "part", f"in:{above}.a"], pl.String), orient="row")

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        found, salt = parts(work.shard), world.salt(name)
        for part, asked in work.parts():
            made = [{"key": key, "a": f"{salt}{found.index(part)} of {len(found)}", "b": ""} for key in asked["key"]]
            yield Batch(part, pa.Table.from_pylist(made, schema=SCHEMA))

    world.add(ToyStep(name, {above: ("a",)}, compute, SCHEMA, FIELDS, key="key", colored=colored, cheap=cheap,
                      candidates=listed))


def whole(world: World, name: str, above: str, colored: bool, aside: bool, cheap: bool) -> None:
    """One row that hangs on all values above, of every color."""

    def listed(shard: Shard, rules: Any) -> pl.DataFrame:
        found = pl.concat(outputs(shard.store.shard(above, partition), above, ("a",))
                          for partition in world.steps[name].read_partitions(above, shard.partition)).sort("key")
        values = digest(found["key"].to_list(), found[f"in:{above}.a"].to_list())
        return pl.DataFrame({"key": ["all"], "part": ["all"], f"in:{above}.a": [values]})

    def compute(work: Work) -> Iterator[Batch]:
        world.note(work)
        said = "".join(row["a"] for _, row in sorted(_above(world, work, above).items()))
        made = [{"key": "all", "a": world.salt(name) + said, "b": ""}]
        yield Batch("all", pa.Table.from_pylist(made if len(work.asked) else [], schema=SCHEMA))

    world.add(ToyStep(name, {above: ("a",)}, compute, SCHEMA, FIELDS, key="key", colored=False, cheap=cheap,
                      candidates=listed))


Kind = Callable[[World, str, str, bool, bool, bool], None]
KINDS: tuple[Kind, ...] = (each, each, expand, sample, split, whole)


def graph(rng: random.Random) -> World:
    """Return a world with a graph of three to seven steps."""
    world = World({color: {f"{letter}{n}_{color}": {"a": word(rng), "b": word(rng)} for letter in "xyz"
                           for n in range(rng.randrange(3))} for color in COLORS})
    first(world, rng.random() < 0.5)
    for number in range(1, rng.randrange(3, 8)):
        above = rng.choice(list(world.steps))
        kind = rng.choice(KINDS)
        colored = world.steps[above].colored and rng.random() < 0.8
        kind(world, f"toy_{number}", above, colored, rng.random() < 0.5, rng.random() < 0.4)
    return world


def word(rng: random.Random) -> str:
    """Return a short word."""
    return "".join(rng.choice("ab") for _ in range(rng.randrange(1, 4)))


def places(world: World) -> list[tuple[RowAsset, str]]:
    """Return every shard of the graph, in order."""
    return [(step, partition) for step in world.steps.values()
            for partition in (COLORS if step.colored else (WHOLE,))]
