"""Measures of predictions: song-level balanced accuracy with intervals, permutation tests, and calibration.

A song's prediction is the mean of its rows' predictions, because the rows of a song are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rainbow_assets import stats
from rainbow_assets.fitness import targets
from rainbow_assets.stats import Array, Ints, Labels

BINS = 10
MODES = "modes"
"""The measure over all kinds: the mean of their balanced accuracies."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of test rows: probabilities [n, 3, 3], with the song and true color of each row."""

    probabilities: Array
    songs: list[str]
    colors: list[str]

    def __len__(self) -> int:
        return len(self.songs)

    def by_song(self) -> Predictions:
        """Return one mean prediction per song, in order of song."""
        names, place = np.unique(np.array(self.songs), return_inverse=True)
        total = np.zeros((len(names), 3, 3))
        np.add.at(total, place, self.probabilities)
        count = np.bincount(place, minlength=len(names))[:, None, None]
        color = dict(zip(self.songs, self.colors, strict=True))
        return Predictions(total / np.maximum(count, 1), names.tolist(), [color[name] for name in names.tolist()])

    def take(self, places: Ints) -> Predictions:
        """Return the rows at ``places``."""
        at = places.tolist()
        return Predictions(self.probabilities[places], [self.songs[n] for n in at], [self.colors[n] for n in at])


@dataclass(frozen=True, slots=True)
class Measure:
    """A value with its 95 % interval, the values of chance and of the majority class, and a permutation p-value."""

    value: float
    low: float
    high: float
    chance: float
    majority: float
    p_value: float
    songs: int


def single_mode(colors: Sequence[str], kind: int) -> Ints:
    """Return the class of each color's only mode of that kind; -1 if it has none or, like Indigo, several."""
    known = {}
    for color in set(colors):
        own = np.flatnonzero(targets.modes(color)[kind])
        known[color] = int(own[0]) if len(own) == 1 else -1
    return np.array([known[color] for color in colors], np.int64)


def _labels(predictions: Predictions, kind: str) -> Labels:
    """Return the true and predicted classes of songs; for the kind ``color`` these are colors, by best fitness."""
    if kind == "color":
        place = {name: n for n, name in enumerate(targets.distinct())}
        truth = np.array([place.get(color, -1) for color in predictions.colors], np.int64)
        return truth, np.array([place[name] for name in targets.best_color(predictions.probabilities)], np.int64)
    number = targets.KINDS.index(kind)
    return single_mode(predictions.colors, number), predictions.probabilities[:, number].argmax(axis=1)


def measures(predictions: Predictions, seed: int = 0) -> dict[str, Measure]:
    """Return the song-level balanced accuracy per kind of mode, of all three together, and of the color.

    A song is not counted for a kind of which its color has no mode or several: there is no single right answer, and
    the first class of a tie would be arbitrary. The result is empty if no song has a target.
    """
    songs = predictions.by_song()
    found: dict[str, Measure] = {}
    pairs = {kind: _labels(songs, kind) for kind in (*targets.KINDS, "color")}
    for name, kinds in (*((kind, (kind,)) for kind in pairs), (MODES, targets.KINDS)):
        asked = [pairs[kind] for kind in kinds]
        if all((truth >= 0).sum() for truth, _ in asked):
            found[name] = _measure(asked, seed)
    return found


def _measure(kinds: Sequence[Labels], seed: int) -> Measure:
    value = float(np.mean([stats.balanced_accuracy(truth, found) for truth, found in kinds]))
    known = [truth[truth >= 0] for truth, _ in kinds]
    rng = np.random.Generator(np.random.PCG64(seed))
    low, high = stats.accuracy_interval(kinds, rng)
    return Measure(
        value, low, high, chance=float(np.mean([1 / len(np.unique(truth)) for truth in known])),
        majority=float(np.mean([np.bincount(truth).max() / len(truth) for truth in known])),
        p_value=stats.accuracy_p_value(kinds, value, rng), songs=max(len(truth) for truth in known),
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose largest probability is in one tenth of 0..1: its mean, and the share of right predictions."""

    sure: float
    right: float
    rows: int


def calibration(predictions: Predictions) -> tuple[list[Bin], float]:
    """Return the reliability of the kinds' largest probabilities, row by row, and the expected calibration error."""
    sure, right = [], []
    for number in range(len(targets.KINDS)):
        truth = single_mode(predictions.colors, number)
        kept = truth >= 0
        probability = predictions.probabilities[kept, number]
        sure.append(probability.max(axis=1))
        right.append(probability.argmax(axis=1) == truth[kept])
    certain, correct = np.concatenate(sure), np.concatenate(right)
    if not len(certain):
        return [], float("nan")
    place = np.minimum((certain * BINS).astype(int), BINS - 1)
    bins = [Bin(float(certain[place == n].mean()), float(correct[place == n].mean()), int((place == n).sum()))
            for n in range(BINS) if (place == n).any()]
    error = sum(abs(item.sure - item.right) * item.rows for item in bins) / len(certain)
    return bins, float(error)
