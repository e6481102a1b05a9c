"""What a change would touch, before anybody makes it: rows per asset and color, followed field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.step import Step
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE, ShardStore


@dataclass(frozen=True)
class Touched:
    """Rows of one shard that a change would reach, and through which of their output fields it would go on."""

    asset: str
    partition: str
    rows: int
    of: int
    parts: tuple[str, ...]
    fields: tuple[str, ...]
    keys: frozenset[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; keys as a sorted list."""
        return {**asdict(self), "keys": sorted(self.keys), "parts": list(self.parts), "fields": list(self.fields)}


def impact(
    steps: Mapping[str, Step], store: ShardStore, partition: str, asset: str, keys: set[str],
    fields: tuple[str, ...] | None = None,
) -> list[Touched]:
    """Return what a change of ``keys`` of ``asset`` would touch, in order of the steps.

    ``fields`` are the output fields of ``asset`` that the change moves (None: all of them). A row is reached where
    it reads a moved field; which of its own fields move in turn follows from the step's declared flows.
    """
    moved: dict[str, Moved] = {}
    found = []
    for name, step in steps.items():
        where = partition if step.colored else WHOLE
        ledger = ledger_frame(store.shard(name, where), ["key", "part"])
        if ledger is None:
            continue
        if name == asset:
            reached, outputs = keys & set(ledger["key"]), set(fields or step.fields)
        else:
            reached, outputs = _reached(step, ledger, moved)
        if not reached:
            continue
        hit = ledger.filter(pl.col("key").is_in(list(reached)))
        moved[name] = Moved(reached, outputs, set(hit["part"]), set(ledger["key"]))
        found.append(Touched(name, where, len(hit), len(ledger), tuple(sorted(set(hit["part"]))),
                             tuple(sorted(outputs)), frozenset(reached)))
    return found


@dataclass(frozen=True)
class Moved:
    """What moves in one asset: rows, output fields, the parts (songs) that hold them; ``known``: all rows it has."""

    keys: set[str]
    outputs: set[str]
    parts: set[str]
    known: set[str]


def _reached(step: Step, ledger: pl.DataFrame, moved: Mapping[str, Moved]) -> tuple[set[str], set[str]]:
    reached: set[str] = set()
    inputs: set[str] = set()
    for asset, names in step.inputs.items():
        if asset not in moved:
            continue
        above = moved[asset]
        read = above.outputs & set(names)
        if not read:
            continue
        on = step.joins.get(asset) if step.joins else None
        joined = ledger.with_columns((on if on is not None else pl.col("key")).alias("on"))
        # A slice of a mix has no row of a stem to join; it follows its whole song.
        alone = ~pl.col("on").is_in(list(above.known)) & pl.col("part").is_in(list(above.parts))
        hit = set(joined.filter(pl.col("on").is_in(list(above.keys)) | alone)["key"])
        reached |= hit
        if hit:
            inputs |= {f"{asset}.{name}" for name in read}
    outputs = {name for name in step.fields if inputs & set(step.reached_by(name))}
    return reached, outputs


def keys_of_parts(shard: Shard, groups: set[str]) -> set[str]:
    """Return all keys of the shard's parts ``groups``."""
    ledger = ledger_frame(shard, ["key", "part"])
    return set() if ledger is None else set(ledger.filter(pl.col("part").is_in(list(groups)))["key"])
