"""What the chromatic scorer says of candidates, and whether they may be ranked by it."""

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
SAID = {
    DISCRIMINATIVE: "the scorer is discriminative; candidates are ranked by theory and chromatic fitness",
    "not discriminative": "the scorer is not discriminative; its fitness is shown, and ranks nothing",
    NONE_MADE: "there is no chromatic scorer (rainbow fitness train makes one); candidates are ranked by theory alone",
    NO_TARGET: "the color has no target to fit (Black and White have none); candidates are ranked by theory alone",
    BY_THEORY: "composition.theory_weight is 1; fitness is shown, and ranks nothing",
}
"""What a status means for the ranking."""


class SongScorer:
    """The scorer for one song, or why there is none."""

    def __init__(self, status: str, scorer: ChromaticScorer | None = None, song: SongBrief | None = None) -> None:
        self.status = status
        self._scorer, self._color = scorer, song.color if song else ""
        self._concept = scorer.embed("concept", song.concept) if scorer and song else None

    @property
    def ranks(self) -> bool:
        """True where candidates are ranked by fitness."""
        return self.status == DISCRIMINATIVE

    def fitness(self, midis: list[bytes]) -> list[float | None]:
        """Return the fitness of each file beside the song's concept: the exact bytes are scored."""
        if self._scorer is None or not midis:
            return [None] * len(midis)
        return [score.fitness for score in
                self._scorer.score_batch(midis, concept=self._concept, color=self._color)]

    @cached_property
    def words_alone(self) -> float | None:
        """Fitness of the concept without music: what a file adds to it is its relative fitness."""
        return self._scorer.score(concept=self._concept, color=self._color).fitness if self._scorer else None


def scorer_of(store: ShardStore, song: SongBrief, theory_weight: float) -> SongScorer:
    """Open the store's scorer for ``song``; without one, or for a color without a target, say so."""
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
