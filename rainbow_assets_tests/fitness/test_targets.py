"""Fitness: one scale for all colors, from the taxonomy alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets import taxonomy
from rainbow_assets.fitness import targets

TARGETED = targets.targeted()


def certain(color: str) -> np.ndarray:
    own = targets.modes(color).astype(float)
    return np.where(own.any(axis=1, keepdims=True), own / np.maximum(own.sum(axis=1, keepdims=True), 1), 1 / 3)[None]


@pytest.mark.parametrize("color", TARGETED)
def test_the_best_attainable_is_1_and_knowing_nothing_a_half(color: str) -> None:
    assert targets.fitness(certain(color), color) == pytest.approx([1.0])
    assert targets.fitness(np.full((1, 3, 3), 1 / 3), color) == pytest.approx([targets.CHANCE])
    own = targets.modes(color)
    wrong = np.where(own.any(axis=1, keepdims=True), ~own / np.maximum((~own).sum(axis=1, keepdims=True), 1), 1 / 3)
    assert targets.fitness(wrong[None], color) == pytest.approx([0.0])


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=3, max_size=3), st.sampled_from(TARGETED))
def test_fitness_stays_within_0_and_1(rows: list[list[float]], color: str) -> None:
    given_ = np.array(rows)
    found = targets.fitness((given_ / given_.sum(axis=1, keepdims=True))[None], color)
    assert 0 <= found[0] <= 1


def test_black_and_white_have_no_fitness() -> None:
    for color in ("Black", "White"):
        assert not targets.vectors(color)[1].any()
        with pytest.raises(targets.NoTarget, match=color):
            targets.fitness(np.full((1, 3, 3), 1 / 3), color)


def test_indigo_is_two_ontological_modes_and_nothing_else() -> None:
    vectors, mask = targets.vectors("Indigo")
    assert mask.tolist() == [False, False, True] and vectors[2].sum() == pytest.approx(1)
    assert targets.modes("Indigo").tolist()[2] == [False, True, True]


def test_certainty_of_a_color_finds_that_color() -> None:
    full = list(targets.distinct())
    assert targets.best_color(np.concatenate([certain(color) for color in full])) == full
    assert set(TARGETED) - set(full) == {"Indigo"}
    assert set(TARGETED) == {color.name for color in taxonomy.COLORS if color.has_target}
