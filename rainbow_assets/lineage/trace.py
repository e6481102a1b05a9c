"""Where one row came from and which rows were made from it: the ledgers, read upstream and downstream from a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE, ShardStore


class UnknownRow(RainbowError):
    """No shard has a row with that key."""


def _key_for(step: RowAsset, asset: str, key: str) -> str | None:
    """Return the key that a row of ``step`` reads from ``asset``."""
    if asset not in step.joins:
        return key
    return pl.DataFrame({"key": [key]}).select(step.joins[asset].alias("on"))["on"][0]


def _shard(step: RowAsset, store: ShardStore, color: str) -> Shard:
    """Return the shard of ``step`` that has the rows of ``color``."""
    return store.shard(step.name, color if step.colored else WHOLE)


def _row(step: RowAsset, store: ShardStore, partition: str, key: str) -> dict[str, Any] | None:
    ledger = ledger_frame(_shard(step, store, partition))
    if ledger is None:
        return None
    hit = ledger.filter(pl.col("key") == key)
    return hit.row(0, named=True) if len(hit) else None


def entry(step: RowAsset, store: ShardStore, partition: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return the ledger's entry for one row as plain values: digests of inputs, versions, output, part, state."""
    shard = _shard(step, store, partition)
    index = shard.require_index()
    part = next((part for part in index.parts if part.group == row["part"]), None)
    return {
        "asset": step.name, "color": shard.partition, "key": row["key"], "status": row["status"],
        "reason": row["reason"],
        "inputs": {name.removeprefix("in:"): value for name, value in row.items() if name.startswith("in:")},
        "outputs": {name.removeprefix("out:"): value for name, value in row.items() if name.startswith("out:")},
        "code": row["code"], "settings": index.facts.get("made_with", {}).get("settings", {}),
        "libraries": index.facts.get("made_with", {}).get("libraries", {}),
        "part": part.name if part else None, "part_sha256": part.sha256 if part else None,
        "data_version": index.data_version,
    }


def trace(steps: Mapping[str, RowAsset], store: ShardStore, partition: str, asset: str, key: str) -> dict[str, Any]:
    """Return the entry of a row, with the rows that it was made ``from`` (recursively) and was made ``into``."""
    row = _row(steps[asset], store, partition, key)
    if row is None:
        raise UnknownRow(f"{asset}/{partition} has no row {key}; list its rows: rainbow impact {partition} --json")
    return {
        **entry(steps[asset], store, partition, row),
        "from": _upwards(steps, store, partition, steps[asset], key),
        "into": _downwards(steps, store, partition, {asset: {key}}),
    }


def _upwards(
    steps: Mapping[str, RowAsset], store: ShardStore, partition: str, step: RowAsset, key: str
) -> list[dict[str, Any]]:
    found = []
    for asset in step.reads:
        if asset not in steps:
            continue
        upstream = _key_for(step, asset, key)
        row = _row(steps[asset], store, partition, upstream) if upstream else None
        if row is not None and upstream is not None:
            found.append({**entry(steps[asset], store, partition, row),
                          "from": _upwards(steps, store, partition, steps[asset], upstream)})
    return found


def _downwards(
    steps: Mapping[str, RowAsset], store: ShardStore, partition: str, reached: dict[str, set[str]]
) -> list[dict[str, Any]]:
    found = []
    start = set(reached)
    for name, step in steps.items():
        if name in start or not set(step.reads) & set(reached):
            continue
        ledger = ledger_frame(_shard(step, store, partition))
        if ledger is None:
            continue
        hits: set[str] = set()
        for asset in step.reads:
            if asset in reached:
                on = ledger.with_columns(step.joins.get(asset, pl.col("key")).alias("on"))
                hits |= set(on.filter(pl.col("on").is_in(list(reached[asset])))["key"])
        if hits:
            reached[name] = hits
            rows = ledger.filter(pl.col("key").is_in(list(hits))).sort("key")
            found += [entry(step, store, partition, row) for row in rows.iter_rows(named=True)]
    return found
