"""The plan: what is stale over the whole graph, why, and what it costs, before anything runs.

It walks the steps in order. Steps that read no media are run for real in a dry-run store, so that everything after
them is compared with what they will say. A step whose upstream cannot be known before it runs is followed by key:
its rows count as computed unless an equal output stops the wave (``at_most``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rainbow_assets import settings
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import foresee, gates, guards, reasons
from rainbow_assets.lineage.foresee import ForeseenShard
from rainbow_assets.lineage.ledger import VERSIONS, Delta, candidates, commit, moved_inputs, reconcile
from rainbow_assets.lineage.materialize import history
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.layered import DryRunStore
from rainbow_assets.storage.shard import DamagedShard, Shard
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets.text import counted

FRESH, STALE, RESTAMP, BLOCKED = "fresh", "stale", "restamp", "blocked"
"""``restamp``: no row moves; only the record of what the shard was made from is of older versions."""


@dataclass
class Planned:
    """One shard of the plan. ``compute`` rows run; ``at_most`` tells that an equal upstream output may save some.

    ``asks``: no row moves, but a check was never asked about this state.
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
    may_go: set[str] = field(default_factory=set, repr=False)
    """Rows that go if what they hang on comes to nothing."""
    more: bool = False
    """Rows may come that cannot be named before what they follow from was made."""
    price: dict[str, Any] | None = None
    """What computing costs where that is more than time, as ``RowAsset.price`` says it."""
    asks: bool = False
    on_request: bool = False
    """No build makes it unless it is named; what it lacks is no work that waits."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; keys are given as counts only."""
        document = asdict(self)
        del document["keys"], document["gone"]
        return {**document, "may_go": len(self.may_go)}


Done = dict[tuple[str, str], Planned]


def plan(
    steps: Mapping[str, RowAsset], store: ShardStore, partitions: Iterable[str], rules: settings.Rules | None = None,
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
            if step.on_request and dry.shard(name).index() is None:
                continue
            for partition in colors if step.colored else (WHOLE,) if whole else ():
                done[name, partition] = entry = _plan_shard(step, dry, partition, rules, done, allow_deletes)
                entry.on_request = step.on_request
    finally:
        dry.close()
    return list(done.values())


def _upstreams(step: RowAsset, partition: str, done: Done) -> list[Planned]:
    """The plan's entries of every shard that ``partition`` of ``step`` reads, in order of the inputs."""
    return [done[asset, other] for asset in step.reads for other in step.read_partitions(asset, partition)
            if (asset, other) in done]


def _plan_shard(
    step: RowAsset, dry: DryRunStore, partition: str, rules: settings.Rules, done: Done, allow_deletes: bool = False,
) -> Planned:
    shard = dry.shard(step.name, partition)
    stopped = _blocked([entry for entry in _upstreams(step, partition, done) if not _lacks(step, dry, entry)])
    if stopped is not None:
        return Planned(step.name, partition, BLOCKED, _rows(shard), reasons=[stopped])
    above = foresee.foreseen(step, shard)
    unsure = [item for shards in above.values() for item in shards if not item.sure]
    try:
        if foresee.chosen_anew(step, shard):
            return _any_row(step, dry, shard, rules, done)
        delta = reconcile(step, shard, rules, foresee.candidates if above else candidates)
        if not allow_deletes:
            guards.require_present(delta)
    except RainbowError as error:
        return Planned(step.name, partition, BLOCKED, _rows(shard), reasons=[str(error)])
    entry = _entry(delta, shard, unsure)
    if entry.state == FRESH and not delta.current and not above:
        entry.state, entry.reasons = RESTAMP, [
            "files are written in another layout now, with the same rows" if delta.rewritten else
            "what it was made from has another version, with the same rows for it"]
    moves = bool(entry.keys or entry.gone)
    if not delta.current and not above and (step.cheap or not (moves or delta.rewritten)):
        made = step.compute(delta.work()) if entry.keys else ()
        commit(replace(delta, shard=dry.attempt(step.name, partition)), made)
    elif entry.state == STALE:
        dry.show(_foreseen(delta, entry, unsure))
    if entry.state in (FRESH, RESTAMP) and (asked := _asked(step, dry, partition, entry.rows)):
        return asked
    entry.price = step.price(shard, rules, entry.keys) if entry.keys else None
    return entry


def _entry(delta: Delta, shard: Shard, unsure: list[ForeseenShard]) -> Planned:
    """Return what ``delta`` has to do; ``unsure`` are the shards above it that are not known yet."""
    step, partition = delta.step, delta.shard.partition
    keys, gone, never = set(delta.new) | set(delta.changed), set(delta.gone), shard.index() is None
    going = foresee.may_go(step, shard, delta.candidates) if unsure else set[str]()
    more = foresee.may_come(step, unsure)
    why = reasons.of_delta(delta, shard)
    if going - keys:
        why.append(f"{counted(len(going - keys), 'row')} would go with rows above that may come to nothing")
    why += [f"rows may come, as they may in {_place(item, partition)}" for item in unsure if item.more]
    why += [f"the columns of {_place(item, partition)} changed" for item in unsure if item.reshaped and keys]
    rows = delta.index.rows if delta.current and delta.index is not None else len(keys) + len(delta.kept)
    state = STALE if keys or gone or going or more or never else FRESH
    return Planned(
        step.name, partition, state, rows, len(keys), len(gone), state == STALE and bool(unsure),
        estimate(shard.store, step.name, partition, len(keys)), why, keys, gone, going - keys, more)


def _foreseen(delta: Delta, entry: Planned, unsure: list[ForeseenShard]) -> ForeseenShard:
    """Return what the shard of ``entry`` will be."""
    moved = {name.removeprefix("in:"): own for name, own in moved_inputs(delta).items()}
    moved[""] = set(delta.changed if delta.reshaped else ()).union(*(moved.pop(name, set()) for name in VERSIONS))
    going = foresee.may_go(delta.step, delta.shard, delta.candidates) if unsure else set[str]()
    return foresee.of_delta(delta, moved, going, entry.more)


def _any_row(step: RowAsset, dry: DryRunStore, shard: Shard, rules: settings.Rules, done: Done) -> Planned:
    """Return the entry of a shard whose rows are chosen among all: any row of it may move, come or go."""
    after = foresee.all_rows(step, shard)
    keys = set(after.listed["key"])
    said = [f"its rows are chosen among all of {_place(item, shard.partition)}"
            for shards in foresee.foreseen(step, shard).values() for item in shards if not item.sure or item.other]
    dry.show(after)
    entries = _upstreams(step, shard.partition, done)
    most = max(len(keys), sum(entry.rows for entry in entries if entry.asset == entries[0].asset))
    most = min(most, max(len(keys), step.ceiling(rules))) if step.ceiling else most
    return Planned(step.name, shard.partition, STALE, most, most, 0, True,
                   estimate(dry, step.name, shard.partition, most), said, keys, may_go=keys, more=True)


def _place(above: Shard, partition: str) -> str:
    return above.asset if above.partition in (partition, WHOLE) else above.where


def _lacks(step: RowAsset, dry: DryRunStore, entry: Planned) -> bool:
    """Tell whether ``entry`` is an upstream that need not be there, and is not."""
    return entry.asset in step.optional and dry.shard(entry.asset, entry.partition).index() is None


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


def _asked(step: RowAsset, store: ShardStore, partition: str, rows: int) -> Planned | None:
    """Return the entry of a shard in which no row moves and that may not be used as it is; None where it may."""
    shut = gates.shut_by(store, step, partition)
    if shut is not None and shut.said_no:
        return Planned(step.name, partition, BLOCKED, rows, reasons=[shut.sentence])
    if shut is None:
        return None
    return Planned(step.name, partition, STALE, rows, asks=True, seconds=0.0, reasons=[shut.sentence])


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
