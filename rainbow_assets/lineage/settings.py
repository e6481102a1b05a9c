"""Settings of every build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import doc

from rainbow_assets.rules import Share


@dataclass(frozen=True)
class SafetyRules:
    """When a build refuses to delete rows."""

    max_vanished: Annotated[Share, doc(
        "Largest share of a color's songs (or of the threads) that may disappear at once without --allow-deletes."
    )] = 0.2
