"""Chromatic fitness as a scorer of chord progressions; harmony finds it by its entry point in pyproject.toml."""

from __future__ import annotations

import numpy as np

from rainbow_assets import settings, taxonomy
from rainbow_assets.fitness import chromatic_scorer, targets
from rainbow_assets.fitness.contract import DISCRIMINATIVE, ScorerError
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.harmony.pool import Progressions
from rainbow_assets.harmony.scorers import FITNESS, Scores
from rainbow_assets.lineage import gates
from rainbow_assets.music.midi_write import midi_bytes
from rainbow_assets.storage.store import ShardStore

BATCH = 64


class ProgressionFitness:
    """Scores how well progressions fit a color, 0 to 1, each as the MIDI file that would be written for it."""

    name = FITNESS
    additive = False

    def __init__(self, scorer: ChromaticScorer, color: str) -> None:
        self._scorer, self._color = scorer, color

    def score(self, progressions: Progressions) -> Scores:
        """Return float64[n] in 0..1."""
        chords, found = progressions.pool.chords, []
        for start in range(0, len(progressions), BATCH):
            files = [midi_bytes([chords[place].voicing for place in row])
                     for row in progressions.rows[start:start + BATCH]]
            found += [score.fitness for score in self._scorer.score_batch(files, color=self._color)]
        return np.array(found, np.float64)


def for_color(color: str) -> ProgressionFitness:
    """Return the scorer of this project's store for ``color``; raise ``RainbowError`` if none can be trusted."""
    name, store = taxonomy.resolve(color).name, ShardStore(settings.roots().data)
    if name not in targets.targeted():
        raise ScorerError(f"the color {name} has no target; choose another color")
    scorer = chromatic_scorer.load(store)
    if scorer.status != DISCRIMINATIVE:
        raise ScorerError(f"the trained scorer is {scorer.status}; for the reasons run: rainbow fitness evaluate")
    gates.require(store, chromatic_scorer.CHROMATIC_SCORER)
    return ProgressionFitness(scorer, name)
