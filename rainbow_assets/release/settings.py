"""Settings of previews and releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, doc

from rainbow_assets.rules import Seed


@dataclass(frozen=True)
class PreviewRules:
    """How the playable preview is sampled."""

    samples: Annotated[int, Ge(1), Le(1000), doc("Rows per color.")] = 20
    seed: Annotated[Seed, doc("Seed for ranking rows.")] = 42


@dataclass(frozen=True)
class ReleaseRules:
    """Configs that a version has in addition to those of every version."""

    threads: Annotated[bool, doc("Publish the packed threads.")] = False
    human_evaluation: Annotated[bool, doc("Publish the verdicts on composed pieces.")] = False
