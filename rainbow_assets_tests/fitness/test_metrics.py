"""Metrics: perfect is 1, guessing is chance, and rows without an answer are not counted."""

from __future__ import annotations

import numpy as np
import pytest

from rainbow_assets.fitness import metrics, targets

COLORS = [color for color in targets.targeted() for _ in range(6)]
SONGS = [f"{color}{n}" for n, color in enumerate(COLORS)]


def perfect(colors: list[str]) -> np.ndarray:
    return np.stack([np.where(targets.vectors(color)[1][:, None], targets.vectors(color)[0], 1 / 3) for color in colors])


def test_who_knows_everything_gets_1_and_chance_is_ruled_out() -> None:
    found = metrics.measures(metrics.Predictions(perfect(COLORS), SONGS, COLORS))
    assert found["modes"].value == 1 and found["modes"].p_value < 0.001
    assert found["temporal"].low == found["temporal"].high == 1
    assert found["temporal"].songs == 36, "Indigo has no temporal mode and is not counted"


def test_a_guess_is_not_better_than_chance() -> None:
    chance = np.random.default_rng(3)
    values = [metrics.measures(metrics.Predictions(chance.dirichlet(np.ones(3), (len(SONGS), 3)), SONGS, COLORS))["modes"]
              for _ in range(6)]
    assert sum(item.p_value < 0.05 for item in values) <= 2
    assert np.mean([item.value for item in values]) == pytest.approx(1 / 3, abs=0.08)


def test_a_tie_on_rows_without_a_target_counts_for_nothing() -> None:
    black = metrics.Predictions(np.full((4, 3, 3), 1 / 3), list("abcd"), ["Black"] * 4)
    assert metrics.measures(black) == {}
    mixed = metrics.Predictions(np.concatenate([perfect(COLORS), np.full((40, 3, 3), 1 / 3)]),
                                [*SONGS, *(f"black{n}" for n in range(40))], [*COLORS, *["Black"] * 40])
    assert metrics.measures(mixed)["modes"].value == 1


def test_a_song_counts_once_however_many_rows_it_has() -> None:
    right, wrong = perfect(["Red"]), perfect(["Blue"])
    rows = metrics.Predictions(np.concatenate([right] * 9 + [wrong]), ["a"] * 9 + ["b"], ["Red"] * 9 + ["Red"])
    assert metrics.measures(rows)["temporal"].value == 0.5


def test_calibration_of_who_is_always_sure_and_half_right() -> None:
    sure = np.repeat(np.array([[[0.9, 0.05, 0.05]] * 3]), 20, axis=0)
    rows = metrics.Predictions(sure, [str(n) for n in range(20)], ["Red"] * 10 + ["Blue"] * 10)
    bins, error = metrics.calibration(rows)
    assert sum(item.rows for item in bins) == 60 and error == pytest.approx(0.9 - (10 + 10) / 60, abs=0.01)
