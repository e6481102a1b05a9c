"""Settings of slices, their audio and their MIDI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Unit, doc

from rainbow_assets.errors import SettingsError


@dataclass(frozen=True)
class SliceRules:
    """How a song's time is cut into slices."""

    lyric_tail_ms: Annotated[int, Ge(0), Le(60_000), Unit("ms"), doc(
        "Length of the slice of a song's last lyric line.")] = 3000
    snap_ms: Annotated[int, Ge(0), Le(60_000), Unit("ms"), doc(
        "Largest distance over which a border moves to that of a section.")] = 2000
    window_ms: Annotated[int, Ge(1000), Le(30_000), Unit("ms"), doc("Longest window; a longer slice is cut.")] = 30000
    overlap_ms: Annotated[int, Ge(0), Le(29_999), Unit("ms"), doc("Overlap of two windows of one slice.")] = 2000
    min_ms: Annotated[int, Ge(0), Le(30_000), Unit("ms"), doc("Shortest slice.")] = 500
    coverage: Annotated[Literal["full", "lyrics"], doc(
        "full: slices cover the whole song. lyrics: only what the original rule covers.")] = "full"

    def __post_init__(self) -> None:
        """Raise ``SettingsError`` if the overlap or the shortest slice does not fit into a window."""
        if self.overlap_ms >= self.window_ms:
            raise SettingsError("slices.overlap_ms must be less than slices.window_ms")
        if self.min_ms > self.window_ms:
            raise SettingsError("slices.min_ms must be at most slices.window_ms")


@dataclass(frozen=True)
class AudioRules:
    """How audio is measured and stored."""

    sample_rate: Annotated[int, Ge(8000), Le(192_000), Unit("Hz"), doc("Sample rate of stored audio.")] = 44100
    silence_db: Annotated[float, Ge(-120), Le(0), Unit("dB"), doc(
        "Lowest RMS (full scale = 0 dB) of the loudest channel in a window that is not silent.")] = -40.0


@dataclass(frozen=True)
class MidiRules:
    """Which notes belong to a slice."""

    sliver_ms: Annotated[int, Ge(0), Le(1000), Unit("ms"), doc(
        "Shortest part of a note that counts in a slice, at most a thirty-second note; 0 counts every part.")] = 50
