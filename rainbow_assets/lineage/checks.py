"""Checks that several assets share, as functions that make the check of an asset."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pyarrow as pa

from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.lineage.verdicts import Check, Finding
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import MACHINE_PATH, some


def unique_keys(step: RowAsset) -> Check:
    """Return a check that each key has one row, and that the rows are those that the ledger lists as good."""

    def evaluate(shard: Shard) -> Finding:
        keys = shard.table(step.schema, [step.key]).column(step.key)
        ledger = ledger_frame(shard, ["key", "status"])
        made = set(ledger.filter(ledger["status"] == "ok")["key"]) if ledger is not None else set()
        values = keys.to_pylist()
        twice = len(values) - len(set(values))
        astray = sorted(made ^ set(values))
        numbers = {"rows": len(values), "repeated": twice, "not_as_in_ledger": len(astray)}
        if twice or astray or keys.null_count:
            return Finding(False, f"{twice} keys occur more than once and {len(astray)} differ from the ledger "
                                  f"({some(astray)}); rebuild: rainbow build --repair", numbers)
        return Finding(True, f"{len(values)} unique keys", numbers)

    return Check("unique_keys", evaluate, "Each key has exactly one row, and the ledger lists the same keys.")


def relative_paths(step: RowAsset) -> Check:
    """Return a check that no text column has an absolute path of a person's machine."""
    columns = [item.name for item in step.schema if pa.types.is_string(item.type)]

    def evaluate(shard: Shard) -> Finding:
        found = []
        for part, table in shard.tables(columns):
            for name in columns:
                hits = int(pl.Series(table.column(name)).str.contains(MACHINE_PATH).sum())
                found += [f"{name} of {part.group}"] * hits
        numbers = {"columns": len(columns), "absolute_paths": len(found)}
        if found:
            return Finding(False, f"{len(found)} values contain an absolute path ({some(sorted(set(found)))}); write "
                                  "file names relative to the song folder", numbers)
        return Finding(True, f"no absolute path in {len(columns)} columns", numbers)

    return Check("relative_paths", evaluate, "No value contains an absolute path.")


def rows_match(upstream: str) -> Callable[[RowAsset], Check]:
    """Return a check that the table has the rows of ``upstream``, by key: no join lost or doubled a row."""

    def of(step: RowAsset) -> Check:
        def evaluate(shard: Shard) -> Finding:
            own = _keys(shard, step.key)
            other = _keys(shard.store.shard(upstream, shard.partition), step.key)
            missing, extra = sorted(other - own), sorted(own - other)
            numbers = {"rows": len(own), "upstream_rows": len(other), "missing": len(missing), "extra": len(extra)}
            if missing or extra:
                return Finding(False, f"{len(missing)} rows of {upstream} are missing ({some(missing)}) and "
                                      f"{len(extra)} rows are not in it ({some(extra)})", numbers)
            return Finding(True, f"{len(own)} rows, the same keys as {upstream}", numbers)

        return Check(f"matches_{upstream}", evaluate, f"The keys are exactly those of {upstream}.")

    return of


def _keys(shard: Shard, column: str) -> set[str]:
    return {key for _, table in shard.tables([column]) for key in table.column(column).to_pylist()}
