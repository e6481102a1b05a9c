"""The plan: what is stale in the whole graph, why, and what it costs to build, before anything is built.

It walks the assets, upstream first. Assets that read no media (``cheap``) are built for real, in memory, so that
everything downstream is compared with their new rows. The others are foreseen: their rows may change, so the assets
after them get upper bounds (``at_most``), because equal outputs may stop the wave.
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
"""``restamp``: no row changes; only the recorded versions of what the shard was built from are out of date."""


@dataclass
class Planned:
    """One shard of the plan. ``compute`` rows are computed; ``at_most``: fewer if an upstream output stays equal.

    ``asks``: no row changes, but a check has not run on this state yet.
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
    """Rows that are removed if the upstream rows that they depend on turn out not to exist."""
    more: bool = False
    """Rows may be added whose keys are not known before the upstream shards are built."""
    price: dict[str, Any] | None = None
    """The costs of computing, if they are more than time: see ``RowAsset.price``."""
    asks: bool = False
    on_request: bool = False
    """It is built only when named, so that it does not count as work to do."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; of the keys only the counts."""
        document = asdict(self)
        del document["keys"], document["gone"]
        return {**document, "may_go": len(self.may_go)}


Done = dict[tuple[str, str], Planned]


def plan(
    steps: Mapping[str, RowAsset], store: ShardStore, partitions: Iterable[str], rules: settings.Rules | None = None,
    allow_deletes: bool = False,
) -> list[Planned]:
    """Return what a build of the colors ``partitions`` would do, one entry per shard, in the order of ``steps``.

    Assets without colors may read any color, so they are in the plan only if all colors are asked for. Assets that are
    built on request are in the plan after their first build.
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
    """Return the entries of every shard that ``partition`` of ``step`` reads, in the order of the inputs."""
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
        if foresee.choice_may_change(step, shard):
            return _any_row(step, dry, shard, rules, done)
        delta = reconcile(step, shard, rules, foresee.candidates if above else candidates)
        if not allow_deletes:
            guards.require_present(delta)
    except RainbowError as error:
        return Planned(step.name, partition, BLOCKED, _rows(shard), reasons=[str(error)])
    entry = _entry(delta, shard, unsure)
    if entry.state == FRESH and not delta.current and not above:
        entry.state, entry.reasons = RESTAMP, [
            "the layout of the files changed; the rows are the same" if delta.rewritten else
            "an input has a new version; the rows are the same"]
    # Work that costs little, or computes nothing, is done in memory, so that the plan is exact for what comes after.
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
    """Return the entry for the work of ``delta``; ``unsure`` are the upstream shards that are not known yet."""
    step, partition = delta.step, delta.shard.partition
    keys, gone, never = set(delta.new) | set(delta.changed), set(delta.gone), shard.index() is None
    going = foresee.may_go(step, shard, delta.candidates) if unsure else set[str]()
    more = foresee.may_come(step, unsure)
    why = reasons.of_delta(delta, shard)
    if going - keys:
        why.append(f"{counted(len(going - keys), 'row')} may be removed with upstream rows that may be removed")
    why += [f"rows may be added, as in {_place(item, partition)}" for item in unsure if item.more]
    why += [f"the columns of {_place(item, partition)} changed" for item in unsure if item.reshaped and keys]
    rows = delta.index.rows if delta.current and delta.index is not None else len(keys) + delta.kept
    state = STALE if keys or gone or going or more or never else FRESH
    return Planned(
        step.name, partition, state, rows, len(keys), len(gone), state == STALE and bool(unsure),
        estimate(shard.store, step.name, partition, len(keys)), why, keys, gone, going - keys, more)


def _foreseen(delta: Delta, entry: Planned, unsure: list[ForeseenShard]) -> ForeseenShard:
    """Return the shard of ``entry`` as it will be."""
    moved = {name.removeprefix("in:"): own for name, own in moved_inputs(delta).items()}
    moved[""] = set(delta.changed if delta.reshaped else ()).union(*(moved.pop(name, set()) for name in VERSIONS))
    going = foresee.may_go(delta.step, delta.shard, delta.candidates) if unsure else set[str]()
    return foresee.of_delta(delta, moved, going, entry.more)


def _any_row(step: RowAsset, dry: DryRunStore, shard: Shard, rules: settings.Rules, done: Done) -> Planned:
    """Return the entry of a shard that chooses its rows among all upstream rows: any row may change, come or go."""
    after = foresee.all_rows(step, shard)
    keys = set(after.listed["key"])
    why = [f"its rows are chosen among all rows of {_place(item, shard.partition)}"
           for shards in foresee.foreseen(step, shard).values() for item in shards if not item.sure or item.other]
    dry.show(after)
    entries = _upstreams(step, shard.partition, done)
    # An upper bound: all rows of the first input, unless the settings bound how many are chosen.
    most = max(len(keys), sum(entry.rows for entry in entries if entry.asset == entries[0].asset))
    most = min(most, max(len(keys), step.ceiling(rules))) if step.ceiling else most
    return Planned(step.name, shard.partition, STALE, most, most, 0, True,
                   estimate(dry, step.name, shard.partition, most), why, keys, may_go=keys, more=True)


def _place(above: Shard, partition: str) -> str:
    return above.asset if above.partition in (partition, WHOLE) else above.where


def _lacks(step: RowAsset, dry: DryRunStore, entry: Planned) -> bool:
    """Return True if ``entry`` is optional and has not been built."""
    return entry.asset in step.optional and dry.shard(entry.asset, entry.partition).index() is None


def _rows(shard: Shard) -> int:
    """Return the number of rows of the live shard, or 0 if it is missing or damaged."""
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
    """Return the entry of a shard without stale rows that may not be used yet; None if it may be used."""
    shut = gates.shut_by(store, step, partition)
    if shut is not None and shut.failed:
        return Planned(step.name, partition, BLOCKED, rows, reasons=[shut.sentence])
    if shut is None:
        return None
    return Planned(step.name, partition, STALE, rows, asks=True, seconds=0.0, reasons=[shut.sentence])


def estimate(store: ShardStore, asset: str, partition: str, rows: int) -> float | None:
    """Return the seconds for ``rows`` at the recorded throughput of ``asset`` (of any color), or None."""
    if not rows:
        return 0.0
    for name in (partition, *store.files.names(f"shards/{asset}")):
        past = [entry for entry in history(store.shard(asset, name)) if entry.get("computed")]
        computed = sum(float(str(entry["computed"])) for entry in past)
        if computed:
            return round(rows * sum(float(str(entry["seconds"])) for entry in past) / computed, 2)
    return None


__all__ = ["BLOCKED", "FRESH", "STALE", "VERSIONS", "Delta", "Planned", "estimate", "plan"]
