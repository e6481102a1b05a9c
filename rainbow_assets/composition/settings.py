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
    """How songs are composed: how many candidates are made, how they are bred and ranked, and which are kept."""

    stages: Annotated[str, doc(
        "Stages to compose, separated by commas, in this order; the others stay silent. Chords are required."
    )] = ",".join(STAGES)
    candidates: Annotated[int, Ge(2), Le(500), doc("Different candidates per stage and parent.")] = 50
    keep: Annotated[int, Ge(1), Le(50), doc(
        "Candidates kept per parent (prune = parent) or per stage (prune = global).")] = 3
    prune: Annotated[Literal["parent", "global"], doc(
        "parent: keep ``keep`` candidates of each parent, at most ``beam`` in all. global: keep ``keep`` of all.")
    ] = "parent"
    beam: Annotated[int, Ge(1), Le(100), doc("Maximum of candidates kept per stage (prune = parent).")] = 6
    finals: Annotated[int, Ge(1), Le(50), doc("Number of finished pieces to review.")] = 5
    generations: Annotated[int, Ge(0), Le(100), doc(
        "Number of generations bred after the random draws; 0 keeps the draws only.")] = 2
    tournament: Annotated[int, Ge(1), Le(50), doc("Number of candidates that compete to become a parent.")] = 3
    elitism: Annotated[int, Ge(0), Le(50), doc(
        "Number of best candidates that enter the next generation unchanged.")] = 2
    crossover: Annotated[Share, doc("Share of children with two parents.")] = 0.5
    mutation: Annotated[Share, doc(
        "Share of children of two parents that are mutated; children of one parent always are.")] = 0.35
    theory_weight: Annotated[Share, doc(
        "Share of theory in the score; the rest is chromatic fitness, if the scorer is discriminative.")] = 0.4
    diversity: Annotated[Share, doc(
        "How much kept candidates must differ: 0 keeps the best, 1 the most different.")] = 0.3
    bars: Annotated[int, Ge(4), Le(64), doc("Length of a piece in bars.")] = 8
    soundfont: Annotated[str, doc(
        "Path of a soundfont (.sf2 or .sf3) for fluidsynth; empty: the first one installed.")] = ""
    seed: Annotated[Seed, doc("Seed of all random draws.")] = 42

    def __post_init__(self) -> None:
        """Check the names and the order of the stages."""
        named = [name.strip() for name in self.stages.split(",")]
        if named[:1] != ["chords"] or [name for name in STAGES if name in named] != named:
            raise SettingsError(f"composition.stages is {self.stages!r}; write some of {', '.join(STAGES)} in this "
                                "order, chords first")
