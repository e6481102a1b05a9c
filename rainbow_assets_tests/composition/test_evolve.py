"""Evolution finds what is planted far sooner than chance; a fitness that does not move is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.composition.errors import ConstantFitness, TooFewCandidates
from rainbow_assets.composition.evolve import Population, compose
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import BASS, DRUMS, MELODY, MadePart
from rainbow_assets.composition.ranking import Scale, differing, likeness, spread_of
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.settings import CompositionRules
from rainbow_assets_tests.composition import songs


def planted(midis: list[bytes]) -> list[float | None]:
    """Fitness of a secret: the bass begins its notes at hidden places of two bars, and nowhere else."""
    secret = {step for step in range(32) if (step * 7 + 3) % 5 < 2}
    found: list[float | None] = []
    for midi in midis:
        begun = {note.start // 120 % 32 for note in from_midi(midi)[BASS]}
        found.append(1 - len(begun ^ secret) / 32)
    return found


def test_evolution_beats_as_many_random_draws_at_a_planted_fitness() -> None:
    rules = CompositionRules(candidates=40, generations=15, theory_weight=0.0, tournament=4, mutation=0.6, elitism=4)
    context = songs.context("4/4", BASS)
    wins = []
    for seed in range(3):
        line = Population(songs.stage(BASS, context), context, planted, rules, SeededDraws(seed))
        compose([line], True)
        best = line.best(1)[0].fitness or 0
        chance = Population(songs.stage(BASS, context), context, planted, rules, SeededDraws(seed, "chance"))
        drawn = max(item.fitness or 0 for item in chance.distinct(len(line.pool), SeededDraws(seed, "many"), 0))
        wins.append((best, drawn))
        assert [item.number for item in line.history] == list(range(16))
        assert all(after.best >= before.best for before, after in zip(line.history, line.history[1:], strict=False))
        last = line.history[-1]
        assert last.random_best is not None and last.best > last.random_best and last.mean > (last.random_mean or 0)
    assert all(best > drawn for best, drawn in wins), wins
    start = planted([item.midi for item in Population(songs.stage(BASS, context), context, None, rules, SeededDraws(0)).begin()])
    gains = [(best - max(start)) / max(1e-9, drawn - max(start)) if drawn > max(start) else 9 for best, drawn in wins]
    assert min(gains) > 1.5, (gains, wins)


def test_a_fitness_that_is_the_same_for_all_is_an_error() -> None:
    context = songs.context("4/4", MELODY)
    for value in (0.0, 0.5):
        line = Population(songs.stage(MELODY, context), context, lambda midis, value=value: [value] * len(midis),
                    songs.SMALL, SeededDraws(1))
        with pytest.raises(ConstantFitness, match=rf"of the stage melody have the same fitness \({value:.4f}\), so it cannot rank"):
            compose([line], True)
    line = Population(songs.stage(MELODY, context), context, lambda midis: [0.5] * len(midis), songs.SMALL, SeededDraws(1))
    theory, fit = compose([line], False)
    assert fit is None and not theory.constant, "what does not rank may stand still"


def test_too_little_variety_is_said() -> None:
    class Still:
        name = DRUMS

        def draw(self, chance, count):
            return ["one", "two"] * count

        def render(self, genome):
            notes = songs.context("4/4", MELODY).parts[DRUMS]
            return MadePart(notes[:4] if genome == "one" else notes[:5], ())

        def rate(self, genomes, made):
            return [{"x": 0.5} for _ in genomes]

        def weights(self):
            return {"x": 1.0}

    line = Population(Still(), songs.context("4/4", DRUMS), None, songs.SMALL, SeededDraws(1))
    with pytest.raises(TooFewCandidates, match="the stage drums found 2 different candidates of 4"):
        line.begin()


def test_the_same_seed_is_the_same_evolution() -> None:
    context = songs.context("7/8", BASS)
    found = []
    for seed in (1, 1, 2):
        line = Population(songs.stage(BASS, context), context, planted, CompositionRules(candidates=12), SeededDraws(seed))
        compose([line], True)
        found.append([item.midi for item in line.best(10)])
    assert found[0] == found[1] != found[2]


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
def test_scales_keep_order_within_nought_and_one(values: list[float]) -> None:
    scale = Scale.of(values)
    placed = [scale.place(value) for value in sorted(values)]
    assert all(0 <= value <= 1 for value in placed) and placed == sorted(placed)
    assert scale.place(scale.mean) == pytest.approx(0.5)


def test_kept_ones_differ_where_that_is_asked_for() -> None:
    def piece(*pitches: int) -> frozenset:
        return frozenset(("melody", number, pitch) for number, pitch in enumerate(pitches))

    items = {"best": (1.0, piece(1, 2, 3, 4)), "twin": (0.99, piece(1, 2, 3, 5)), "other": (0.8, piece(9, 8, 7, 6))}
    def chosen(diversity: float) -> list[str]:
        return differing(list(items), 2, lambda name: items[name][0], lambda name: items[name][1], diversity)

    assert chosen(0.0) == ["best", "twin"] and chosen(0.4) == ["best", "other"]
    assert likeness(items["best"][1], items["twin"][1]) == pytest.approx(3 / 5)
    assert spread_of([piece(1), piece(2)]) == 1 and spread_of([piece(1)]) == 0
