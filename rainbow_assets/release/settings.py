"""Settings of previews and releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, doc

from rainbow_assets.rules import Seed


@dataclass(frozen=True)
class PreviewRules:
    """How the playable preview is sampled."""

    samples: Annotated[int, Ge(1), Le(1000), doc("Rows of each color.")] = 20
    seed: Annotated[Seed, doc("Seed of the ranking.")] = 42


@dataclass(frozen=True)
class ReleaseRules:
    """What a version holds besides the configs that every version has."""

    threads: Annotated[bool, doc("The packed threads.")] = False
    human_evaluation: Annotated[bool, doc("The verdicts on composed pieces.")] = False
