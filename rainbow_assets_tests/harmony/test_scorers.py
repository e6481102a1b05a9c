"""Scorers: their formulas against slow ones, their range, weights, scorers of the caller, transposition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from rainbow_assets.harmony import scorers
from rainbow_assets.harmony.library import builtin_library, generate_progression_brute_force
from rainbow_assets.harmony.pool import Pool, Progressions, transpose
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, FITNESS, FITNESS_WEIGHTS, Weighted, totals, weighted
from rainbow_assets.harmony.search import search
from rainbow_assets.harmony.voices import moves
from rainbow_assets.music.errors import HarmonyUsageError
from rainbow_assets.music.keys import all_keys, key_of, parse_key
from rainbow_assets.taxonomy import UnknownColor
from rainbow_assets_tests.counts import examples

voicings = st.lists(st.integers(30, 90), min_size=1, max_size=6, unique=True).map(lambda notes: tuple(sorted(notes)))
POOL = builtin_library().pool(parse_key("A minor"))
ROWS = np.array(list(itertools.product(range(0, len(POOL), 9), repeat=4)), np.int32)


def slow_cost(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    """Try every way to send each note of the larger chord to one of the smaller so that none is left out."""
    large, small = (first, second) if len(first) >= len(second) else (second, first)
    ways = itertools.product(range(len(small)), repeat=len(large))
    return min(sum(abs(a - small[b]) for a, b in zip(large, way, strict=True)) for way in ways
               if len(set(way)) == len(small))


@given(voicings.filter(lambda v: len(v) < 6), voicings.filter(lambda v: len(v) < 6))
@settings(max_examples=examples(150), deadline=None)
def test_voices_are_assigned_as_well_as_can_be(first, second):
    cost = moves([first, second]).cost
    assert cost[0, 1] == cost[1, 0] == slow_cost(first, second)
    assert cost[0, 0] == cost[1, 1] == 0


@given(st.integers(2, 6).flatmap(lambda n: st.tuples(*[st.lists(st.integers(30, 90), min_size=n, max_size=n, unique=True)] * 2)))
@settings(max_examples=examples(100), deadline=None)
def test_for_as_many_voices_it_is_the_assignment_problem(both):
    first, second = (tuple(sorted(notes)) for notes in both)
    distance = np.abs(np.subtract.outer(first, second))
    assert moves([first, second]).cost[0, 1] == distance[linear_sum_assignment(distance)].sum()


@pytest.mark.parametrize(("first", "second", "count"), [
    ((48, 55, 64), (50, 57, 65), 1), ((48, 55, 64), (48, 55, 65), 0), ((48, 55, 64), (47, 55, 62), 0),
    ((48, 55, 60, 67), (50, 57, 62, 69), 3), ((48, 67), (50, 69), 1),
])
def test_parallel_fifths_are_counted(first, second, count):
    """Both voices must move, the same way, from a fifth (or twelfth) to a fifth."""
    assert moves([first, second]).fifths[0, 1] == count


def test_each_scorer_is_its_formula():
    tops = [chord.voicing[-1] for chord in POOL.chords]
    cost, graph = POOL.moves.cost, POOL.transition
    found = {name: item.score(Progressions(POOL, ROWS)) for name, item in (
        ("melody", scorers.melody), ("voice", scorers.voice_leading), ("graph", scorers.graph_probability),
        ("variety", scorers.Variety()))}
    for number in range(0, len(ROWS), 997):
        row = [int(place) for place in ROWS[number]]
        steps = list(itertools.pairwise(row))
        jumps = [abs(tops[a] - tops[b]) for a, b in steps]
        slow = {
            "melody": sum(1.0 if jump <= 2 else 0.5 if jump <= 5 else 0.0 for jump in jumps) / 3,
            "voice": sum(min(1.0, max(0.0, 1 - (float(cost[a, b]) - 3) / 12)) for a, b in steps) / 3,
            "graph": sum(float(graph[a, b]) for a, b in steps) / 3, "variety": len(set(row)) / 4,
        }
        assert {name: pytest.approx(scores[number]) for name, scores in found.items()} == slow


def test_every_scorer_stays_in_its_range():
    for name in scorers.known():
        score = weighted({name: 1.0})[0].scorer.score(Progressions(POOL, ROWS))
        assert score.shape == (len(ROWS),) and score.min() >= 0 and score.max() <= 1, name
        assert score.std() > 0, f"{name} tells nothing apart"


def test_an_absent_edge_counts_as_nothing():
    """The original left absent edges out of the mean: one likely step and one impossible one scored as likely."""
    blind = Pool(POOL.key, POOL.chords, None)
    assert scorers.graph_probability.score(Progressions(blind, ROWS[:5])).tolist() == [0.0] * 5
    place = {chord.function: n for n, chord in enumerate(POOL.chords)}
    known = Progressions(POOL, np.array([[place["V"], place["i"], place["iv"]]], np.int32))
    steps = [POOL.transition[place["V"], place["i"]], POOL.transition[place["i"], place["iv"]]]
    assert scorers.graph_probability.score(known)[0] == pytest.approx(sum(steps) / 2)


def test_likelihood_orders_as_the_graph_does():
    """The logarithms of the first function's and of every step's probability, added up."""
    rows = ROWS[:: max(1, len(ROWS) // 4000)]
    chances = [POOL.starting[rows[:, 0]], *(POOL.transition[rows[:, n], rows[:, n + 1]] for n in range(3))]
    slow = sum(np.log(np.maximum(chance, 1e-4)) for chance in chances)
    found = scorers.likelihood.score(Progressions(POOL, rows))
    assert found == pytest.approx(1 + slow / 4 / np.log(1e4)) and found.std() > 0


def test_minor_walks_have_probabilities():
    """In the original every minor candidate had graph_probability 0 and began with a major tonic."""
    found = generate_progression_brute_force("A", "Minor", length=4, num_candidates=200)
    assert all(item.progression[0].function == "i" and item.breakdown["graph_probability"] > 0 for item in found)


@pytest.mark.parametrize(("weights", "said"), [
    ({"melodie": 1.0}, "no scorer is called 'melodie'"), ({FITNESS: 1.0}, "no scorer is called"),
    ({"melody": -0.1}, "number of 0 or more"), ({"melody": 0.0, "variety": 0}, "sum to 0"), ({}, "sum to 0"),
    ({"melody": float("nan")}, "number of 0 or more"), ({"melody": True}, "number of 0 or more"),
])
def test_weights_that_make_no_sense_are_reported(weights, said):
    with pytest.raises(HarmonyUsageError, match=said):
        weighted(weights)


def test_the_default_weights_are_those_of_the_original():
    assert DEFAULT_WEIGHTS == {"melody": 0.25, "voice_leading": 0.30, "variety": 0.15, "graph_probability": 0.30}
    assert sum(DEFAULT_WEIGHTS.values()) == pytest.approx(1) and sum(FITNESS_WEIGHTS.values()) == pytest.approx(1)
    assert [item.share for item in weighted({"melody": 2, "variety": 6})] == [0.25, 0.75]


class Fitness:
    """A stand-in for the fifth scorer: how dark a progression is. Sees whole progressions."""

    name = FITNESS
    additive = False

    def score(self, progressions: Progressions) -> np.ndarray:
        lowest = np.array([chord.voicing[0] for chord in progressions.pool.chords])
        return 1 - (lowest[progressions.rows].mean(axis=1) - 24) / 48


class AdditiveFitness(Fitness):
    """The same, declared additive: the mean over transitions of the mean of both chords."""

    additive = True

    def score(self, progressions: Progressions) -> np.ndarray:
        lowest = np.array([chord.voicing[0] for chord in progressions.pool.chords])[progressions.rows]
        return 1 - ((lowest[:, 1:] + lowest[:, :-1]).mean(axis=1) / 2 - 24) / 48


def test_a_fifth_scorer_plugs_in_by_name():
    scorers.register(FITNESS, Fitness)
    try:
        found = search(POOL, 4, weights=FITNESS_WEIGHTS, top=3).found
    finally:
        scorers.forget(FITNESS)
    assert set(found[0].breakdown) == set(FITNESS_WEIGHTS)
    assert found[0].score == pytest.approx(sum(FITNESS_WEIGHTS[name] * part for name, part in found[0].breakdown.items()))


SEED_CALL = {"length": 4, "num_candidates": 1000, "weights": FITNESS_WEIGHTS}


def test_without_a_scorer_its_share_is_given_to_the_others_visibly(tmp_path, monkeypatch):
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path))
    with pytest.warns(UserWarning, match="no color was given. Its weight of 0.3 went to the others: melody 0.143"):
        found = generate_progression_brute_force("C", "Major", **SEED_CALL)
    rest = {name: weight for name, weight in FITNESS_WEIGHTS.items() if name != FITNESS}
    plain = generate_progression_brute_force("C", "Major", **{**SEED_CALL, "weights": rest})
    assert len(found) == 10 and [item.progression for item in found] == [item.progression for item in plain]
    assert found[0].score == pytest.approx(plain[0].score)
    with pytest.warns(UserWarning, match="there is no chromatic scorer yet; run: rainbow fitness train"):
        assert generate_progression_brute_force("C", "Major", color="Green", **SEED_CALL) == found
    with pytest.raises(HarmonyUsageError, match="no other scorer has a weight"):
        search(POOL, 4, weights={FITNESS: 1.0})
    with pytest.raises(UnknownColor):
        generate_progression_brute_force("C", "Major", color="Mauve", **SEED_CALL)


def test_a_given_scorer_is_used_without_a_warning(recwarn):
    found = generate_progression_brute_force("C", "Major", scorers={FITNESS: Fitness()}, **SEED_CALL)
    assert set(found[0].breakdown) == set(FITNESS_WEIGHTS) and not recwarn.list


def test_a_callers_scorer_is_checked():
    class Broken(Fitness):
        def score(self, progressions):
            return np.full(len(progressions), 2.0)

    class Short(Fitness):
        def score(self, progressions):
            return np.zeros(1)

    for broken, said in ((Broken(), "outside 0..1"), (Short(), "one number for each")):
        with pytest.raises(HarmonyUsageError, match=said):
            search(POOL, 4, weights=FITNESS_WEIGHTS, scorers={FITNESS: broken})


def test_scores_do_not_depend_on_the_key():
    library = builtin_library()
    for mode in ("major", "minor"):
        home = library.pool(key_of(0, mode))
        rows = np.random.default_rng(3).integers(0, len(home), (500, 5)).astype(np.int32)
        items = [Weighted(weighted({name: 1})[0].scorer, 0.2) for name in scorers.known()]
        wanted, parts = totals(items, Progressions(home, rows))
        for key in all_keys():
            if key.mode == mode:
                there, others = totals(items, Progressions(library.pool(key), rows))
                assert np.array_equal(there, wanted), key
                assert all(np.array_equal(others[name], parts[name]) for name in parts)


def test_a_chord_is_transposed_by_the_shortest_way_and_spelled_in_its_key():
    chord = next(chord for chord in POOL.chords if chord.name == "Am/C")
    there = transpose(chord, parse_key("Eb minor"))
    assert (there.name, there.roman, there.inversion) == ("Ebm/Gb", chord.roman, chord.inversion)
    assert {a - b for a, b in zip(there.voicing, chord.voicing, strict=True)} == {6}
    assert transpose(transpose(chord, parse_key("B minor")), POOL.key) == chord
