"""Targets of the colors for the model, and the fitness of predictions for a color, on one scale 0..1.

Both are derived from the taxonomy. A kind of mode that a color lacks is masked, not uniform: a uniform target would
train the model to find all classes equally likely.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rainbow_assets import taxonomy
from rainbow_assets.errors import RainbowError

KINDS = ("temporal", "spatial", "ontological")
CLASSES: dict[str, tuple[str, ...]] = {
    "temporal": taxonomy.TEMPORAL, "spatial": taxonomy.SPATIAL, "ontological": taxonomy.ONTOLOGICAL,
}
CHANCE = 0.5
"""Fitness of the uniform prediction (1/3 for each class), for every color."""
Array = npt.NDArray[np.float64]


class NoTarget(RainbowError):
    """The color has no mode, so it has no target."""


def vectors(color: str) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return (targets [3, 3], mask [3]): rows temporal, spatial, ontological; a masked row is all zeros."""
    found = taxonomy.target(taxonomy.by_name(color))
    rows = [getattr(found, kind) for kind in KINDS]
    return (np.array([row or (0.0, 0.0, 0.0) for row in rows]), np.array([row is not None for row in rows]))


def modes(color: str) -> npt.NDArray[np.bool_]:
    """Return which classes are the color's own, bool[3, 3]; Indigo has two ontological ones."""
    found = taxonomy.by_name(color)
    own = {"temporal": (found.temporal,), "spatial": (found.spatial,), "ontological": found.ontological}
    return np.array([[name in own[kind] for name in CLASSES[kind]] for kind in KINDS])


def targeted() -> tuple[str, ...]:
    """Return the colors that have a target, in the table's order."""
    return tuple(color.name for color in taxonomy.COLORS if color.has_target)


def fitness(predicted: Array, color: str) -> Array:
    """Return how well predictions [n, 3, 3] (probabilities) fit ``color``: [n] in 0..1.

    The probability of the color's own modes, averaged over the kinds that it has, and scaled so that for every color
    the uniform prediction has 0.5 and a certain prediction of its modes has 1. Raises ``NoTarget`` for Black and White.
    """
    own = modes(color)
    has = own.any(axis=1)
    if not has.any():
        raise NoTarget(f"{color} has no mode in the Rainbow Table, so there is no fitness for it")
    mass = (predicted * own).sum(axis=2)[:, has]
    chance = own.sum(axis=1)[has] / 3
    below, above = mass / chance * CHANCE, CHANCE + (mass - chance) / (1 - chance) * (1 - CHANCE)
    return np.where(mass < chance, below, above).mean(axis=1).clip(0, 1)


def distinct() -> tuple[str, ...]:
    """Return the colors that have a mode of every kind; only these can be distinguished by predictions.

    Indigo has two ontological modes and no others, so it fits whenever one of the two is certain.
    """
    return tuple(name for name in targeted() if modes(name).any(axis=1).all())


def best_color(predicted: Array) -> list[str]:
    """Return which of the :func:`distinct` colors each prediction [n, 3, 3] fits best."""
    names = distinct()
    scores = np.stack([fitness(predicted, name) for name in names], axis=1)
    return [names[place] for place in scores.argmax(axis=1)]
