"""Evolution of one part over one parent: random draws, then generations by tournament, crossover and mutation.

The pool keeps every rated candidate under the bytes of its file: a good early one cannot be lost, and two genomes that
render to the same file count once. Scores are normalized by the stage's random draws, so that scores of
different generations and parents can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic

from rainbow_assets.composition.errors import ConstantFitness, TooFewCandidates
from rainbow_assets.composition.midi import to_midi
from rainbow_assets.composition.model import Context, MadePart, Parts
from rainbow_assets.composition.ranking import Scale
from rainbow_assets.composition.settings import CompositionRules
from rainbow_assets.composition.stage import G, Stage
from rainbow_assets.music.draws import SeededDraws

DRAWN, CROSSED, MUTATED = "draw", "crossover", "mutation"
ROUNDS = 30
"""Rounds of draws in which a stage must find enough candidates with different files."""
Fitness = Callable[[list[bytes]], list[float | None]]
"""Returns the chromatic fitness of MIDI files in their order; None for a file without one."""


@dataclass
class Rated(Generic[G]):
    """A rendered genome with its scores. ``score`` is normalized to 0..1; 0.5 is the mean of the random draws."""

    genome: G
    made: MadePart
    midi: bytes
    generation: int
    origin: str
    terms: dict[str, float]
    theory: float
    fitness: float | None
    score: float = 0.5


@dataclass(frozen=True, slots=True)
class Generation:
    """Scores after a generation: the best so far, the mean of the population, and both for as many random draws."""

    number: int
    rated: int
    best: float
    mean: float
    random_best: float | None = None
    random_mean: float | None = None


@dataclass
class Population(Generic[G]):
    """The evolution of one stage over one parent."""

    stage: Stage[G]
    context: Context
    fitness: Fitness | None
    rules: CompositionRules
    draws: SeededDraws
    pool: dict[bytes, Rated[G]] = field(default_factory=dict)
    history: list[Generation] = field(default_factory=list)

    def begin(self) -> list[Rated[G]]:
        """Draw and rate the first population; raise ``TooFewCandidates`` if too few of the draws differ."""
        return self.distinct(self.rules.candidates, self.draws.child("draws"), 0)

    def evolve(self, theory: Scale, fit: Scale | None, measured: bool) -> None:
        """Score the first population, then breed the generations.

        With ``measured``, each generation is compared with as many random draws, which shows what evolution adds.
        """
        for item in self.pool.values():
            item.score = self._score(item, theory, fit)
        population = list(self.pool.values())
        self._note(0, population, population, measured)
        # The random draws have their own pool and seed, so that measuring does not change the result.
        beside = Population(self.stage, self.context, self.fitness, self.rules, self.draws.child("beside"))
        for number in range(1, self.rules.generations + 1):
            population = self._next(population, number, theory, fit)
            drawn: list[Rated[G]] = []
            if measured:
                drawn = beside.distinct(len(population), beside.draws.child(number), number)
                for item in drawn:
                    item.score = self._score(item, theory, fit)
            self._note(number, population, drawn, measured)

    def best(self, count: int) -> list[Rated[G]]:
        """Return the ``count`` best of the pool; of equal scores the earlier one comes first."""
        ranked = sorted(self.pool.values(), key=lambda item: -item.score)
        return ranked[:count]

    def _score(self, item: Rated[G], theory: Scale, fit: Scale | None) -> float:
        if fit is None or item.fitness is None:
            return theory.place(item.theory)
        share = self.rules.theory_weight
        return share * theory.place(item.theory) + (1 - share) * fit.place(item.fitness)

    def _note(self, number: int, population: Sequence[Rated[G]], drawn: Sequence[Rated[G]], measured: bool) -> None:
        before = self.history[-1] if self.history else None
        own, other = [item.score for item in population], [item.score for item in drawn]
        best = max(*own, before.best if before else 0.0)
        found = [*other, *([before.random_best] if before and before.random_best is not None else [])]
        self.history.append(Generation(
            number, len(self.pool), best, math.fsum(own) / len(own), max(found) if measured and found else None,
            math.fsum(other) / len(other) if measured and other else None))

    def _next(self, population: list[Rated[G]], number: int, theory: Scale, fit: Scale | None) -> list[Rated[G]]:
        """Return the next generation: the elite, and children of the winners of tournaments."""
        draws = self.draws.child("generation", number)
        elite = sorted(population, key=lambda item: -item.score)[:self.rules.elitism]
        wanted = max(1, self.rules.candidates - len(elite))
        children: list[tuple[G, str]] = []
        for _ in range(wanted):
            one, other = (self._winner(population, draws) for _ in range(2))
            origin, genome = MUTATED, one.genome
            if draws.yes(self.rules.crossover):
                origin, genome = CROSSED, self.stage.cross(one.genome, other.genome, draws)
            if origin == MUTATED or draws.yes(self.rules.mutation):
                genome = self.stage.mutate(genome, draws)
            children.append((genome, origin))
        born = self._rated(children, number)
        for item in born:
            item.score = self._score(item, theory, fit)
        return [*elite, *born]

    def _winner(self, population: list[Rated[G]], draws: SeededDraws) -> Rated[G]:
        return max((draws.pick(population) for _ in range(self.rules.tournament)), key=lambda item: item.score)

    def distinct(self, count: int, draws: SeededDraws, generation: int) -> list[Rated[G]]:
        """Draw and rate ``count`` genomes that render to different files; raise ``TooFewCandidates``."""
        found: list[Rated[G]] = []
        for _ in range(ROUNDS):
            drawn = self.stage.draw(draws.child(len(found)), count)
            found += self._rated([(genome, DRAWN) for genome in drawn], generation, count - len(found))
            if len(found) >= count:
                return found
            draws = draws.child("again")
        raise TooFewCandidates(f"the stage {self.stage.name} found {len(found)} different candidates of {count}; ask "
                               "for fewer (composition.candidates), or add templates")

    def _rated(self, genomes: Sequence[tuple[G, str]], generation: int, most: int | None = None) -> list[Rated[G]]:
        """Render the genomes, rate at most ``most`` whose file is not in the pool yet, and add them to it."""
        fresh: dict[bytes, tuple[G, str, MadePart]] = {}
        for genome, origin in genomes:
            made = self.stage.render(genome)
            midi = to_midi(self.parts(made), self.context.song)
            if midi not in self.pool and midi not in fresh and (most is None or len(fresh) < most):
                fresh[midi] = (genome, origin, made)
        # Rated together: the harmony scorers and the fusion model are much faster on a batch.
        rated = self.stage.rate([item[0] for item in fresh.values()], [item[2] for item in fresh.values()]) if (
            fresh) else []
        fits = self.fitness(list(fresh)) if self.fitness and fresh else [None] * len(fresh)
        weights = self.stage.weights()
        found = []
        for (midi, (genome, origin, made)), terms, fit in zip(fresh.items(), rated, fits, strict=True):
            theory = math.fsum(weights[name] * terms[name] for name in weights)
            found.append(Rated(genome, made, midi, generation, origin, terms, theory, fit))
            self.pool[midi] = found[-1]
        return found

    def parts(self, made: MadePart) -> Parts:
        """Return the parts of the parent and this one."""
        return {**self.context.parts, self.stage.name: made.notes}


def compose(lines: Sequence[Population[G]], ranked_by_fitness: bool) -> tuple[Scale, Scale | None]:
    """Run the evolution of one stage over all of its parents, and return the scales of theory and fitness.

    All parents share the scales, so that their candidates can be compared. Raises ``ConstantFitness`` if fitness is to
    rank the candidates and is the same for all draws.
    """
    drawn = [item for line in lines for item in line.begin()]
    theory = Scale.of([item.theory for item in drawn])
    fit = None
    if ranked_by_fitness:
        values = [item.fitness for item in drawn if item.fitness is not None]
        fit = Scale.of(values) if values else None
        if fit is None or fit.constant:
            same = "no fitness" if fit is None else f"the same fitness ({fit.mean:.4f})"
            raise ConstantFitness(f"all {len(drawn)} candidates of the stage {lines[0].stage.name} have {same}, so it "
                                  "cannot rank them; check chromatic_scorer, or compose by theory alone: "
                                  "composition.theory_weight = 1.0")
    for number, line in enumerate(lines):
        line.evolve(theory, fit, measured=number == 0)
    return theory, fit
