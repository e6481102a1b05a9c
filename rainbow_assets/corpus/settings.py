"""Settings of song splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from rainbow_assets.errors import SettingsError
from rainbow_assets.rules import Seed, Share


@dataclass(frozen=True)
class SplitRules:
    """Shares of a color's songs that go to validation and test; at least one song stays in train."""

    validation: Annotated[Share, doc("Share of a color's songs in the validation split.")] = 0.1
    test: Annotated[Share, doc("Share of a color's songs in the test split.")] = 0.1
    seed: Annotated[Seed, doc("Seed for ranking songs.")] = 42
    train: Annotated[str, doc("Songs that are always in train, separated by spaces.")] = ""

    def __post_init__(self) -> None:
        """Raise ``SettingsError`` if the shares leave nothing for train."""
        if self.validation + self.test >= 1:
            raise SettingsError("splits.validation and splits.test must add up to less than 1")
