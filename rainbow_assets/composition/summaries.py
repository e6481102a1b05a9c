"""Tables about compositions for people: the candidates of a stage, the finals, and how scores agree with verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rainbow_assets.composition import review, scoring
from rainbow_assets.composition.model import STAGES
from rainbow_assets.markdown import Markdown, table
from rainbow_assets.stats import PairAuc, pair_auc


def stages(facts: Sequence[Mapping[str, Any]]) -> Markdown:
    """Return a table of one stage: for each song its scores, those of random draws, variety and scorer."""
    head = ("song", "rated", "best", "mean", "random best", "random mean", "distance kept", "distance all", "scorer")
    rows = []
    for entry in facts:
        last, variety = entry["generations"][-1], entry["diversity"]
        scores = [_number(last[name]) for name in ("best", "mean", "random_best", "random_mean")]
        rows.append([entry["song"], entry["evaluated"], *scores, f"{variety['kept']:.2f}",
                     f"{variety['candidates']:.2f}", entry["scorer"]])
    return table(head, rows)


def finals(rows: Sequence[Mapping[str, Any]]) -> Markdown:
    """Return the finals as a table, best first, with an explanation of each part."""
    found = []
    for row in rows:
        parts = {entry["stage"]: entry["explanation"] for entry in row["lineage"]}
        added = "" if row["relative"] is None else f"{row['relative']:+.3f}"
        found.append([row["final_id"].rpartition(".")[2], f"{row['total']:.3f}", f"{row['theory']:.3f}",
                      _number(row["fitness"]), added, *(parts.get(name, "-") for name in STAGES)])
    return table(("piece", "total", "theory", "fitness", "adds", *STAGES), found)


def status(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the pieces were ranked by, and why, as text."""
    found = sorted({row["scorer_status"] for row in rows})
    return "; ".join(str(scoring.MEANINGS.get(item, item)) for item in found)


def agreements(rows: list[dict[str, Any]]) -> Markdown:
    """Return the agreement of each score with the verdicts, as a table."""
    head = ("score", "agreement (0.5 is chance)", "95 %", "pairs", "songs", "approved of decided")
    return table(head, [_agreement_row(name, agreement(rows, name)) for name in ("total", "theory", "fitness")])


def agreement(rows: Sequence[Mapping[str, Any]], score: str) -> PairAuc:
    """Return how well ``score`` (total, theory, fitness) orders approved before rejected pieces within a song."""
    return pair_auc((row["song_id"], row[score], row["status"] == review.APPROVED) for row in rows
                    if row[score] is not None and row["status"] != review.PENDING)


def _agreement_row(name: str, found: PairAuc) -> list[object]:
    between = "" if found.low is None else f"{found.low:.3f} to {found.high:.3f}"
    return [name, _number(found.auc), between, found.pairs, found.groups, f"{found.approved} of {found.decided}"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
