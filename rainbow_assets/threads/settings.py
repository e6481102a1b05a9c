"""Settings of the feedback from threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le, Unit, doc

from rainbow_assets.rules import Seed, Share


@dataclass(frozen=True)
class FeedbackRules:
    """Thresholds for calling a value overused (shares, 0 to 1), and the minimum number of threads."""

    min_n: Annotated[int, Ge(1), Le(10_000), Unit("threads"), doc("Fewer threads give no constraint.")] = 10
    key_avoid: Annotated[Share, doc("A key with this share is to be avoided.")] = 0.30
    key_exclude: Annotated[Share, doc("A key with this share is excluded.")] = 0.50
    bpm_reach: Annotated[int, Ge(0), Le(100), Unit("bpm"), doc("Tempi this close count as one.")] = 5
    bpm_avoid: Annotated[Share, doc("A tempo with this share is to be avoided.")] = 0.30
    phrase_avoid: Annotated[Share, doc("A known phrase with this share is to be avoided.")] = 0.30
    found_phrase_avoid: Annotated[Share, doc("A phrase that was found with this share is to be avoided.")] = 0.50
    title_word_avoid: Annotated[Share, doc("A word of titles with this share is to be avoided.")] = 0.20
    opener_avoid: Annotated[Share, doc("An opening line with this share is to be avoided.")] = 0.30
    time_signature_avoid: Annotated[Share, doc("A time signature with this share is to be avoided.")] = 0.60
    mood_avoid: Annotated[Share, doc("A mood with this share is to be avoided.")] = 0.50
    warn_entropy_bits: Annotated[float, Ge(0), Le(16), Unit("bits"), doc("Keys with less entropy are warned of.")] = 2.0
    warn_bpm_std: Annotated[float, Ge(0), Le(300), Unit("bpm"), doc("Tempi that spread less are warned of.")] = 10.0
    seed: Annotated[Seed, doc("Seed of the bootstrap.")] = 42
