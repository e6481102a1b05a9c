"""Settings of slices and of their sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Unit, doc

from rainbow_assets.errors import SettingsError


@dataclass(frozen=True)
class SliceRules:
    """How a song's time is cut into slices."""

    lyric_tail_ms: Annotated[int, Ge(0), Le(60_000), Unit("ms"), doc(
        "How long a slice goes on after its last line of lyrics.")] = 3000
    snap_ms: Annotated[int, Ge(0), Le(60_000), Unit("ms"), doc(
        "A border this close to that of a section is moved to it.")] = 2000
    window_ms: Annotated[int, Ge(1000), Le(30_000), Unit("ms"), doc("The longest slice; a longer one is cut.")] = 30000
    overlap_ms: Annotated[int, Ge(0), Le(29_999), Unit("ms"), doc("What two windows of a slice share.")] = 2000
    min_ms: Annotated[int, Ge(0), Le(30_000), Unit("ms"), doc("The shortest slice.")] = 500
    coverage: Annotated[Literal["full", "lyrics"], doc(
        "full: every millisecond of the song is in a slice. lyrics: the original rule.")] = "full"

    def __post_init__(self) -> None:
        """Compare the lengths with each other."""
        if self.overlap_ms >= self.window_ms:
            raise SettingsError("slices.overlap_ms must be less than slices.window_ms")
        if self.min_ms > self.window_ms:
            raise SettingsError("slices.min_ms must be at most slices.window_ms")


@dataclass(frozen=True)
class AudioRules:
    """How audio is judged and stored."""

    sample_rate: Annotated[int, Ge(8000), Le(192_000), Unit("Hz"), doc("Rate of the kept sound.")] = 44100
    silence_db: Annotated[float, Ge(-120), Le(0), Unit("dB"), doc(
        "A window whose RMS (full scale = 0 dB) is below this is silent.")] = -40.0
