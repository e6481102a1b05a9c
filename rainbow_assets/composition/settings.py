"""Settings of the composer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, doc

from rainbow_assets.errors import SettingsError
from rainbow_assets.rules import Seed, Share

STAGES = ("chords", "drums", "bass", "melody")


@dataclass(frozen=True)
class CompositionRules:
    """How songs are composed: how many candidates, how they are bred, what they are ranked by, which are kept."""

    stages: Annotated[str, doc(
        "Stages that compose, with commas, in this order; one that is left out is silent. Chords are always composed."
    )] = ",".join(STAGES)
    candidates: Annotated[int, Ge(2), Le(500), doc("Different candidates of a stage over each parent.")] = 50
    keep: Annotated[int, Ge(1), Le(50), doc("Candidates that are kept: of each parent, or of all of them.")] = 3
    prune: Annotated[Literal["parent", "global"], doc(
        "parent: of each parent ``keep`` are kept, and of all these at most ``beam``. global: ``keep`` of all.")
    ] = "parent"
    beam: Annotated[int, Ge(1), Le(100), doc("Candidates of a stage that are kept at most.")] = 6
    finals: Annotated[int, Ge(1), Le(50), doc("Finished pieces that a person is asked about.")] = 5
    generations: Annotated[int, Ge(0), Le(100), doc(
        "Generations that are bred after the first draws; 0 leaves it at these.")] = 2
    tournament: Annotated[int, Ge(1), Le(50), doc("Candidates that compete to be a parent.")] = 3
    elitism: Annotated[int, Ge(0), Le(50), doc("The best ones that enter the next generation as they are.")] = 2
    crossover: Annotated[Share, doc("Share of children that have two parents.")] = 0.5
    mutation: Annotated[Share, doc("Share of children that are changed.")] = 0.35
    theory_weight: Annotated[Share, doc(
        "Share of theory in the score; the rest is chromatic fitness, where the scorer is discriminative.")] = 0.4
    diversity: Annotated[Share, doc(
        "How much the kept ones must differ: 0 takes the best, 1 the most different.")] = 0.3
    bars: Annotated[int, Ge(4), Le(64), doc("Bars of a piece.")] = 8
    soundfont: Annotated[str, doc(
        "A soundfont (.sf2, .sf3) for fluidsynth; empty: the first that is installed.")] = ""
    seed: Annotated[Seed, doc("Seed of all draws.")] = 42

    def __post_init__(self) -> None:
        """Look at the stages and their order."""
        named = [name.strip() for name in self.stages.split(",")]
        if named[:1] != ["chords"] or [name for name in STAGES if name in named] != named:
            raise SettingsError(f"composition.stages is {self.stages!r}; write some of {', '.join(STAGES)} in this "
                                "order, chords first")
