"""The interface of a stage: a class that draws, varies, renders, rates and explains one part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from rainbow_assets.composition.model import MadePart
from rainbow_assets.music.draws import SeededDraws

G = TypeVar("G")
"""A genome: a hashable value that determines the part."""


class Stage(Protocol[G]):
    """What the evolution needs of a stage, which is made for one context: a song and the parts composed before."""

    name: str

    def draw(self, draws: SeededDraws, count: int) -> list[G]:
        """Return ``count`` random genomes: templates and variations of them."""
        ...

    def mutate(self, genome: G, draws: SeededDraws) -> G:
        """Return ``genome`` with one thing changed."""
        ...

    def cross(self, one: G, other: G, draws: SeededDraws) -> G:
        """Return a genome that combines both."""
        ...

    def render(self, genome: G) -> MadePart:
        """Return the part, with a note in every bar and all notes in range."""
        ...

    def rate(self, genomes: Sequence[G], made: Sequence[MadePart]) -> list[dict[str, float]]:
        """Return {term: 0..1} for each genome and its part ``made``."""
        ...

    def weights(self) -> dict[str, float]:
        """Return the share of each term in the theory score; they sum to 1."""
        ...

    def pattern(self, genome: G) -> str:
        """Return the name of the template that the genome is based on."""
        ...

    def explain(self, genome: G, made: MadePart) -> str:
        """Return a line that describes the part."""
        ...
