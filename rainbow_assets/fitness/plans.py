"""Which models are trained on what: the one that is shipped, one per fold, and one per fold on permuted labels."""

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
    """One model: rows to learn from, to stop by, and to be tested with (places in the data)."""

    model_id: str
    kind: str
    fold: int | None
    train: Places
    validation: Places
    test: Places

    def usable(self, data: TrainingData) -> bool:
        """True where there is something to learn."""
        return bool(len(self.train)) and bool(data.mask[self.train].any()) and (
            self.kind == FINAL or bool(len(self.test)))


def names(rules: FitnessRules) -> list[tuple[str, str, int | None]]:
    """Return (id, kind, fold) of every model that the rules ask for."""
    each = [(f"{kind}_{fold}", kind, fold) for kind in (FOLD, PERMUTED) for fold in range(rules.folds)]
    return [(FINAL, FINAL, None), *each]


def plans(data: TrainingData, rules: FitnessRules) -> list[FitPlan]:
    """Return the plan of every model.

    The shipped one learns from the songs of split train and stops by those of validation. A fold is tested on its
    songs, stops by the next fold's and learns from the rest.
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
    """Return the same rows with the colors of songs dealt out to other songs."""
    songs = sorted(set(data.songs))
    color = dict(zip(data.songs, data.colors, strict=True))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(songs))
    dealt = {song: color[songs[int(other)]] for song, other in zip(songs, order, strict=True)}
    return data.with_colors([dealt[song] for song in data.songs])


def has_torch() -> bool:
    """True where models can be trained on this machine."""
    return importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None


def spec_of(row: Mapping[str, Any]) -> ModelSpec:
    """Return the shape of the model in a row of `fusion_model`."""
    from rainbow_assets.fitness.model import ModelSpec

    return ModelSpec(row["profile"], row["audio_dims"], row["concept_dims"], row["lyric_dims"])


VARIANTS = {
    "all": "everything that is known of a held-out segment",
    "audio": "its sound alone", "midi": "its music alone",
    "cropped": "two thirds of its music alone, from anywhere: the slice's place and length tell nothing",
    "concept": "its song's concept alone", "lyric": "its lyric alone",
    "without_concept": "everything but the concept",
    "composer": "music and concept, as the composer scores",
    "other_midi": "concept, and the music of another color",
    "permuted": "models that were trained on shuffled colors", "majority": "the most frequent modes, whatever is heard",
}
