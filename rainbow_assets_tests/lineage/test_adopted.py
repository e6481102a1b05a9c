"""A store that was written when whole modules were digested is taken over: no row is computed, no check is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage import adopted, parts
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.lineage.plan import FRESH, RESTAMP, STALE, plan
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

OLD = json.loads(Path(adopted.__file__).with_name("adopted.json").read_text("utf-8"))


def age(shard: Shard, code: str) -> None:
    """Write ``shard`` as the code before would have: ``code`` in every row, modules in ``made_with``."""
    index = shard.require_index()
    ledger = shard.ledger()
    assert ledger is not None
    fields = parts.write_ledger(shard, ledger.with_columns(pl.lit(code).alias("code")))
    facts = {**index.facts, "made_with": {**index.facts["made_with"], "code": {"rainbow_assets.corpus.base_manifest": "0" * 64}}}
    shard.replace_index(replace(index, inputs={**index.inputs, "code": code}, facts=facts, **fields))
    found = json.loads(shard.files.read("verdicts.json") or b'{"verdicts": []}')
    for verdict in found["verdicts"]:
        # A check that is newer than the map has no old version.
        known = OLD["checks"].get(f"{shard.asset}.{verdict['check']}", [verdict["check_version"]])
        verdict["check_version"] = known[0]
    shard.files.write("verdicts.json", json.dumps(found).encode())


def live_files(store: ShardStore) -> dict[str, bytes | None]:
    """Indexes, which name all other files by their content, and verdicts."""
    shards = [store.shard(name, color) for name, step in GRAPH.items() for color in step.partitions]
    return {f"{shard.where}/{name}": shard.files.read(name) for shard in shards for name in ("shard.json", "verdicts.json")}


def test_every_step_and_check_has_an_old_version():
    assert set(OLD["steps"]) == set(GRAPH)
    assert {name.partition(".")[0] for name in OLD["checks"]} <= set(GRAPH)


@pytest.mark.heavy
def test_rows_and_verdicts_of_the_old_digests_are_kept(whole: Path, monkeypatch: pytest.MonkeyPatch):
    store = ShardStore(str(whole))
    # The code may have moved on since: then there is nothing to adopt, which is what the map is asked here.
    now = {"steps": {name: [OLD["steps"][name][0], step.code.version] for name, step in GRAPH.items()},
           "checks": {f"{name}.{check.name}": [OLD["checks"][f"{name}.{check.name}"][0], check.version]
                      for name in GRAPH for check in GRAPH[name].checks if f"{name}.{check.name}" in OLD["checks"]}}
    monkeypatch.setattr(adopted, "_known", lambda: now)
    before = live_files(store)
    built = [(step, color) for name, step in GRAPH.items() for color in step.partitions
             if store.shard(name, color).index() is not None]
    for step, color in built:
        age(store.shard(step.name, color), OLD["steps"][step.name][0])
    planned = plan(GRAPH, store, COLOR_NAMES)
    assert {entry.state for entry in planned} <= {FRESH, RESTAMP}
    assert RESTAMP in {entry.state for entry in planned}
    for step, color in built:
        outcome = bring_up_to_date(step, store, color)
        assert outcome.report is not None and not outcome.report.computed, (step.name, color, outcome.problem)
    assert live_files(store) == before
    assert {entry.state for entry in plan(GRAPH, store, COLOR_NAMES)} == {FRESH}


def test_code_that_moved_on_is_not_adopted(whole: Path):
    store = ShardStore(str(whole))
    step = GRAPH["base_manifest"]
    age(store.shard("base_manifest", "Green"), "0123456789abcdef")
    entries = {(entry.asset, entry.partition): entry for entry in plan(GRAPH, store, COLOR_NAMES)}
    assert entries[step.name, "Green"].state == STALE
