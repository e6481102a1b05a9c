"""`negative_constraints`: what the next thread avoids. The file has what a person has set, so it is an input too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import Markdown, escaped, table
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some
from rainbow_assets.threads import constraints as limits
from rainbow_assets.threads.enforce import walk_forward
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.measured import OUTPUT
from rainbow_assets.threads.tables import ROW_INPUT, all_threads, feedback_folder, measured_threads

CONSTRAINTS = pa.schema([
    pa.field("constraint_id", pa.string(), nullable=False), pa.field("kind", pa.string()),
    pa.field("value", pa.string()), pa.field("severity", pa.string()), pa.field("reason", pa.string()),
    pa.field("count", pa.int32()), pa.field("share", pa.float64()), pa.field("source", pa.string()),
])
"""One row per constraint in force, measured or set by hand."""
BY_HAND = "manual_overrides"
"""The input for what a person has written into the file of constraints."""


def constraints_path(shard: Shard) -> Path:
    """Return the constraints' file of this store."""
    return feedback_folder(shard) / OUTPUT


def _by_hand(shard: Shard) -> tuple[limits.ConstraintOverride, ...]:
    return limits.load_overrides(constraints_path(shard))


def overrides_token(shard: Shard) -> str:
    """Return a digest of what a person has set by hand."""
    return digest([[item.kind, item.value, item.severity, item.reason] for item in _by_hand(shard)])


def _constraints(shard: Shard, rules: settings.Rules) -> dict[str, limits.Constraint]:
    """{id: constraint}; empty before there are threads."""
    threads = measured_threads(shard.store.shard("thread_manifests"))
    found = limits.derive(measure(threads, rules.feedback), _by_hand(shard)).constraints if threads else ()
    return {f"{item.kind}: {item.value}": item for item in found}


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the constraints in force. Which there are follows from all threads, so each depends on all of them."""
    threads, by_hand = all_threads(shard), overrides_token(shard)
    name = "in:result_feedback.report"
    reports = outputs(shard.store.shard("result_feedback"), "result_feedback", ("report",)).sort("key")
    report = digest(reports[name].to_list())
    columns = ["key", "part", ROW_INPUT, name, f"in:{BY_HAND}.text"]
    rows = [(key, "constraints", threads, report, by_hand) for key in _constraints(shard, rules)]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Derive the constraints from all threads and from what was set by hand."""
    found = _constraints(work.shard, work.rules)
    for part, asked in work.parts():
        rows = [{"constraint_id": key, **asdict(found[key])} for key in asked["key"]]
        yield Batch(part, pa.Table.from_pylist(rows, schema=CONSTRAINTS))


def write_file(shard: Shard) -> None:
    """Write the constraints' file, with the prompt block and what was set by hand, if it is not what the rows are."""
    report = next((row["report"] for row in shard.store.shard("result_feedback").rows("report")), None)
    if report is not None:
        ids = sorted(row["thread_id"] for row in shard.store.shard("thread_manifests").rows("thread_id"))
        found = limits.from_rows(shard.rows(), json.loads(report), ids, _by_hand(shard))
        limits.write(constraints_path(shard), found, json.loads(report))


@check("The constraints' file holds exactly the rows.")
def file_says_the_same(shard: Shard) -> Finding:
    """The constraints' file, which prompts and `rainbow threads check` read, holds exactly the rows."""
    rows = {(row["kind"], row["value"], row["severity"]) for row in shard.rows()}
    path = constraints_path(shard)
    in_file = limits.load(path).constraints if path.exists() else ()
    read = {(item.kind, item.value, item.severity) for item in in_file}
    differ = sorted(" ".join(map(str, item)) for item in rows ^ read)
    numbers = {"rows": len(rows), "in_file": len(read), "differ": len(differ)}
    if differ:
        return Finding(False, f"{path.name} and the table differ in {len(differ)} constraints ({some(differ)}); "
                              "materialize negative_constraints again", numbers)
    return Finding(True, f"{len(rows)} constraints in the table and in {path.name}", numbers)


def constraints_report(shard: Shard) -> dict[str, Markdown]:
    """Return the constraints in force, and which of them later threads would have broken, as tables."""
    rows = [row for row in shard.rows() if row["kind"] != "title"]
    walked = walk_forward(measured_threads(shard.store.shard("thread_manifests")), settings.default_rules().feedback)
    effect = [(row["thread_id"][:8], row["before"], "; ".join(row["broken"]) or "none") for row in walked]
    return {
        "constraints": table(
            ("severity", "kind", "value", "share", "source"),
            [(row["severity"], row["kind"], row["value"], "" if row["share"] is None else round(row["share"], 3),
              row["source"]) for row in rows]),
        "effect": table(("thread", "after", "broken"), effect) if walked else escaped("too few threads with a time"),
    }


def shown(built: Built) -> Mapping[str, Any]:
    """Return the constraints in force, and what they would have changed."""
    return {name: found for shard in built.shards() for name, found in constraints_report(shard).items()}


NEGATIVE_CONSTRAINTS = RowAsset(
    name="negative_constraints",
    group="threads",
    kinds={"yaml", "parquet"},
    description=(
        "What the next thread is to leave alone, as rows, as YAML with a prompt block, and enforced by "
        "`threads check`."),
    reads={"thread_manifests": ("thread",), "result_feedback": ("report",), BY_HAND: ("text",)},
    compute=compute,
    columns=CONSTRAINTS,
    fields={"constraint": tuple(name for name in CONSTRAINTS.names if name != "constraint_id")},
    key="constraint_id",
    settings=("feedback",),
    candidates=candidates,
    source=overrides_token,
    unit="file",
    colored=False,
    chosen_by=("thread_manifests.thread", "result_feedback.report"),
    checks=[unique_keys, file_says_the_same],
    shows=[shown],
    exports=[write_file],
)
