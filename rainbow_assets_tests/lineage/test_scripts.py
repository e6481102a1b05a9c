"""Edit scripts on random graphs: what a plan says, what a build does, what a change would touch.

After every step of every script: a build leaves nothing; it does nothing that its plan did not name, by key, and all
of it where the plan says exact; a change reaches no row that its impact did not list; the outcome is a clean build's.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from rainbow_assets.lineage import impact, plan, row_asset
from rainbow_assets.lineage.impact import Change, Touched
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, STALE, Planned
from rainbow_assets.storage import sections
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.conftest import SEED
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.lineage import graphs
from rainbow_assets_tests.lineage.graphs import World

Where = tuple[str, str]
Keys = dict[Where, dict[str, str]]


@pytest.fixture(autouse=True)
def _two_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_asset, "COLOR_NAMES", graphs.COLORS)
    monkeypatch.setattr(plan, "COLOR_NAMES", graphs.COLORS)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # power cuts are no part of these scripts


def planned(world: World, store: ShardStore) -> dict[Where, Planned]:
    return {(entry.asset, entry.partition): entry
            for entry in plan.plan(world.steps, store, graphs.COLORS, allow_deletes=True)}


def live(world: World, store: ShardStore) -> Keys:
    """{shard: {key: output, or why it was set aside}}."""
    found: Keys = {}
    for step, partition in graphs.places(world):
        rows = store.shard(step.name, partition).ledger(["key", "output", "reason"])
        found[step.name, partition] = {} if rows is None else {
            key: output or reason for key, output, reason in rows.iter_rows()}
    return found


def build(world: World, store: ShardStore, lone: Where | None = None) -> bool:
    """Bring every shard (or the one shard ``lone``) up to date; return True where nothing stood in the way."""
    world.computed.clear()
    outcomes = [bring_up_to_date(step, store, partition, allow_deletes=True) for step, partition in graphs.places(world)
                if lone in (None, (step.name, partition))]
    return all(outcome.problem is None and all(v.passed for v in outcome.verdicts) for outcome in outcomes)


def a_plan_holds(before: dict[Where, Planned], was: Keys, now: Keys, world: World, complete: bool) -> None:
    """What was done is a subset of what was planned, by key; where a plan is exact, it is equal."""
    for where, entry in before.items():
        computed, removed = world.computed.get(where, set()), set(was[where]) - set(now[where])
        unforeseen = {key for key in computed - entry.keys if not (entry.more and key not in was[where])}
        assert not unforeseen, (where, entry, unforeseen)
        assert removed <= entry.gone | entry.may_go | entry.keys, (where, entry, removed)
        if complete and not entry.at_most:
            assert (computed, removed) == (entry.keys, entry.gone), (where, entry)


def an_impact_holds(touched: list[Touched], was: Keys, now: Keys, world: World) -> None:
    """Every row that was there, and was made again, became another one or went, was listed."""
    listed = {(entry.asset, entry.partition): entry.keys for entry in touched}
    for where, rows in was.items():
        reached = {key for key in rows if key in world.computed.get(where, set()) or rows[key] != now[where].get(key)}
        assert reached <= listed.get(where, frozenset()), (where, reached, listed.get(where))
        new = set(now[where]) - set(rows)
        assert not new or any(entry.more for entry in touched if (entry.asset, entry.partition) == where)


def edit(world: World, rng: random.Random) -> Change | None:
    """Change something; return it as a hypothesis where it is the content of one row."""
    kind = rng.choice(["word", "word", "word", "other", "come", "go", "empty", "code", "bad"])
    color = rng.choice(graphs.COLORS)
    words = world.words[color]
    if kind == "code":
        step = rng.choice(list(world.steps.values()))
        world.add(replace(step, salt=step.salt + rng.choice("pq")))
        return None
    if kind == "come" or not words:
        words[f"{rng.choice('xyzw')}{rng.randrange(9)}_{color}"] = {"a": graphs.word(rng), "b": graphs.word(rng)}
        return None
    key = rng.choice(sorted(words))
    if kind == "go":
        del words[key]
        return None
    field = {"word": "a", "empty": "a"}.get(kind, "b")
    words[key] = {**words[key], field: {"empty": "", "bad": graphs.BAD}.get(kind, graphs.word(rng))}
    return Change("toy_0", color, frozenset([key]), (field,)) if kind in ("word", "other") else None


def hypothesis(changes: list[Change | None], was: Keys) -> list[Change]:
    """Return ``changes``, one per shard, where each is other content of usable rows; else nothing."""
    merged: dict[Where, Change] = {}
    for change in changes:
        if change is None or any(was["toy_0", change.partition].get(key, "empty") == "empty" for key in change.keys):
            return []
        before = merged.get((change.asset, change.partition), change)
        merged[change.asset, change.partition] = replace(
            before, keys=before.keys | change.keys, fields=tuple({*(before.fields or ()), *(change.fields or ())}))
    return list(merged.values())


def run(seed: int, folder: Path) -> None:
    """Play one script."""
    rng = random.Random(seed)
    world, store = graphs.graph(rng), ShardStore(str(folder / "data"))
    for turn in range(6):
        was = live(world, store)
        fresh = turn > 0 and all(entry.state == FRESH for entry in planned(world, store).values())
        changes = [edit(world, rng) for _ in range(rng.randrange(1, 3) if turn else 0)]
        touched = impact.impact(world.steps, store, only) if (only := hypothesis(changes, was)) and fresh else None
        if rng.random() < 0.3 and turn:
            step, partition = rng.choice(graphs.places(world))
            build(world, store, (step.name, partition))
            was, touched = live(world, store), None
        before = planned(world, store)
        complete = build(world, store)
        now = live(world, store)
        a_plan_holds(before, was, now, world, complete)
        if not complete:
            continue
        left = [entry for entry in planned(world, store).values() if entry.state != FRESH]
        assert not left, left
        if touched is not None:
            an_impact_holds(touched, was, now, world)
    clean = ShardStore(str(folder / "clean"))
    if build(world, clean):
        assert build(world, store) and live(world, clean) == live(world, store)


@pytest.mark.counted
@pytest.mark.property
@pytest.mark.parametrize("number", range(count("scripts")))
def test_scripts_on_random_graphs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if number % 2:  # as in large ledgers: every part is a section
        monkeypatch.setattr(sections, "LEAST_ROWS", 1)
        monkeypatch.setattr(sections, "ONE_IN", 1)
    run(SEED * 100_003 + number, tmp_path)


def test_a_plan_that_says_stale_names_a_reason(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    for number in range(10):
        world, store = graphs.graph(rng), ShardStore(str(tmp_path / str(number)))
        build(world, store)
        edit(world, rng)
        assert all(entry.reasons for entry in planned(world, store).values() if entry.state == STALE)
