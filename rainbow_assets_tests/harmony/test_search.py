"""Search: `best` against brute force over the whole space, constraints, seeds, and what the original's contract says."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rainbow_assets.harmony import best as module
from rainbow_assets.harmony.best import best
from rainbow_assets.harmony.library import builtin_library, generate_progression_brute_force
from rainbow_assets.harmony.limits import SearchLimits, limits
from rainbow_assets.harmony.pool import Pool, make_pool
from rainbow_assets.harmony.scorers import DEFAULT_WEIGHTS, FITNESS_WEIGHTS, weighted
from rainbow_assets.harmony.search import STRATEGIES, Found, search
from rainbow_assets.music.errors import HarmonyUsageError, NoProgression
from rainbow_assets.music.keys import Key, parse_key
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.harmony.test_scorers import AdditiveFitness, Fitness

POOL = builtin_library().pool(parse_key("A minor"))
WHOLE = 10**6


def small(seed: int, chords: int) -> Pool:
    """Some chords of A minor, always with its tonic triad."""
    tonic = next(chord for chord in POOL.chords if chord.name == "Am")
    chosen = random.Random(seed).sample([chord for chord in POOL.chords if chord != tonic], chords - 1)
    return Pool(POOL.key, (tonic, *chosen), POOL.graph)


weights = st.fixed_dictionaries({name: st.sampled_from([0.0, 0.1, 0.25, 0.3, 1.0]) for name in DEFAULT_WEIGHTS},
                                optional={"no_parallel_fifths": st.just(0.3), "likelihood": st.just(0.5), "chromatic_fitness": st.just(0.3)})
constraints = st.builds(
    SearchLimits, start=st.sampled_from([None, "i"]), no_repeats=st.booleans(),
    max_leap=st.sampled_from([None, 4, 12]), low=st.sampled_from([None, 34]),
    pinned=st.sampled_from([{}, {1: "i"}]))


def same(found: tuple[Found, ...], wanted: tuple[Found, ...]) -> None:
    assert [round(item.score, 9) for item in found] == [round(item.score, 9) for item in wanted]
    assert [item.progression for item in found] == [item.progression for item in wanted]


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(2, 4), st.integers(1, 30), weights, constraints,
       st.sampled_from([Fitness, AdditiveFitness]))
@settings(max_examples=examples(200), deadline=None)
def test_best_is_brute_force_over_the_whole_space(seed, chords, length, top, chosen, wanted, fitness):
    pool, given_scorers = small(seed, chords), {"chromatic_fitness": fitness()}
    if sum(chosen.values()) == 0:
        chosen = {"melody": 1.0}
    arguments = {"top": top, "weights": chosen, "scorers": given_scorers, "constraints": wanted}
    try:
        slow = search(pool, length, strategy="brute_force", candidates=WHOLE, **arguments)
    except NoProgression:
        with pytest.raises(NoProgression):
            search(pool, length, strategy="best", **arguments)
        return
    quick = search(pool, length, strategy="best", **arguments)
    assert slow.exact and quick.exact and quick.gap == 0
    same(quick.found, slow.found)


@pytest.mark.parametrize("chosen", [DEFAULT_WEIGHTS, {"variety": 1.0, "melody": 0.1}, FITNESS_WEIGHTS])
def test_thirty_chords_of_four_are_exact(chosen):
    """810,000 progressions: `best` names the same ten, in the same order."""
    pool, own = small(5, 30), {"chromatic_fitness": Fitness()}
    slow = search(pool, 4, strategy="brute_force", candidates=WHOLE, weights=chosen, scorers=own)
    quick = search(pool, 4, strategy="best", weights=chosen, scorers=own)
    assert slow.candidates == 30**4 and quick.exact and slow.exact
    same(quick.found, slow.found)


@given(st.integers(0, 10**6), st.integers(5, 7), st.integers(1, 40))
@example(18732, 7, 14)  # nothing is found at all
@settings(max_examples=examples(40), deadline=None)
def test_what_is_not_proven_is_bounded(seed, length, effort):
    """With hardly any effort the answer may be worse, or none, but never the bound."""
    pool = small(seed, 6)
    truth = search(pool, length, strategy="brute_force", candidates=WHOLE, weights={"variety": 3, "melody": 1, "graph_probability": 1}, top=5)
    items = weighted({"variety": 3, "melody": 1, "graph_probability": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WHOLE_SPACE", 0)
        patch.setattr(module, "SCOUT", 1)
        ranking = best(pool, limits(pool, length, SearchLimits()), items, 5, effort)
    first = ranking.scores[0] if len(ranking.scores) else -np.inf
    assert max(ranking.dropped, first) >= truth.found[0].score - 1e-9
    assert first <= truth.found[0].score + 1e-9
    if ranking.exact(5):
        assert np.round(ranking.scores, 9).tolist() == [round(item.score, 9) for item in truth.found]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("wanted", [
    SearchLimits(start="i", end="V"), SearchLimits(no_repeats=True), SearchLimits(low=36, high=76), SearchLimits(max_leap=3),
    SearchLimits(pinned={1: "iv", 2: "V7"}), SearchLimits(start="Am", no_repeats=True, max_leap=7, low=33, high=80),
])
def test_constraints_hold_in_every_strategy(strategy, wanted):
    found = search(POOL, 5, strategy=strategy, constraints=wanted, candidates=400).found
    assert len(found) == 10 and len({item.progression for item in found}) == 10
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
    for item in found:
        chords = item.progression
        assert wanted.start in (None, chords[0].function, chords[0].name)
        assert wanted.end in (None, chords[-1].function)
        assert not wanted.no_repeats or len(set(chords)) == 5
        assert all((wanted.low or 0) <= chord.voicing[0] and chord.voicing[-1] <= (wanted.high or 127) for chord in chords)
        leaps = [abs(a.voicing[-1] - b.voicing[-1]) for a, b in itertools.pairwise(chords)]
        assert wanted.max_leap is None or max(leaps) <= wanted.max_leap
        for place, text in wanted.pinned.items():
            assert text in (chords[place].function, chords[place].roman)


@pytest.mark.parametrize(("length", "wanted", "error", "said"), [
    (1, SearchLimits(), HarmonyUsageError, "length 1"), (17, SearchLimits(), HarmonyUsageError, "length 17"),
    (4, SearchLimits(start="bIX"), HarmonyUsageError, "is called 'bIX'"),
    (4, SearchLimits(pinned={9: "i"}), HarmonyUsageError, "place 10"),
    (4, SearchLimits(start="i", pinned={0: "V"}), HarmonyUsageError, "contradict"),
    (4, SearchLimits(low=70, high=60), HarmonyUsageError, "voicing range"),
    (4, SearchLimits(max_leap=-1), HarmonyUsageError, "negative"),
    (4, SearchLimits(low=60, high=61), NoProgression, "widen the range"),
    (4, SearchLimits(pinned={0: "F#dim", 1: "bII"}, max_leap=0), NoProgression, "larger leap"),
])
def test_constraints_that_leave_nothing_are_reported(length, wanted, error, said):
    with pytest.raises(error, match=said):
        search(POOL, length, constraints=wanted)


def test_more_different_chords_than_there_are():
    with pytest.raises(NoProgression, match="different chords"):
        search(small(1, 5), 6, constraints=SearchLimits(no_repeats=True))


@pytest.mark.parametrize("bad", [{"top": 0}, {"candidates": 0}, {"seed": -1}, {"effort": 0}, {"strategy": "luck"}])
def test_wrong_numbers_are_reported(bad):
    with pytest.raises(HarmonyUsageError):
        search(POOL, 4, **bad)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_gives_the_same_answer(strategy):
    first, again = (search(POOL, 6, strategy=strategy, seed=7, candidates=500) for _ in range(2))
    assert first == again
    if strategy != "best":
        assert search(POOL, 6, strategy=strategy, seed=8, candidates=500).found != first.found


EXPECTED = ["Am7", "Am", "F/A", "Cmaj7#5"]


def test_a_seed_is_the_same_everywhere():
    """Fixed for ever: raw PCG64 bits, no distribution of numpy's, no frame library."""
    found = search(POOL, 4, strategy="graph", seed=42, candidates=100, top=1).found[0]
    assert ([chord.name for chord in found.progression], round(found.score, 6)) == (EXPECTED, 0.720894)


def test_best_is_at_least_as_good_as_luck():
    for length in (4, 8):
        scores = {strategy: search(POOL, length, strategy=strategy, candidates=5000, seed=1).found[0].score
                  for strategy in STRATEGIES}
        assert max(scores, key=lambda name: scores[name]) == "best" and scores["graph"] != scores["random"]


def test_the_original_call_works_and_unpacks():
    found = generate_progression_brute_force("C", "Major", length=4, num_candidates=500, top_k=5, weights={"melody": 1})
    score, progression, breakdown = found[0]
    assert len(found) == 5 and score == breakdown["melody"] == 1.0 and len(progression) == 4
    assert progression[0].key == Key("C", "major") and progression[0].function == "I"
    assert generate_progression_brute_force("C major", num_candidates=50, use_graph=False, seed=3)


def test_a_key_that_a_pack_lacks_is_transposed_and_spelled_as_asked():
    chords = [chord for chord in builtin_library().chords if chord.key == Key("A", "minor")]
    pool = make_pool(chords, parse_key("A# minor"))
    tonic = next(chord for chord in pool.chords if chord.roman == "i")
    assert tonic.name == "A#m" and tonic.key.label == "A# minor"
    shuffled = random.Random(2).sample(chords, len(chords))
    assert make_pool(shuffled, parse_key("A# minor")).chords == pool.chords, "the order of files changes nothing"
    assert [chord.roman for chord in pool.chords] == [chord.roman for chord in POOL.chords]
    with pytest.raises(NoProgression, match="major key"):
        make_pool(chords, parse_key("C major"))
    with pytest.raises(NoProgression, match="'polka'"):
        make_pool(chords, parse_key("A minor"), categories=["polka"])
    triads = make_pool(chords, parse_key("A minor"), categories=["triad"])
    assert len(triads) == 7 and {chord.category for chord in triads.chords} == {"triad"}


def test_parallel_fifths_are_avoided_where_they_cost():
    pool = builtin_library().pool(parse_key("A minor"), ["triad"])
    plain = search(pool, 6, weights={"graph_probability": 1}).found
    careful = search(pool, 6, weights={"graph_probability": 1, "no_parallel_fifths": 1}).found
    place = {chord: n for n, chord in enumerate(pool.chords)}
    count = [sum(int(pool.moves.fifths[place[a], place[b]]) for item in found
                 for a, b in itertools.pairwise(item.progression)) for found in (plain, careful)]
    assert count[1] < count[0], "root position triads have many"
