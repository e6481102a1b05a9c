"""`result_feedback`: what all threads together overuse, measured on the rows of `thread_manifests`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import Markdown, bullets, picture, table
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some
from rainbow_assets.threads import history
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.tables import MANIFESTS, ROW_INPUT, all_threads, feedback_folder, measured_threads

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


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Both scopes depend on every thread."""
    threads = all_threads(shard)
    rows = [(scope, "feedback", threads) for scope in SCOPES] if threads else []
    return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", ROW_INPUT], pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Measure all threads; the fact ``history`` is the line of this measurement in the history."""
    threads = measured_threads(work.upstream("thread_manifests"))
    if not threads:
        return
    found = measure(threads, work.rules.feedback)
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
    yield Batch("feedback", pa.Table.from_pylist(rows, schema=FEEDBACK), {}, {"history": history.snapshot(found)})


def write_history(shard: Shard) -> None:
    """Add the measurement to the history and draw its chart, if it is not in there."""
    for part in shard.require_index().parts:
        if "history" in part.facts:  # shards of earlier versions have none
            history.note(feedback_folder(shard), dict(part.facts["history"]))


@check("Shares, entropies and counts are possible ones.")
def figures_possible(shard: Shard) -> Finding:
    """Shares are in 0..1, entropies in 0..log2(number of labels), and both scopes cover all threads."""
    rows = shard.rows()
    threads = len(shard.store.shard("thread_manifests").table(MANIFESTS, ["thread_id"]))
    wrong = []
    for row in rows:
        most = math.log2(max(2, row["proposals"]))
        for series in ("original", "normalized"):
            bits, share = row[f"{series}_key_entropy_bits"], row[f"{series}_top_key_share"]
            if bits is not None and not 0 <= bits <= most + 1e-9:
                wrong.append(f"{row['scope']}: {bits} bits of {series} keys")
            if share is not None and not 0 <= share <= 1:
                wrong.append(f"{row['scope']}: a share of {share} of {series} keys")
        if row["threads"] != threads:
            wrong.append(f"{row['scope']}: {row['threads']} threads measured of {threads}")
    numbers = {"scopes": len(rows), "threads": threads, "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"the measurement cannot be: {some(wrong)}; materialize result_feedback again", numbers)
    return Finding(True, f"{threads} threads measured in {len(rows)} scopes", numbers)


def feedback_report(shard: Shard) -> tuple[dict[str, Markdown], bytes | None]:
    """Return the figures as tables, and the chart of their history as PNG; None before there are threads."""
    rows = shard.rows()
    if not rows:
        return {}, None
    report = json.loads(rows[0]["report"])
    figures = [(name, *(_short(row[name]) for row in rows)) for name in FEEDBACK.names
               if name not in ("scope", "report")]
    keys = [(item["name"], item["count"], item["share"])
            for item in report["final"]["keys"]["normalized"]["distribution"]]
    chart = feedback_folder(shard) / history.CHART
    return {
        "figures": table(("figure", *(row["scope"] for row in rows)), figures),
        "keys": table(("key", "threads", "share"), keys),
        "warnings": bullets(report["warnings"]),
    }, chart.read_bytes() if chart.exists() else None


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else "" if value is None else value


def shown(built: Built) -> Mapping[str, Any]:
    """Return the figures as tables, and the chart of their history."""
    tables, chart = next((feedback_report(shard) for shard in built.shards()), ({}, None))
    return tables if chart is None else {**tables, "history": picture(chart, "history")}


RESULT_FEEDBACK = RowAsset(
    name="result_feedback",
    group="threads",
    kinds={"parquet"},
    description=(
        "What all threads together overuse: keys, tempi, phrases, title words, openers, time signatures, "
        "moods."),
    reads={"thread_manifests": ("thread",)},
    compute=compute,
    columns=FEEDBACK,
    fields={"report": tuple(name for name in FEEDBACK.names if name != "scope")},
    key="scope",
    settings=("feedback",),
    candidates=candidates,
    unit="measurement",
    colored=False,
    checks=[unique_keys, figures_possible],
    shows=[shown],
    exports=[write_history],
)
