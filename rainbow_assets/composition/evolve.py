"""Evolution of one part over one parent: draws, then generations by tournament, crossover and mutation.

Everything that was ever rated stays in the pool, told apart by its rendered bytes. Scores are normalized by the
stage's own random draws, so that those of different generations and parents can be compared.
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
"""How often as many draws again are made for those that turned out equal."""
Fitness = Callable[[list[bytes]], list[float | None]]
"""Chromatic fitness of finished MIDI files, in their order; None for one that has none."""


@dataclass
class Rated(Generic[G]):
    """A rendered genome with its scores. ``score`` 0..1 is normalized: 0.5 is what a random draw has."""

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
    """Scores after a generation: best so far and mean of the population; the same for as many random draws."""

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
        """Draw and rate the first population; raise ``TooFewCandidates`` where there is too little variety."""
        return self.distinct(self.rules.candidates, self.draws.child("draws"), 0)

    def evolve(self, theory: Scale, fit: Scale | None, measured: bool) -> None:
        """Rate the first population on the scales, then breed the generations; ``measured`` draws at random beside."""
        for item in self.pool.values():
            item.score = self._score(item, theory, fit)
        population = list(self.pool.values())
        self._note(0, population, population, measured)
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
        """Return the ``count`` best of all that were rated; ties go to the earlier."""
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
        """Breed a generation: the elite stays, the others are children of winners of tournaments."""
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
        """Draw and rate ``count`` genomes that are rendered to different files; raise ``TooFewCandidates``."""
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
        """Render, tell apart by bytes, and rate what is new."""
        fresh: dict[bytes, tuple[G, str, MadePart]] = {}
        for genome, origin in genomes:
            made = self.stage.render(genome)
            midi = to_midi(self.parts(made), self.context.song)
            if midi not in self.pool and midi not in fresh and (most is None or len(fresh) < most):
                fresh[midi] = (genome, origin, made)
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
        """Return all parts that sound with this one."""
        return {**self.context.parts, self.stage.name: made.notes}


def compose(lines: Sequence[Population[G]], ranked_by_fitness: bool) -> tuple[Scale, Scale | None]:
    """Run the evolution of one stage over all of its parents, on common scales; return these.

    Raises ``ConstantFitness`` where a fitness that is ranked by is the same for every draw.
    """
    drawn = [item for line in lines for item in line.begin()]
    theory = Scale.of([item.theory for item in drawn])
    fit = None
    if ranked_by_fitness:
        values = [item.fitness for item in drawn if item.fitness is not None]
        fit = Scale.of(values) if values else None
        if fit is None or fit.constant:
            said = "has no value" if fit is None else f"is {fit.mean:.4f}"
            raise ConstantFitness(f"the fitness of all {len(drawn)} candidates of the stage {lines[0].stage.name} "
                                  f"{said}: the scorer does not hear them; look at chromatic_scorer, or compose by "
                                  "theory alone: composition.theory_weight = 1.0")
    for number, line in enumerate(lines):
        line.evolve(theory, fit, measured=number == 0)
    return theory, fit
