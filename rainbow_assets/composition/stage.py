"""A stage: one small class that proposes, varies, renders, rates and explains the part that it adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from rainbow_assets.composition.model import MadePart
from rainbow_assets.music.draws import SeededDraws

G = TypeVar("G")
"""A genome: hashable, and all that a part is made from."""


class Stage(Protocol[G]):
    """What the evolution asks of a stage. It was made for one context: a song and the parts that are there."""

    name: str

    def draw(self, draws: SeededDraws, count: int) -> list[G]:
        """Return ``count`` genomes: templates and variations of them, from chance alone."""
        ...

    def mutate(self, genome: G, draws: SeededDraws) -> G:
        """Return ``genome`` with one thing changed."""
        ...

    def cross(self, one: G, other: G, draws: SeededDraws) -> G:
        """Return a genome that has something of both."""
        ...

    def render(self, genome: G) -> MadePart:
        """Return the notes of the part; every bar sounds, every note is in range."""
        ...

    def rate(self, genomes: Sequence[G], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return the theory terms of each, 0..1, by name."""
        ...

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score; they sum to 1."""
        ...

    def pattern(self, genome: G) -> str:
        """Return the short name of what it is a variation of."""
        ...

    def explain(self, genome: G, made: MadePart) -> str:
        """Say in a line what the part does."""
        ...
