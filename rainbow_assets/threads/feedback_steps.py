"""`result_feedback` and `negative_constraints` as ledger steps: what all threads together overuse, and what follows.

Both are read again from the rows of `thread_manifests`. The constraints' file holds what a person has set by hand, so
that file is an input of its own successor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads import constraints as limits
from rainbow_assets.threads import history
from rainbow_assets.threads.commands import CHART, HISTORY, packed_folder
from rainbow_assets.threads.feedback import Feedback, measure
from rainbow_assets.threads.packed import OUTPUT, Packed, proposal
from rainbow_assets.threads.steps import THREAD_MANIFESTS, rows_of

SCOPES = ("final", "iterations")
FEEDBACK = pa.schema([
    pa.field("scope", pa.string(), nullable=False), pa.field("threads", pa.int32()), pa.field("proposals", pa.int32()),
    pa.field("enough", pa.bool_()), pa.field("original_key_entropy_bits", pa.float64()),
    pa.field("normalized_key_entropy_bits", pa.float64()), pa.field("original_top_key", pa.string()),
    pa.field("original_top_key_share", pa.float64()), pa.field("normalized_top_key", pa.string()),
    pa.field("normalized_top_key_share", pa.float64()), pa.field("bpm_mean", pa.float64()),
    pa.field("bpm_std", pa.float64()), pa.field("bpm_variance", pa.float64()), pa.field("report", pa.string()),
])
"""One row per scope, final proposals or all; ``report`` is the whole measurement as JSON."""
CONSTRAINTS = pa.schema([
    pa.field("constraint_id", pa.string(), nullable=False), pa.field("kind", pa.string()),
    pa.field("value", pa.string()), pa.field("severity", pa.string()), pa.field("reason", pa.string()),
    pa.field("count", pa.int32()), pa.field("share", pa.float64()), pa.field("source", pa.string()),
])
"""One row per constraint in force, measured or set by hand."""
BY_HAND = "manual_overrides"
_THREADS = f"in:{THREAD_MANIFESTS.name}.thread"


def packed_threads(shard: Shard) -> list[Packed]:
    """Return the threads of `thread_manifests` as the measurement takes them, in order of id."""
    found = []
    for thread_id, row in rows_of(shard).items():
        every = [proposal(thread_id, {**item, "tempo": item["tempo_text"]}) for item in [row, *row["iterations"]]]
        time, newest = row["timestamp"], row["newest_artifact_at"]
        found.append(Packed(
            thread_id, row["directory"], every[0], tuple(every[1:]), row["iteration_count"],
            tuple(row["dialogue_openers"]), time or newest,
            "manifest" if time else "newest_artifact" if newest else None))
    return found


def measured(manifests: Shard, rules: settings.Rules) -> Feedback | None:
    """Measure the threads of the shard; None where there are none."""
    threads = packed_threads(manifests)
    return measure(threads, rules.feedback) if threads else None


def constraints_path(shard: Shard) -> Path:
    """Return the constraints' file of this store: beside the packed threads."""
    return packed_folder(shard.store.files.url).parent / OUTPUT


def _all_threads(shard: Shard) -> str | None:
    """Return one digest for all threads, or None where there are none."""
    rows = outputs(shard.store.shard(THREAD_MANIFESTS.name), THREAD_MANIFESTS.name, ("thread",)).sort("key")
    return digest(rows["key"].to_list(), rows[_THREADS].to_list()) if len(rows) else None


def feedback_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Both scopes depend on every thread."""
    threads = _all_threads(shard)
    rows = [(scope, "feedback", threads) for scope in SCOPES] if threads else []
    return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", _THREADS], pl.String), orient="row")


def feedback_compute(work: Work) -> Iterator[Batch]:
    """Measure all threads, and note the figures in the history, with its chart."""
    found = measured(work.upstream(THREAD_MANIFESTS.name), work.rules)
    if found is None:
        return
    folder = constraints_path(work.shard).parent
    Files(str(folder)).write(CHART, history.chart(history.add_snapshot(folder / HISTORY, found)))
    report = json.dumps(found.as_dict(), sort_keys=True, ensure_ascii=False)
    rows = []
    for name, scope in zip(SCOPES, (found.final, found.iterations), strict=True):
        row: dict[str, object] = {"scope": name, "threads": found.n, "proposals": scope.n if scope else 0,
                                  "enough": found.enough, "report": report}
        for series in ("original", "normalized") if scope else ():
            keys = getattr(scope, series)
            row[f"{series}_key_entropy_bits"] = keys.entropy.value if keys.entropy else None
            if keys.labels:
                row |= {f"{series}_top_key": keys.labels[0].name,
                        f"{series}_top_key_share": keys.labels[0].share.value}
        if scope and scope.bpm:
            row |= {f"bpm_{name}": scope.bpm[name] for name in ("mean", "std", "variance")}
        rows.append(row)
    yield Batch("feedback", pa.Table.from_pylist(rows, schema=FEEDBACK))


RESULT_FEEDBACK = Step(
    name="result_feedback",
    inputs={THREAD_MANIFESTS.name: ("thread",)},
    compute=feedback_compute,
    schema=FEEDBACK,
    fields={"report": tuple(name for name in FEEDBACK.names if name != "scope")},
    key="scope",
    settings=("feedback",),
    candidates=feedback_candidates,
    unit="measurement",
    colored=False,
)


def _by_hand(shard: Shard) -> tuple[limits.Override, ...]:
    return limits.load_overrides(constraints_path(shard))


def overrides_token(shard: Shard) -> str:
    """Return a digest of what a person has set by hand."""
    return digest([[item.kind, item.value, item.severity, item.reason] for item in _by_hand(shard)])


def _constraints(shard: Shard, rules: settings.Rules) -> tuple[limits.Constraints, Feedback] | None:
    found = measured(shard.store.shard(THREAD_MANIFESTS.name), rules)
    return (limits.derive(found, _by_hand(shard)), found) if found else None


def _id(item: limits.Constraint) -> str:
    return f"{item.kind}: {item.value}"


def constraint_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the constraints in force. Which there are follows from all threads, so each depends on all of them."""
    found, threads, by_hand = _constraints(shard, rules), _all_threads(shard), overrides_token(shard)
    name = f"in:{RESULT_FEEDBACK.name}.report"
    reports = outputs(shard.store.shard(RESULT_FEEDBACK.name), RESULT_FEEDBACK.name, ("report",)).sort("key")
    report = digest(reports[name].to_list())
    columns = ["key", "part", _THREADS, name, f"in:{BY_HAND}.text"]
    rows = [(_id(item), "constraints", threads, report, by_hand) for item in found[0].constraints] if found else []
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def constraint_compute(work: Work) -> Iterator[Batch]:
    """Derive the constraints and write their file, with the prompt block and what was set by hand."""
    found = _constraints(work.shard, work.rules)
    if found is None:
        return
    limits.write(constraints_path(work.shard), *found)
    held = {_id(item): item for item in found[0].constraints}
    for part, asked in work.parts():
        rows = [{"constraint_id": key, **held[key].as_dict()} for key in asked["key"]]
        yield Batch(part, pa.Table.from_pylist(rows, schema=CONSTRAINTS))


NEGATIVE_CONSTRAINTS = Step(
    name="negative_constraints",
    inputs={THREAD_MANIFESTS.name: ("thread",), RESULT_FEEDBACK.name: ("report",), BY_HAND: ("text",)},
    compute=constraint_compute,
    schema=CONSTRAINTS,
    fields={"constraint": tuple(name for name in CONSTRAINTS.names if name != "constraint_id")},
    key="constraint_id",
    settings=("feedback",),
    candidates=constraint_candidates,
    source=overrides_token,
    unit="file",
    colored=False,
    chosen_by=(f"{THREAD_MANIFESTS.name}.thread", f"{RESULT_FEEDBACK.name}.report"),
)
