"""Plans, impacts and lineages as text for people; the callers print the same values as JSON."""

from __future__ import annotations

from typing import Any

from rainbow_assets.layout import Lines, layout
from rainbow_assets.lineage.impact import Touched
from rainbow_assets.lineage.plan import BLOCKED, FRESH, RESTAMP, STALE, Planned
from rainbow_assets.text import counted


def plan_tree(planned: list[Planned]) -> Lines:
    """Return the plan as a tree: the assets, and below each the colors that are not fresh, with the reasons."""
    lines = _assets([entry for entry in planned if not entry.on_request])
    priced = [entry.price for entry in planned if entry.price and not entry.on_request]
    if priced:
        lines.append(f"embedding costs {_price(priced)}")
    lines.append(summary(planned))
    asked = [entry for entry in planned if entry.on_request and entry.state != FRESH]
    if asked:
        lines += ["", "on request (run: rainbow build --asset NAME):", *_assets(asked)]
    return layout(lines)


def _assets(planned: list[Planned]) -> list[str]:
    lines = []
    for asset in dict.fromkeys(entry.asset for entry in planned):
        entries = [entry for entry in planned if entry.asset == asset]
        busy = [entry for entry in entries if entry.state != FRESH]
        rows = sum(entry.compute for entry in busy)
        if not busy:
            lines.append(f"{asset}: fresh ({counted(sum(entry.rows for entry in entries), 'row')})")
            continue
        lines.append(f"{asset}: {counted(rows, 'row')} to compute, {sum(e.remove for e in busy)} to "
                     f"remove{_time(busy)}")
        for entry in busy:
            about = "at most " if entry.at_most else ""
            state = "blocked" if entry.state == BLOCKED else "to be checked again" if entry.asks else (
                "no row changes" if entry.state == RESTAMP else
                f"{about}{entry.compute} of {counted(entry.rows, 'row')}")
            lines.append(f"  {entry.partition}: {state}")
            lines += [f"    because {reason}" for reason in entry.reasons]
            if entry.price:
                lines.append(f"    costs {_price([entry.price])}")
    return lines


def _price(prices: list[dict[str, Any]]) -> str:
    """Return, for example, ``at most 12 inputs (3 more have vectors), 4.0 GPU seconds on modal, 0.01 USD``."""
    about = "at most " if any(price["at_most"] for price in prices) else ""
    engine = prices[0]["engine"]
    what = "seconds here" if engine == "local" else f"GPU seconds on {engine}"
    return (f"{about}{sum(price['inputs'] for price in prices)} inputs "
            f"({sum(price['in_cache'] for price in prices)} more have vectors), "
            f"{sum(price['engine_seconds'] for price in prices):.1f} {what}, "
            f"{sum(price['usd'] for price in prices):.2f} USD")


def _time(entries: list[Planned]) -> str:
    known = [entry.seconds for entry in entries if entry.seconds is not None]
    return f", about {sum(known):.1f} s" if known else ""


def summary(planned: list[Planned]) -> str:
    """Return one line: how many shards are stale, fresh or blocked, and the costs; assets on request do not count."""
    planned = [entry for entry in planned if not entry.on_request]
    stale = [entry for entry in planned if entry.state == STALE]
    blocked, stamps = (sum(entry.state == state for entry in planned) for state in (BLOCKED, RESTAMP))
    if not stale and not blocked and not stamps:
        return f"nothing to do: {counted(len(planned), 'shard')} fresh"
    rows = sum(entry.compute for entry in stale)
    more = f", {stamps} to record" if stamps else ""
    return (f"{len(stale)} of {counted(len(planned), 'shard')} stale{more}, {blocked} blocked; {counted(rows, 'row')} "
            f"to compute{_time(stale)}; run: rainbow build")


def why(planned: list[Planned], asset: str) -> Lines:
    """Return the states of one asset and the reasons for them, by color."""
    lines = []
    for entry in planned:
        if entry.asset != asset:
            continue
        lines.append(f"{asset}/{entry.partition}: {entry.state}"
                     + (f", {counted(entry.compute, 'row')} to compute" if entry.compute else ""))
        lines += [f"  because {reason}" for reason in entry.reasons]
    return layout(lines)


def touched(entries: list[Touched], releases: list[str]) -> Lines:
    """Return the rows that a change would touch, one line per shard, and the releases that contain such rows."""
    if not entries:
        return layout(["no row that has been built would be touched"])
    lines = [f"{entry.asset}/{entry.partition}: {entry.rows} of {counted(entry.of, 'row')}, "
             f"{counted(len(entry.parts), 'part')}"
             + (f" (fields: {', '.join(entry.fields)})" if entry.fields else "")
             + (", and new rows" if entry.more else "") for entry in entries]
    lines.append("published in: " + (", ".join(releases) if releases else "no version yet"))
    return layout(lines)


def lineage_tree(document: dict[str, Any], indent: int = 0) -> Lines:
    """Return a row's lineage as an indented tree."""
    pad = "  " * indent
    state = document["status"] if not document["reason"] else f"{document['status']} ({document['reason']})"
    lines = [f"{pad}{document['asset']}/{document['color']} {document['key']}: {state}, code {document['code']}"]
    lines += [f"{pad}  read {name} = {value}" for name, value in sorted(document["inputs"].items())]
    for name, value in document.get("files", {}).items():
        lines.append(f"{pad}  file {name} sha256 {value}")
    for name, value in document.get("fields", {}).items():
        lines.append(f"{pad}  field {name} = {value!r}")
    lines += [lineage_tree(entry, indent + 1) for entry in document.get("from", [])]
    for entry in document.get("into", []):
        lines.append(f"{pad}  -> {entry['asset']} {entry['key']} ({entry['status']}), part {entry['part']}")
    if document.get("releases"):
        lines.append(f"{pad}  published in: {', '.join(document['releases'])}")
    return layout(lines)
