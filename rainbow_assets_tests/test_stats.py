"""Pairs that a score orders as people do: by hand, by simulation, and the 1,769 real candidates."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rainbow_assets.stats import pair_auc

REAL = Path(__file__).resolve().parents[2] / "shared/expected/production_review_candidates.csv"
GOLDEN = {"chords": (0.487, 393, 86, 185), "drums": (0.506, 270, 135, 303), "bass": (0.539, 421, 173, 388),
          "melody": (0.509, 392, 131, 405)}


def test_by_hand() -> None:
    found = pair_auc([("a", 0.9, True), ("a", 0.1, False), ("a", 0.9, False), ("b", 0.2, True), ("b", 0.4, False),
                       ("c", 0.5, True)])
    assert found.auc == pytest.approx((1 + 0.5 + 0) / 3) and (found.pairs, found.groups) == (3, 2)
    assert (found.approved, found.decided) == (3, 6)
    assert found.low is not None and found.high is not None and found.low <= found.auc <= found.high
    nothing = pair_auc([("a", 0.5, True)])
    assert nothing.auc is None and nothing.pairs == 0 and pair_auc([]).decided == 0
    assert pair_auc([("a", 1.0, True), ("a", 0.0, False)]).low is None, "one song has no interval"


def test_a_score_that_knows_has_an_interval_above_chance() -> None:
    known = [(song, (song * 7 + piece * 3) % 5 / 50 + (piece < 2), piece < 2) for song in range(20) for piece in range(5)]
    blind = [(song, (song * 7 + piece * 3) % 5 / 5, piece < 2) for song in range(20) for piece in range(5)]
    sure, unsure = pair_auc(known), pair_auc(blind)
    assert sure.auc == 1 and sure.low == 1
    assert unsure.low is not None and unsure.high is not None and unsure.low <= 0.5 <= unsure.high


@pytest.mark.skipif(not REAL.exists(), reason="the real candidates are not here")
@pytest.mark.parametrize("phase", GOLDEN)
def test_the_real_verdicts_give_the_figures_that_were_found(phase: str) -> None:
    with REAL.open(newline="") as stream:
        every = list(csv.DictReader(stream))
    assert len(every) == 1769
    auc, pairs, approved, decided = GOLDEN[phase]
    rows = [row for row in every if row["phase"] == phase and row["status"] in ("approved", "rejected")]
    assert (sum(row["status"] == "approved" for row in rows), len(rows)) == (approved, decided)
    scored = [row for row in rows if row["composite"]]
    found = pair_auc([((row["thread"], row["song"], row["section"]), float(row["composite"]), row["status"] == "approved")
                       for row in scored], units=[(row["thread"], row["song"]) for row in scored])
    assert found.auc == pytest.approx(auc, abs=0.0006) and found.pairs == pairs
    assert found.low is not None and found.high is not None and found.low < 0.5 < found.high, "it does not discriminate"
