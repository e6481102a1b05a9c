"""Settings of splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from rainbow_assets.errors import SettingsError
from rainbow_assets.rules import Seed, Share


@dataclass(frozen=True)
class SplitRules:
    """Shares of songs per color that go to validation and test; at least one song stays in train."""

    validation: Annotated[Share, doc("Share of songs for validation.")] = 0.1
    test: Annotated[Share, doc("Share of songs for the test.")] = 0.1
    seed: Annotated[Seed, doc("Seed of the songs' ranks.")] = 42

    def __post_init__(self) -> None:
        """Compare the shares with the whole."""
        if self.validation + self.test >= 1:
            raise SettingsError("splits.validation and splits.test must be less than 1 together")
