"""Plans of the models to train: the one that is shipped, one per fold, and one per fold on permuted labels."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rainbow_assets.corpus.splits import TRAIN, VALIDATION
from rainbow_assets.fitness.data import TrainingData
from rainbow_assets.fitness.settings import FitnessRules

if TYPE_CHECKING:
    from rainbow_assets.fitness.model import ModelSpec

FINAL, FOLD, PERMUTED = "final", "fold", "permuted"
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FitPlan:
    """One model: the rows to train on, to stop training by, and to test with (places in the data)."""

    model_id: str
    kind: str
    fold: int | None
    train: Places
    validation: Places
    test: Places

    def usable(self, data: TrainingData) -> bool:
        """Return True if there is a target to learn and, except for the shipped model, something to test with."""
        return bool(len(self.train)) and bool(data.mask[self.train].any()) and (
            self.kind == FINAL or bool(len(self.test)))


def names(rules: FitnessRules) -> list[tuple[str, str, int | None]]:
    """Return (id, kind, fold) of every model that the rules ask for."""
    each = [(f"{kind}_{fold}", kind, fold) for kind in (FOLD, PERMUTED) for fold in range(rules.folds)]
    return [(FINAL, FINAL, None), *each]


def plans(data: TrainingData, rules: FitnessRules) -> list[FitPlan]:
    """Return the plan of every model.

    The shipped one is trained on the songs of the split train, and those of validation decide when to stop. A fold's
    model is tested on the songs of its fold; those of the next fold decide when to stop, and it is trained on the rest.
    """
    split = np.array(data.splits)
    found = []
    for model_id, kind, fold in names(rules):
        if fold is None:
            parts = (split == TRAIN, split == VALIDATION, np.zeros(len(data), bool))
        else:
            following = (fold + 1) % rules.folds
            parts = ((data.folds != fold) & (data.folds != following), data.folds == following, data.folds == fold)
        found.append(FitPlan(model_id, kind, fold, *(np.flatnonzero(part) for part in parts)))
    return found


def permuted(data: TrainingData, seed: int) -> TrainingData:
    """Return the same rows with the colors permuted among the songs; all rows of a song keep one color."""
    songs = sorted(set(data.songs))
    color = dict(zip(data.songs, data.colors, strict=True))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(songs))
    shuffled = {song: color[songs[int(other)]] for song, other in zip(songs, order, strict=True)}
    return data.with_colors([shuffled[song] for song in data.songs])


def has_torch() -> bool:
    """Return True if models can be trained on this machine."""
    return importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None


def spec_of(row: Mapping[str, Any]) -> ModelSpec:
    """Return the shape of the model in a row of `fusion_model`."""
    from rainbow_assets.fitness.model import ModelSpec

    return ModelSpec(row["profile"], row["audio_dims"], row["concept_dims"], row["lyric_dims"])


VARIANTS = {
    "all": "all inputs of a test segment",
    "audio": "its sound alone", "midi": "its music alone",
    "cropped": "two thirds of its music alone, from a random place, so that the length of the slice gives no hint",
    "concept": "the concept of its song alone", "lyric": "its lyric alone",
    "without_concept": "everything but the concept",
    "composer": "music and concept, as in the composer's scoring",
    "other_midi": "concept, and the music of another color",
    "permuted": "all inputs, with models trained on shuffled colors",
    "majority": "the most frequent modes, without any input",
}
