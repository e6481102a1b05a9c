"""Seeded draws never change: pieces and progressions were published with the values below."""

from __future__ import annotations

from rainbow_assets.music.draws import SeededDraws, generator

MADE = [0.2743585926487919, 4, 3, True, "c", "c", 2301705914, 0.7813614500152577]
STREAM = [0.8702492039700847, 0.28681720908755537, 0.6031481500515619]
GENERATED = [0.5326398015329801, 0.3693156629780455]


def test_choices_follow_from_names_and_never_change() -> None:
    draws = SeededDraws("x", 3)
    made = [draws.uniform(), draws.below(7), draws.between(3, 9), draws.yes(0.5), draws.pick("abcdef"),
            draws.weighted("abc", [1, 2, 3]), draws.seed, draws.child("k", 2).uniform()]
    assert made == MADE
    assert SeededDraws("x", 3).take(600).tolist() == [SeededDraws("x", 3).uniform(), *_rest(599)]


def _rest(count: int) -> list[float]:
    draws = SeededDraws("x", 3)
    draws.uniform()
    return [draws.uniform() for _ in range(count)]


def test_a_number_gives_the_stream_of_numpy() -> None:
    assert SeededDraws.from_seed(9).take(3).tolist() == STREAM
    assert generator("a", 1, "b").random(2).tolist() == GENERATED
