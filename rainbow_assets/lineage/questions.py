"""Questions that several rooms ask of their tables, as builders of checks."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.storage.shard import Shard

ABSOLUTE = r"(^|[\s'\"(=])(/(Users|home|Volumes|root|tmp|work|mnt|var|private|data)/|[A-Za-z]:\\|file://)"
"""What an absolute path of somebody's machine looks like inside a text."""

def names(values: list[str], most: int = 5) -> str:
    """Return up to ``most`` names, and how many more there are."""
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(values[:most]) + more


def unique_keys(step: Step) -> Check:
    """Every key of the table stands for one row, and the rows are those that the ledger counts as made."""

    def evaluate(shard: Shard) -> Outcome:
        keys = shard.table(step.schema, [step.key]).column(step.key)
        ledger = ledger_frame(shard, ["key", "status"])
        made = set(ledger.filter(ledger["status"] == "ok")["key"]) if ledger is not None else set()
        values = keys.to_pylist()
        twice = len(values) - len(set(values))
        astray = sorted(made ^ set(values))
        numbers = {"rows": len(values), "repeated": twice, "not_as_in_ledger": len(astray)}
        if twice or astray or keys.null_count:
            return Outcome(False, f"{twice} keys are repeated and {len(astray)} differ from the ledger "
                                  f"({names(astray)}); rebuild: rainbow build --repair", numbers)
        return Outcome(True, f"{len(values)} unique keys", numbers)

    return Check("unique_keys", step.name, evaluate, "Each key stands for exactly one row, as the ledger says.")


def relative_paths(step: Step) -> Check:
    """No text column holds an absolute path of somebody's machine."""
    columns = [item.name for item in step.schema if pa.types.is_string(item.type)]

    def evaluate(shard: Shard) -> Outcome:
        found = []
        for part, table in shard.tables(columns):
            for name in columns:
                hits = int(pl.Series(table.column(name)).str.contains(ABSOLUTE).sum())
                found += [f"{name} of {part.group}"] * hits
        numbers = {"columns": len(columns), "absolute_paths": len(found)}
        if found:
            return Outcome(False, f"{len(found)} values hold an absolute path ({names(sorted(set(found)))}); write "
                                  "file names relative to the song folder", numbers)
        return Outcome(True, f"no absolute path in {len(columns)} columns", numbers)

    return Check("relative_paths", step.name, evaluate, "No value holds an absolute path.")


def rows_match(step: Step, upstream: Step, kind: str = "1:1") -> Check:
    """The table has exactly the rows of ``upstream``, by key: nothing lost in a join, nothing doubled."""

    def evaluate(shard: Shard) -> Outcome:
        own = set(shard.table(step.schema, [step.key]).column(step.key).to_pylist())
        other_shard = shard.store.shard(upstream.name, shard.partition)
        other = set(other_shard.table(upstream.schema, [upstream.key]).column(upstream.key).to_pylist())
        missing, extra = sorted(other - own), sorted(own - other)
        numbers = {"rows": len(own), "upstream_rows": len(other), "missing": len(missing), "extra": len(extra)}
        if missing or extra:
            return Outcome(False, f"{len(missing)} rows of {upstream.name} are missing ({names(missing)}) and "
                                  f"{len(extra)} have no counterpart ({names(extra)})", numbers)
        return Outcome(True, f"{len(own)} rows, {kind} with {upstream.name}", numbers)

    return Check(f"matches_{upstream.name}", step.name, evaluate,
                 f"The rows are 1:1 those of {upstream.name}, by key.")
