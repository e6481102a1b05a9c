"""Repair: read and verify every file of a shard and remove the damaged ones, so that the next build rebuilds them.

A damaged part costs the rows of that part, a damaged ledger or ``shard.json`` the whole shard. The verdicts are removed
too, so that the gates stay closed until the rebuilt data has been checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.lineage import parts as written
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.ledger import STATUS_OK, data_version, ledger_frame
from rainbow_assets.lineage.materialize import HISTORY, LOCK_WAIT_S, STATE
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.storage.sections import PREFIX
from rainbow_assets.storage.shard import INDEX, DamagedShard, Part, Shard, ShardIndex
from rainbow_assets.storage.store import ShardStore


@dataclass(frozen=True)
class Damage:
    """One damaged file. ``groups`` are the parts whose rows are lost with it; None: all rows of the shard."""

    asset: str
    partition: str
    file: str
    problem: str
    groups: frozenset[str] | None

    def __str__(self) -> str:
        if self.groups is None:
            lost = "the shard is rebuilt"
        else:
            lost = f"rebuilt: the rows of {', '.join(sorted(self.groups))}" if self.groups else "it is written again"
        # Up to the semicolon: what follows in the message is the advice to run this very repair.
        return f"{self.problem.partition(';')[0]}; {lost}"


def examine(step: RowAsset, shard: Shard) -> list[Damage]:
    """Return every damaged file of ``shard``: unreadable, cut, changed, or different from what the ledger lists."""
    def damage(file: str, problem: object, groups: frozenset[str] | None = None) -> Damage:
        return Damage(shard.asset, shard.partition, file, str(problem), groups)

    nothing: frozenset[str] = frozenset()
    found = [damage(name, f"{shard.where}/{name} cannot be read", nothing)
             for name in (STATE, HISTORY) if not _is_json(shard.files.read(name))]
    try:
        index = shard.index()
    except DamagedShard as error:
        return [*found, damage(INDEX, error)]
    if index is None:
        return found
    try:
        verdicts.read(shard)
    except DamagedShard as error:
        found.append(damage(verdicts.FILE, error, nothing))
    try:
        ledger = ledger_frame(shard)
        assert ledger is not None
    except DamagedShard as error:
        return [*found, damage(index.ledger, error)]
    try:
        shard.sections()
    except DamagedShard as error:
        found.append(damage(index.sections, error, nothing))
    if data_version(index.inputs["schema"], ledger) != index.data_version:
        return [*found, damage(INDEX, f"{shard.where}/{INDEX} does not match its ledger")]
    for part in index.parts:
        problem = _problem(step, shard, part, ledger)
        if problem is not None:
            found.append(damage(part.name, problem, frozenset([part.group])))
    return found


def _is_json(data: bytes | None) -> bool:
    try:
        return data is None or json.loads(data) is not None
    except ValueError:
        return False


def _problem(step: RowAsset, shard: Shard, part: Part, ledger: pl.DataFrame) -> str | None:
    """Return what is wrong with the bytes, the number of rows or the keys of one part, or None."""
    try:
        keys = shard.read_part(part, [step.key]).column(step.key).to_pylist()
    except (DamagedShard, pa.ArrowInvalid, KeyError) as error:
        return str(error)
    listed = ledger.filter((pl.col("part") == part.group) & (pl.col("status") == STATUS_OK))["key"].to_list()
    if sorted(keys) != sorted(listed) or len(keys) != part.rows:
        return f"{shard.where}/{part.name} has {len(keys)} rows, but its ledger lists {len(listed)}"
    return None


def drop(shard: Shard, damages: list[Damage]) -> None:
    """Remove what is damaged from ``shard``, so that the next build rebuilds it; it takes the writer's lock."""
    with writer_lock(shard.files, "repair", LOCK_WAIT_S):
        for name in {verdicts.FILE, *(entry.file for entry in damages if entry.file in (STATE, HISTORY))}:
            shard.files.remove(name)
        if any(entry.groups is None for entry in damages):
            # The index first: without it there is no shard, so no reader sees half of one.
            for name in (INDEX, *shard.files.names()):
                if name not in (HISTORY, STATE):
                    shard.files.remove(name)
            return
        lost = {group for entry in damages for group in entry.groups or ()}
        if lost:
            _without(shard, lost)
        elif any(entry.file.startswith(PREFIX) for entry in damages):
            index, ledger = shard.require_index(), ledger_frame(shard)
            assert ledger is not None
            shard.replace_index(replace(index, **written.write_ledger(shard, ledger)))


def _without(shard: Shard, lost: set[str]) -> None:
    """Replace the index by one without the parts and rows of the groups ``lost``."""
    index, ledger = shard.require_index(), ledger_frame(shard)
    assert ledger is not None
    schema = index.inputs["schema"]
    kept = ledger.filter(~pl.col("part").is_in(list(lost)))
    parts = tuple(part for part in index.parts if part.group not in lost)
    # A data version of its own, so that no verdict is valid for the incomplete shard and no reader takes it for fresh.
    repaired: ShardIndex = replace(index, parts=parts, inputs={"schema": schema}, **written.write_ledger(shard, kept),
                                   data_version=digest("repair", index.data_version, sorted(lost)))
    shard.replace_index(repaired)
    for part in index.parts:
        if part.group in lost:
            shard.files.remove(part.name)


def repair(
    steps: dict[str, RowAsset], store: ShardStore, colors: tuple[str, ...], tick: Callable[[str], None] | None = None
) -> list[Damage]:
    """Examine every shard of ``steps`` (in ``colors``), remove what is damaged, and return it."""
    found = []
    for name, step in steps.items():
        for partition in colors if step.colored else step.partitions:
            shard = store.shard(name, partition)
            damages = examine(step, shard)
            if damages:
                drop(shard, damages)
            found += damages
            if tick:
                tick(shard.where)
    return found
