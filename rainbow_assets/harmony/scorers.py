"""Scorers of progressions, each from 0 to 1, for thousands of progressions at once, and their weights.

The score of an additive scorer is the mean of its scores of the transitions; this lets the search find the best
progressions exactly. Other scorers need whole progressions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rainbow_assets.harmony.pool import Matrix, Pool, Progressions, Rows
from rainbow_assets.music.errors import HarmonyUsageError

Scores = NDArray[np.float64]
DEFAULT_WEIGHTS = {"melody": 0.25, "voice_leading": 0.30, "variety": 0.15, "graph_probability": 0.30}
FITNESS = "chromatic_fitness"
FITNESS_WEIGHTS = {"melody": 0.1, "voice_leading": 0.3, "variety": 0.1, "graph_probability": 0.2, FITNESS: 0.3}
STEP_SEMITONES, SKIP_SEMITONES = 2, 5
FREE_SEMITONES, MOST_SEMITONES = 3, 15
UNLIKELY = 1e-4
"""Smallest probability that counts; smaller ones count as this one, because 0 has no logarithm."""


@runtime_checkable
class Scorer(Protocol):
    """An object that scores progressions. ``score`` returns float64[n] in 0..1 for n progressions.

    ``additive`` promises that the score of a progression is the mean of the scores of its pairs of neighbors.
    """

    @property
    def name(self) -> str:
        """Name in weights and breakdowns."""
        ...

    @property
    def additive(self) -> bool:
        """True if the score is the mean over transitions."""
        ...

    def score(self, progressions: Progressions) -> Scores:
        """Return float64[n] in 0..1."""
        ...


@dataclass(frozen=True)
class PairScorer:
    """An additive scorer, given as a matrix over pairs of chords.

    With ``first`` (float64[n] over chords) the first chord counts too, as much as one transition.
    """

    name: str
    matrix: Callable[[Pool], Matrix]
    first: Callable[[Pool], Scores] | None = None
    additive: bool = True

    def score(self, progressions: Progressions) -> Scores:
        """Return the mean over the transitions (and the first chord); 0 for a single chord."""
        rows = progressions.rows
        if rows.shape[1] < 2:
            return np.zeros(len(rows))
        matrix = pair_matrix(progressions.pool, self)
        if self.first is None:
            return mean_of_pairs(matrix, rows)
        steps = rows.shape[1] - 1
        return (self.first(progressions.pool)[rows[:, 0]] + mean_of_pairs(matrix, rows) * steps) / (steps + 1)


def pair_matrix(pool: Pool, scorer: Scorer) -> Matrix:
    """Return the scores of an additive ``scorer`` for all pairs of chords of ``pool``, float64[n, n]; computed once."""
    if isinstance(scorer, PairScorer):
        return pool.once(scorer, lambda: np.ascontiguousarray(scorer.matrix(pool), np.float64))
    return pool.once(scorer, lambda: checked(scorer, pool.pairs).reshape(len(pool), len(pool)))


def mean_of_pairs(matrix: Matrix, rows: Rows) -> Scores:
    """Return the mean of ``matrix`` float64[c, c] over the transitions of ``rows`` int32[n, length >= 2]."""
    total = np.zeros(len(rows))
    flat, count = matrix.ravel(), len(matrix)
    for place in range(rows.shape[1] - 1):
        total += flat[rows[:, place] * count + rows[:, place + 1]]
    return total / (rows.shape[1] - 1)


def _melody(pool: Pool) -> Matrix:
    jump = np.abs(pool.tops[:, None] - pool.tops[None, :])
    return np.where(jump <= STEP_SEMITONES, 1.0, np.where(jump <= SKIP_SEMITONES, 0.5, 0.0))


def _voice_leading(pool: Pool) -> Matrix:
    return np.clip(1 - (pool.moves.cost - FREE_SEMITONES) / (MOST_SEMITONES - FREE_SEMITONES), 0.0, 1.0)


def _no_parallel_fifths(pool: Pool) -> Matrix:
    return 1.0 / (1 + pool.moves.fifths)


melody = PairScorer("melody", _melody)
"""1 if the top note moves by at most a whole tone, 0.5 up to a fourth, else 0; mean over transitions. 0..1."""
voice_leading = PairScorer("voice_leading", _voice_leading)
"""1 if the voices together move at most 3 semitones, falling to 0 at 15; optimal assignment of voices. 0..1."""
graph_probability = PairScorer("graph_probability", lambda pool: pool.transition)
"""Mean probability of the transitions between functions; 0 for a transition that is not in the graph. 0..1."""
no_parallel_fifths = PairScorer("no_parallel_fifths", _no_parallel_fifths)
"""1 if no two voices move in parallel fifths, 1/2 with one such pair, 1/3 with two ... 0..1; off by default."""


def _how_likely(probability: Matrix) -> Matrix:
    """Map probabilities to 0..1 by their logarithm: 1 is 1, ``UNLIKELY`` and less is 0."""
    return np.clip(1 - np.log(np.maximum(probability, UNLIKELY)) / np.log(UNLIKELY), 0.0, 1.0)


likelihood = PairScorer("likelihood", lambda pool: _how_likely(pool.transition),
                        lambda pool: _how_likely(pool.starting))
"""Likelihood of all functions: the mean logarithm of the probabilities of the first function and of each transition,
mapped to 0..1. It ranks progressions by their likelihood in the graph, whereas a single likely transition is enough for
a high graph_probability. Off by default."""


@dataclass(frozen=True)
class Variety:
    """Different chords / length, from 1/length to 1. Not additive, because it depends on the whole progression."""

    name: str = "variety"
    additive: bool = False

    def score(self, progressions: Progressions) -> Scores:
        """Return the share of different chords."""
        ordered = np.sort(progressions.rows, axis=1)
        return (1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)) / ordered.shape[1]


_REGISTRY: dict[str, Callable[[], Scorer]] = {
    "melody": lambda: melody, "voice_leading": lambda: voice_leading, "variety": Variety,
    "graph_probability": lambda: graph_probability, "no_parallel_fifths": lambda: no_parallel_fifths,
    "likelihood": lambda: likelihood,
}


def register(name: str, make: Callable[[], Scorer]) -> None:
    """Register the scorer ``name`` for use in weights; ``make`` is called once per search."""
    _REGISTRY[name] = make


def forget(name: str) -> None:
    """Remove the registration of ``name``."""
    _REGISTRY.pop(name, None)


def known() -> list[str]:
    """Return the names of all scorers, sorted."""
    return sorted(_REGISTRY)


@dataclass(frozen=True)
class Weighted:
    """A scorer and its share of the total; shares sum to 1."""

    scorer: Scorer
    share: float


def weighted(weights: Mapping[str, float] | None = None, extra: Mapping[str, Scorer] | None = None) -> list[Weighted]:
    """Return the scorers of ``weights`` (default: ``DEFAULT_WEIGHTS``) with shares that sum to 1.

    ``extra`` are scorers of the caller, by name. Raises ``HarmonyUsageError`` for an unknown name, a weight that is not
    a number of 0 or more, and weights whose sum is not positive.
    """
    chosen = dict(DEFAULT_WEIGHTS if weights is None else weights)
    own = dict(extra or {})
    for name, weight in chosen.items():
        if name not in own and name not in _REGISTRY:
            names = ", ".join(sorted({*own, *_REGISTRY}))
            raise HarmonyUsageError(f"no scorer is called {name!r}; known: {names}")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
            raise HarmonyUsageError(f"the weight of {name} is {weight!r}; write a number of 0 or more")
    total = math.fsum(chosen.values())
    if total <= 0:
        raise HarmonyUsageError("the weights sum to 0; give at least one scorer a positive weight")
    return [Weighted(own[name] if name in own else _REGISTRY[name](), chosen[name] / total) for name in chosen]


def share_out(
    weights: Mapping[str, float], extra: Mapping[str, Scorer] | None = None, why: str = ""
) -> tuple[dict[str, float], str]:
    """Return the weights that can be used, and a note if the weight of ``chromatic_fitness`` went to the others.

    ``chromatic_fitness`` needs a color and a trained model that passed its gates. If one is missing (``why`` is the
    reason), the other scorers share its weight in proportion, so that the sum of the weights stays the same. Raises
    ``HarmonyUsageError`` if there is no other weight.
    """
    chosen = dict(weights)
    if FITNESS not in chosen or FITNESS in (extra or {}) or FITNESS in _REGISTRY:
        return chosen, ""
    lost = chosen.pop(FITNESS)
    rest = math.fsum(chosen.values())
    why = why or "no color was given"
    if not rest > 0:
        raise HarmonyUsageError(f"{FITNESS} cannot be scored ({why}), and no other scorer has a weight; add one, "
                                "for example voice_leading=.3")
    used = {name: round(weight * (rest + lost) / rest, 12) for name, weight in chosen.items()}
    shares = ", ".join(f"{name} {weight:.3g}" for name, weight in used.items())
    return used, f"{FITNESS} is not scored: {why}. Its weight of {lost:g} went to the others: {shares}"


def fitness_scorer(color: str) -> Scorer:
    """Return the scorer of ``chromatic_fitness`` for ``color`` from an installed package.

    Harmony imports no trained model: another package offers one by the entry point
    ``rainbow_assets.progression_scorers``. Raises ``RainbowError`` with the reason if there is none, or if it failed
    its gates.
    """
    for point in entry_points(group="rainbow_assets.progression_scorers", name=FITNESS):
        return point.load()(color)
    raise HarmonyUsageError("no installed package offers a trained scorer")


class ScorerBroken(HarmonyUsageError):
    """A scorer of the caller returned something other than one number in 0..1 for each progression."""


def checked(scorer: Scorer, progressions: Progressions) -> Scores:
    """Return the scores float64[n] of one scorer; raise ``ScorerBroken`` if they are not n numbers in 0..1."""
    found = np.asarray(scorer.score(progressions), np.float64)
    if found.shape != (len(progressions),):
        raise ScorerBroken(f"the scorer {scorer.name} returned the shape {found.shape} for {len(progressions)} "
                           f"progressions; it must return one number for each")
    if len(found) and not (found.min() >= -1e-9 and found.max() <= 1 + 1e-9):
        raise ScorerBroken(f"the scorer {scorer.name} returned values outside 0..1; it must return only such values")
    return np.clip(found, 0.0, 1.0)


def totals(items: list[Weighted], progressions: Progressions) -> tuple[Scores, dict[str, Scores]]:
    """Return the weighted sum float64[n] and the score of each scorer by name."""
    parts = {item.scorer.name: checked(item.scorer, progressions) for item in items}
    whole = np.zeros(len(progressions))
    for item in items:
        whole += item.share * parts[item.scorer.name]
    return whole, parts
