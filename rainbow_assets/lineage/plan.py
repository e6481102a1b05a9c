"""The plan: what is stale over the whole graph, why, and what it costs, before anything runs.

It walks the steps in order. Steps that read no media are run for real in a dry-run store, so that everything after
them is compared with what they will say. A step whose upstream cannot be known before it runs is followed by key:
its rows count as computed unless an equal output stops the wave (``at_most``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from rainbow_assets import settings
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import catalog, gates, guards, reasons
from rainbow_assets.lineage.ledger import VERSIONS, Delta, commit, ledger_frame, moved_inputs, reconcile, schema_digest
from rainbow_assets.lineage.materialize import history, problem
from rainbow_assets.lineage.step import Step
from rainbow_assets.storage.layered import DryRunStore
from rainbow_assets.storage.shard import DamagedShard, Shard
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

FRESH, STALE, BLOCKED = "fresh", "stale", "blocked"


@dataclass
class Planned:
    """One shard of the plan. ``compute`` rows run; ``at_most`` tells that an equal upstream output may save some.

    ``asks``: no row moves, but a check was never asked about this state, or the last build left it as it was.
    """

    asset: str
    partition: str
    state: str
    rows: int = 0
    compute: int = 0
    remove: int = 0
    at_most: bool = False
    seconds: float | None = None
    reasons: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set, repr=False)
    gone: set[str] = field(default_factory=set, repr=False)
    moves: dict[str, set[str]] = field(default_factory=dict, repr=False)
    """Output field -> the keys in which it may move; what follows reads fields, not rows."""
    price: dict[str, Any] | None = None
    """What computing costs where that is more than time, as ``Step.price`` says it."""
    asks: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; keys are given as counts only."""
        document = asdict(self)
        del document["keys"], document["gone"], document["moves"]
        return document


Done = dict[tuple[str, str], Planned]


def plan(
    steps: Mapping[str, Step], store: ShardStore, partitions: Iterable[str], rules: settings.Rules | None = None,
    allow_deletes: bool = False,
) -> list[Planned]:
    """Return what a build of the colors ``partitions`` would do, one entry per shard, in order of the steps.

    Steps without colors are in the plan where all colors are asked for: they may read any of them. Steps that are made
    on request are in it once they were made.
    """
    rules = rules or settings.default_rules()
    colors = tuple(partitions)
    whole = set(colors) >= set(COLOR_NAMES)
    done: Done = {}
    dry = DryRunStore(store)
    try:
        for name, step in steps.items():
            if step.on_request and store.shard(name).index() is None:
                continue
            for partition in colors if step.colored else (WHOLE,) if whole else ():
                done[name, partition] = _plan_shard(step, store, dry, partition, rules, done, allow_deletes)
    finally:
        dry.close()
    return list(done.values())


def _upstreams(step: Step, partition: str, done: Done) -> list[Planned]:
    """The plan's entries of every shard that ``partition`` of ``step`` reads, in order of the inputs."""
    return [done[asset, other] for asset in step.inputs for other in catalog.read_partitions(step, asset, partition)
            if (asset, other) in done]


def _plan_shard(
    step: Step, store: ShardStore, dry: DryRunStore, partition: str, rules: settings.Rules, done: Done,
    allow_deletes: bool = False,
) -> Planned:
    real, shard = store.shard(step.name, partition), dry.shard(step.name, partition)
    above = [entry for entry in _upstreams(step, partition, done) if not _lacks(step, dry, entry)]
    stopped = _blocked(above)
    if stopped is not None:
        return Planned(step.name, partition, BLOCKED, _rows(real), reasons=[stopped])
    unknown = [entry for entry in above
               if entry.state != FRESH and not entry.asks and not dry.holds(entry.asset, entry.partition)]
    try:
        if any(dry.shard(entry.asset, entry.partition).index() is None for entry in above):
            return _never_made(step, store, shard, rules, above)
        older = [entry for entry in above if _older(dry.shard(entry.asset, entry.partition))]
        if older:
            return _made_again(step, store, real, older)
        delta = reconcile(step, shard, rules)
        if not allow_deletes:
            guards.require_present(delta)
    except RainbowError as error:
        return Planned(step.name, partition, BLOCKED, _rows(real), reasons=[str(error)])
    keys, gone = set(delta.new) | set(delta.changed), set(delta.gone)
    why = reasons.of_delta(delta, real)
    moved = {name.removeprefix("in:"): own for name, own in moved_inputs(delta).items()}
    everywhere = set(keys) if delta.reshaped else set(delta.new)
    moved[""] = everywhere.union(*(moved.pop(name, set()) for name in VERSIONS))
    at_most, follow = False, set[str]()
    if unknown:
        more, lost, said = _followed(step, real, unknown)
        follow = follow.union(*more.values())
        at_most = bool(follow - keys)
        keys, gone, why = keys | follow, gone | lost, [*why, *said]
        for name, hit in more.items():
            moved[name] = moved.get(name, set()) | hit
    if step.cheap and not unknown and not delta.current:
        commit(delta, step.compute(delta.work()) if keys else ())
    rows = len(keys) + len(delta.kept) - _among(delta.kept, follow)
    if delta.current and delta.index is not None:
        rows = delta.index.rows
    if not keys and not gone and real.index() is not None and (asked := _asked(step, store, partition, rows)):
        return asked
    state = STALE if keys or gone or real.index() is None else FRESH
    seconds = estimate(store, step.name, partition, len(keys))
    return Planned(step.name, partition, state, rows, len(keys), len(gone), at_most, seconds, why, keys, gone,
                   _moves(step, moved), step.price(shard, rules, keys) if keys else None)


def _lacks(step: Step, dry: DryRunStore, entry: Planned) -> bool:
    """Tell whether ``entry`` is an upstream that need not be there, and is not."""
    return entry.asset in step.optional and dry.shard(entry.asset, entry.partition).index() is None


def _among(kept: pl.Series, keys: set[str]) -> int:
    """How many of ``kept`` are among ``keys``."""
    return int(kept.is_in(list(keys)).sum()) if keys else 0


def _rows(shard: Shard) -> int:
    """Rows of the live shard; 0 where there is none, or none that can be read."""
    try:
        index = shard.index()
    except DamagedShard:
        return 0
    return index.rows if index else 0


def _blocked(above: list[Planned]) -> str | None:
    for entry in above:
        if entry.state == BLOCKED:
            return f"waits for {entry.asset}: {entry.reasons[0]}"
    return None


def _asked(step: Step, store: ShardStore, partition: str, rows: int) -> Planned | None:
    """Return the entry of a shard in which no row moves and that may not be used as it is; None where it may."""
    shut = gates.shut_by(store, step.name, partition)
    if shut is not None and shut.said_no:
        return Planned(step.name, partition, BLOCKED, rows, reasons=[shut.sentence])
    left = problem(store.shard(step.name, partition))
    if shut is None and left is None:
        return None
    return Planned(step.name, partition, STALE, rows, asks=True, seconds=0.0,
                   reasons=[shut.sentence if shut else f"the last build left it as it was: {left}"])


def _never_made(
    step: Step, store: ShardStore, shard: Shard, rules: settings.Rules, above: list[Planned]
) -> Planned:
    """An upstream has no shard yet: the number of rows is known only as far as it follows the first input."""
    first = above[0].asset
    driving = [entry for entry in above if entry.asset == first]
    rows, partition = sum(entry.rows for entry in driving), shard.partition
    keys = {key for entry in driving for key in entry.keys}
    return Planned(step.name, partition, STALE, rows, rows, at_most=True,
                   seconds=estimate(store, step.name, partition, rows), keys=keys,
                   price=step.price(shard, rules, keys) if keys else None,
                   reasons=[f"{step.name} has never been made; {first} has not been made either"])


def _moves(step: Step, moved: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return {output field: keys in which it may move} for ``moved``: {input: keys}; the input "" reaches all."""
    everywhere = moved.get("", set())
    return {name: everywhere.union(*(moved.get(source, set()) for source in step.reached_by(name)))
            for name in step.fields}


def _older(shard: Shard) -> bool:
    """Tell whether ``shard`` was written with other columns or fields than its step has now."""
    return shard.require_index().inputs["schema"] != schema_digest(catalog.step(shard.asset))


def _made_again(step: Step, store: ShardStore, real: Shard, older: list[Planned]) -> Planned:
    """An upstream has other columns than before: it cannot be compared before it was made again."""
    ledger = ledger_frame(real, ["key"])
    keys = set(ledger["key"]) if ledger is not None else set()
    keys = keys.union(*(entry.keys for entry in older if entry.asset == next(iter(step.inputs))))
    said = [f"{len(keys)} rows follow {entry.asset}, whose columns changed" for entry in older]
    return Planned(step.name, real.partition, STALE, len(keys), len(keys), at_most=True, keys=keys, reasons=said,
                   seconds=estimate(store, step.name, real.partition, len(keys)))


def _followed(
    step: Step, real: Shard, unknown: list[Planned]
) -> tuple[dict[str, set[str]], set[str], list[str]]:
    """Return own keys that hang on upstream rows that will move or go: ({input: keys}, keys that go, sentences)."""
    ledger = ledger_frame(real, ["key"])
    own = ledger if ledger is not None else pl.DataFrame(schema={"key": pl.String})
    run: dict[str, set[str]] = {}
    go: set[str] = set()
    said = []
    driver = next(iter(step.inputs))
    for entry in unknown:
        asset = entry.asset
        on = own.select("key", step.joins.get(asset, pl.col("key")).alias("on"))
        follows: set[str] = set()
        for name in step.inputs[asset]:
            moving = entry.moves.get(name, entry.keys)
            hit = set(on.filter(pl.col("on").is_in(list(moving)))["key"])
            if asset == driver and asset not in step.joins and step.candidates is None:
                hit |= moving
            if hit:
                run.setdefault(f"{asset}.{name}", set()).update(hit)
                follows |= hit
        go |= set(on.filter(pl.col("on").is_in(list(entry.gone)))["key"])
        if follows:
            where = asset if entry.partition == real.partition else f"{asset}/{entry.partition}"
            said.append(f"{len(follows)} rows follow {entry.compute} stale rows of {where}")
    return run, go, said


def estimate(store: ShardStore, asset: str, partition: str, rows: int) -> float | None:
    """Return the seconds that ``rows`` took at the recorded throughput of ``asset`` (any color), or None."""
    if not rows:
        return 0.0
    for name in (partition, *store.files.names(f"shards/{asset}")):
        past = [entry for entry in history(store.shard(asset, name)) if entry.get("computed")]
        computed = sum(float(str(entry["computed"])) for entry in past)
        if computed:
            return round(rows * sum(float(str(entry["seconds"])) for entry in past) / computed, 2)
    return None


__all__ = ["BLOCKED", "FRESH", "STALE", "VERSIONS", "Delta", "Planned", "estimate", "plan"]
