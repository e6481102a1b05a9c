"""What the assets of the threads show of themselves: tables in Markdown, and the chart of the history."""

from __future__ import annotations

import html
import json
from collections import Counter
from typing import Any

from rainbow_assets import settings
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads.commands import CHART
from rainbow_assets.threads.enforce import walk_forward
from rainbow_assets.threads.measured import constraints_path, packed_threads
from rainbow_assets.threads.result_feedback import FEEDBACK

_SHOWN = 12


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return "none"
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows[:_SHOWN]]
    return "\n".join([*lines, *([f"\n... and {len(rows) - _SHOWN} more"] if len(rows) > _SHOWN else [])])


def _cell(value: Any) -> str:
    return html.escape(str(value), quote=False).replace("|", "\\|").replace("\n", " ")


def packing_report(shard: Shard) -> dict[str, str]:
    """Return what packing kept and left out by rule, and the irregularities that it met, of `thread_manifests`."""
    rows = shard.rows("thread_id", "files", "dropped_by_rule", "anomalies")
    files, size = Counter[str](), Counter[str]()
    for row in rows:
        for item in row["files"]:
            files["(kept)"] += 1
            size["(kept)"] += item["packed_size"]
        for item in row["dropped_by_rule"]:
            files[item["rule"]] += item["files"]
            size[item["rule"]] += item["bytes"]
    kinds = Counter((item["kind"], item["severity"]) for row in rows for item in row["anomalies"])
    by_rule = [(rule, count, size[rule]) for rule, count in sorted(files.items())]
    return {
        "files": _table(("rule", "files", "bytes"), by_rule),
        "anomalies": _table(("kind", "severity", "times"), [(*kind, count) for kind, count in kinds.most_common()]),
    }


def feedback_report(shard: Shard) -> tuple[dict[str, str], bytes | None]:
    """Return the figures of `result_feedback` as tables, and its chart as PNG; None before there are threads."""
    rows = shard.rows()
    if not rows:
        return {}, None
    names = [name for name in FEEDBACK.names if name != "report"]
    report = json.loads(rows[0]["report"])
    keys = report["final"]["keys"]["normalized"]["distribution"]
    chart = constraints_path(shard).parent / CHART
    return {
        "figures": _table(("figure", *(row["scope"] for row in rows)),
                          [(name, *(_short(row[name]) for row in rows)) for name in names if name != "scope"]),
        "keys": _table(("key", "threads", "share"), [(item["name"], item["count"], item["share"]) for item in keys]),
        "warnings": "\n".join(f"- {_cell(said)}" for said in report["warnings"]) or "none",
    }, chart.read_bytes() if chart.exists() else None


def constraints_report(shard: Shard) -> dict[str, str]:
    """Return the constraints in force, and which ones each later thread broke of those that led up to it."""
    rows = shard.rows()
    shown = [row for row in rows if row["kind"] != "title"]
    threads = packed_threads(shard.store.shard("thread_manifests"))
    walked = walk_forward(threads, settings.default_rules().feedback)
    return {
        "constraints": _table(("severity", "kind", "value", "share", "source"),
                              [(row["severity"], row["kind"], row["value"], _short(row["share"]), row["source"])
                               for row in shown]),
        "effect": _table(("thread", "after", "broken"),
                         [(row["thread_id"][:8], row["before"], "; ".join(row["broken"]) or "none")
                          for row in walked]) if walked else "too few threads with a time to say",
    }


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else "" if value is None else value
