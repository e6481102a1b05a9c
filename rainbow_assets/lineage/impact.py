"""What a change would touch, before it is made: the plan's walk over a store in which rows have changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from rainbow_assets import settings
from rainbow_assets.lineage import foresee
from rainbow_assets.lineage.foresee import ForeseenShard
from rainbow_assets.lineage.ledger import Delta, candidates, compare, ledger_frame, moved_inputs
from rainbow_assets.lineage.plan import Planned
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.layered import DryRunStore
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore


@dataclass(frozen=True)
class Change:
    """Rows of one shard that change: those with ``keys``, in the output ``fields`` (None: in all fields).

    ``opens``: downstream assets may get more rows from these rows than before, with keys that are not known yet.
    """

    asset: str
    partition: str
    keys: frozenset[str]
    fields: tuple[str, ...] | None = None
    opens: bool = False


@dataclass(frozen=True)
class Touched:
    """Rows of one shard that a change would reach, and the output fields through which it would reach further assets.

    ``more``: rows may be added that do not exist yet.
    """

    asset: str
    partition: str
    rows: int
    of: int
    parts: tuple[str, ...]
    fields: tuple[str, ...]
    keys: frozenset[str]
    more: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with the keys as a sorted list."""
        return {**asdict(self), "keys": sorted(self.keys), "parts": list(self.parts), "fields": list(self.fields)}


def impact(
    steps: Mapping[str, RowAsset], store: ShardStore, changes: Collection[Change], rules: settings.Rules | None = None
) -> list[Touched]:
    """Return the rows that ``changes`` may recompute or remove, one entry per shard, in the order of ``steps``.

    A change reaches a row that reads a changed field. The asset's ``flows`` decide which of the row's own fields change
    then. Only existing rows are listed.
    """
    rules = rules or settings.default_rules()
    by_place = {(change.asset, change.partition): change for change in changes}
    before, after = store.pinned(), DryRunStore(store)
    found = []
    try:
        for name, step in steps.items():
            for partition in step.partitions:
                shard = after.shard(name, partition)
                if shard.index() is None:
                    continue
                change = by_place.get((name, partition))
                seen = (_changed(step, shard, change) if change else
                        _reached(step, before.shard(name, partition), shard, rules))
                if seen is not None:
                    after.show(seen[0])
                    found.append(_touched(shard, *seen))
    finally:
        after.close()
    return [entry for entry in found if entry.keys or entry.more]


def _changed(step: RowAsset, shard: Shard, change: Change) -> tuple[ForeseenShard, set[str]]:
    fields = change.fields if change.fields is not None else tuple(step.fields)
    return foresee.edited(shard, change.keys, fields, change.opens), set(change.keys)


def _reached(
    step: RowAsset, before: Shard, shard: Shard, rules: settings.Rules
) -> tuple[ForeseenShard, set[str]] | None:
    """Return the shard after the change and its rows that may change or go; None if nothing upstream changes."""
    above = [item for shards in foresee.foreseen(step, shard).values() for item in shards]
    if not above:
        return None
    if foresee.choice_may_change(step, shard):
        seen = foresee.all_rows(step, shard)
        return seen, set(seen.listed["key"])
    was, wanted = candidates(step, before, rules), foresee.candidates(step, shard, rules)
    moved = compare(step, wanted, was)
    delta = Delta(step, shard, rules, {}, None, wanted, was, {}, new=moved.new, changed=moved.changed,
                  gone=moved.gone, kept=len(moved.kept))
    going, more = foresee.may_go(step, shard, wanted), foresee.may_come(step, above)
    if not (moved.new or moved.changed or moved.gone or going or more):
        return None
    columns = {name.removeprefix("in:"): keys for name, keys in moved_inputs(delta).items()}
    return foresee.of_delta(delta, columns, going, more), {*moved.changed, *moved.gone, *going}


def _touched(shard: Shard, seen: ForeseenShard, keys: set[str]) -> Touched:
    ledger = ledger_frame(shard, ["key", "part"])
    assert ledger is not None
    hit = ledger.filter(pl.col("key").is_in(list(keys)))
    fields = tuple(sorted(name for name, moving in seen.moves.items() if moving))
    more = seen.more or not seen.listed["key"].is_in(ledger["key"].implode()).all()
    return Touched(shard.asset, shard.partition, len(hit), len(ledger), tuple(sorted(set(hit["part"]))), fields,
                   frozenset(hit["key"]), more)


def difference(before: Collection[Planned], after: Collection[Planned], store: ShardStore) -> list[Touched]:
    """Return the rows that the plan ``after`` a change would recompute or remove and the plan ``before`` would not."""
    known = {(entry.asset, entry.partition): _named(entry) for entry in before}
    found = []
    for entry in after:
        rows = ledger_frame(store.shard(entry.asset, entry.partition), ["key", "part"])
        keys = _named(entry) - known.get((entry.asset, entry.partition), set())
        if rows is None or not (keys or entry.more):
            continue
        hit = rows.filter(pl.col("key").is_in(list(keys)))
        more = entry.more or len(hit) < len(keys)
        found.append(Touched(entry.asset, entry.partition, len(hit), len(rows), tuple(sorted(set(hit["part"]))), (),
                             frozenset(hit["key"]), more))
    return found


def _named(entry: Planned) -> set[str]:
    return entry.keys | entry.gone | entry.may_go


def keys_of_parts(shard: Shard, groups: set[str]) -> set[str]:
    """Return all keys of the shard's parts ``groups``."""
    ledger = ledger_frame(shard, ["key", "part"])
    return set() if ledger is None else set(ledger.filter(pl.col("part").is_in(list(groups)))["key"])
