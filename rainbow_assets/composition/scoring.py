"""Chromatic fitness of candidates, and whether it may rank them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from rainbow_assets.composition.model import SongBrief
from rainbow_assets.fitness import targets
from rainbow_assets.fitness.contract import DISCRIMINATIVE
from rainbow_assets.lineage import gates
from rainbow_assets.storage.store import ShardStore

if TYPE_CHECKING:
    from rainbow_assets.fitness.scorer import ChromaticScorer

NAME = "chromatic_scorer"
NONE_MADE, NO_TARGET, BY_THEORY = "no scorer", "no target", "by theory"
MEANINGS = {
    DISCRIMINATIVE: "the scorer is discriminative; candidates are ranked by theory and chromatic fitness",
    "not discriminative": "the scorer is not discriminative; candidates are ranked by theory alone, fitness is shown",
    NONE_MADE: "there is no chromatic scorer; candidates are ranked by theory alone; to train one, run: rainbow "
               "fitness train",
    NO_TARGET: "the color has no target to fit (Black and White have none); candidates are ranked by theory alone",
    BY_THEORY: "composition.theory_weight is 1; candidates are ranked by theory alone, fitness is shown",
}
"""What each status means for the ranking, as people read it."""


class SongScorer:
    """The scorer for one song. Without a scorer, ``status`` gives the reason and every fitness is None."""

    def __init__(self, status: str, scorer: ChromaticScorer | None = None, song: SongBrief | None = None) -> None:
        self.status = status
        self._scorer, self._color = scorer, song.color if song else ""
        self._concept = scorer.embed("concept", song.concept) if scorer and song else None

    @property
    def ranks(self) -> bool:
        """True if candidates are ranked by fitness."""
        return self.status == DISCRIMINATIVE

    def fitness(self, midis: list[bytes]) -> list[float | None]:
        """Return the fitness of each file together with the song's concept."""
        if self._scorer is None or not midis:
            return [None] * len(midis)
        return [score.fitness for score in
                self._scorer.score_batch(midis, concept=self._concept, color=self._color)]

    @cached_property
    def words_alone(self) -> float | None:
        """Fitness of the concept without music; a file's relative fitness is what it adds to this."""
        return self._scorer.score(concept=self._concept, color=self._color).fitness if self._scorer else None


def scorer_of(store: ShardStore, song: SongBrief, theory_weight: float) -> SongScorer:
    """Return the scorer for ``song``; it has no fitness if the store has no scorer or the color has no target."""
    from rainbow_assets.fitness import chromatic_scorer

    if song.color not in targets.targeted():
        return SongScorer(NO_TARGET)
    shard = store.shard(NAME)
    index = shard.index()
    if index is None or not index.rows:
        return SongScorer(NONE_MADE)
    gates.require(store, chromatic_scorer.CHROMATIC_SCORER)
    scorer = chromatic_scorer.load(store)
    status = scorer.status if theory_weight < 1 or scorer.status != DISCRIMINATIVE else BY_THEORY
    return SongScorer(status, scorer, song)
