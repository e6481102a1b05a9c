"""Tables about compositions for people: the candidates of a stage, the finals, and how scores agree with verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rainbow_assets.composition import review, scoring
from rainbow_assets.stats import PairAuc, pair_auc


def stages(facts: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of one stage: for each song its scores, those of random draws, variety and scorer."""
    lines = ["| song | rated | best | mean | random best | random mean | distance kept | distance all | scorer |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---|"]
    for entry in facts:
        last = entry["generations"][-1]
        numbers = [_number(last[name]) for name in ("best", "mean", "random_best", "random_mean")]
        variety = entry["diversity"]
        lines.append(f"| {entry['song']} | {entry['evaluated']} | {' | '.join(numbers)} | {variety['kept']:.2f} | "
                     f"{variety['candidates']:.2f} | {entry['scorer']} |")
    return "\n".join(lines)


def finals(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the finals as lines of a Markdown table, best first, with an explanation of each part."""
    lines = ["| piece | total | theory | fitness | adds | chords | drums | bass | melody |",
             "|---|---:|---:|---:|---:|---|---|---|---|"]
    for row in rows:
        parts = {entry["stage"]: entry["explanation"] for entry in row["lineage"]}
        explained = [_cell(parts.get(name, "-")) for name in ("chords", "drums", "bass", "melody")]
        added = "" if row["relative"] is None else f"{row['relative']:+.3f}"
        lines.append(f"| {row['final_id'].rpartition('.')[2]} | {row['total']:.3f} | {row['theory']:.3f} | "
                     f"{_number(row['fitness'])} | {added} | {' | '.join(explained)} |")
    return lines


def status(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the pieces were ranked by, and why, as text."""
    found = sorted({row["scorer_status"] for row in rows})
    return "; ".join(str(scoring.MEANINGS.get(item, item)) for item in found)


def agreements(rows: list[dict[str, Any]]) -> list[str]:
    """Return the agreement of each score with the verdicts, as lines of a Markdown table."""
    lines = ["| score | agreement (0.5 is chance) | 95 % | pairs | songs | approved of decided |",
             "|---|---:|---|---:|---:|---|"]
    for name in ("total", "theory", "fitness"):
        lines.append(_agreement_line(name, agreement(rows, name)))
    return lines


def agreement(rows: Sequence[Mapping[str, Any]], score: str) -> PairAuc:
    """Return how well ``score`` (total, theory, fitness) orders approved before rejected pieces within a song."""
    return pair_auc((row["song_id"], row[score], row["status"] == review.APPROVED) for row in rows
                    if row[score] is not None and row["status"] != review.PENDING)


def _agreement_line(name: str, found: PairAuc) -> str:
    between = "" if found.low is None else f"{found.low:.3f} to {found.high:.3f}"
    return (f"| {name} | {_number(found.auc)} | {between} | {found.pairs} | {found.groups} | {found.approved} of "
            f"{found.decided} |")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
