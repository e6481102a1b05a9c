"""`negative_constraints`: what the next thread avoids. The file holds what a person has set, so it is its own input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, Markdown, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some
from rainbow_assets.threads import constraints as limits
from rainbow_assets.threads.feedback import Feedback
from rainbow_assets.threads.measured import THREADS, all_threads, constraints_path, measured

CONSTRAINTS = pa.schema([
    pa.field("constraint_id", pa.string(), nullable=False), pa.field("kind", pa.string()),
    pa.field("value", pa.string()), pa.field("severity", pa.string()), pa.field("reason", pa.string()),
    pa.field("count", pa.int32()), pa.field("share", pa.float64()), pa.field("source", pa.string()),
])
"""One row per constraint in force, measured or set by hand."""


BY_HAND = "manual_overrides"


def _by_hand(shard: Shard) -> tuple[limits.ConstraintOverride, ...]:
    return limits.load_overrides(constraints_path(shard))


def overrides_token(shard: Shard) -> str:
    """Return a digest of what a person has set by hand."""
    return digest([[item.kind, item.value, item.severity, item.reason] for item in _by_hand(shard)])


def _constraints(shard: Shard, rules: settings.Rules) -> tuple[limits.NegativeConstraints, Feedback] | None:
    found = measured(shard.store.shard("thread_manifests"), rules)
    return (limits.derive(found, _by_hand(shard)), found) if found else None


def _id(item: limits.Constraint) -> str:
    return f"{item.kind}: {item.value}"


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the constraints in force. Which there are follows from all threads, so each depends on all of them."""
    found, threads, by_hand = _constraints(shard, rules), all_threads(shard), overrides_token(shard)
    name = "in:result_feedback.report"
    reports = outputs(shard.store.shard("result_feedback"), "result_feedback", ("report",)).sort("key")
    report = digest(reports[name].to_list())
    columns = ["key", "part", THREADS, name, f"in:{BY_HAND}.text"]
    rows = [(_id(item), "constraints", threads, report, by_hand) for item in found[0].constraints] if found else []
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Derive the constraints and write their file, with the prompt block and what was set by hand."""
    found = _constraints(work.shard, work.rules)
    if found is None:
        return
    limits.write(constraints_path(work.shard), *found)
    held = {_id(item): item for item in found[0].constraints}
    for part, asked in work.parts():
        rows = [{"constraint_id": key, **held[key].as_dict()} for key in asked["key"]]
        yield Batch(part, pa.Table.from_pylist(rows, schema=CONSTRAINTS))


@check("The constraints' file holds exactly the rows.")
def file_says_the_same(shard: Shard) -> Finding:
    """The constraints' file, which prompts and `rainbow threads check` read, holds exactly the rows."""
    rows = {(row["kind"], row["value"], row["severity"]) for row in shard.rows()}
    path = constraints_path(shard)
    held = limits.load(path).constraints if path.exists() else ()
    read = {(item.kind, item.value, item.severity) for item in held}
    differ = sorted(" ".join(map(str, item)) for item in rows ^ read)
    numbers = {"rows": len(rows), "in_file": len(read), "differ": len(differ)}
    if differ:
        return Finding(False, f"{path.name} and the table differ in {len(differ)} constraints ({some(differ)}); "
                              "materialize negative_constraints again", numbers)
    return Finding(True, f"{len(rows)} constraints in the table and in {path.name}", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the constraints in force, and what they would have changed."""
    from rainbow_assets.threads.report import constraints_report

    return {name: Markdown(text) for shard in built.shards() for name, text in constraints_report(shard).items()}


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
)
