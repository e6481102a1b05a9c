"""Meters as beats and steps: the grid on which a pattern is written in any time signature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rainbow_assets.composition.errors import ProposalError
from rainbow_assets.music.clock import PPQ

LEAST_QUARTERS, MOST_QUARTERS = 0.75, 12.0
"""Length of a bar that can be composed, in quarter notes."""
DOWNBEAT, GROUP, BEAT, BETWEEN = 1.0, 0.75, 0.5, 0.25


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat: its first step in the bar, its length in steps, and its ``strength``, 0 to 1 (the downbeat has 1)."""

    start: int
    steps: int
    strength: float


@dataclass(frozen=True)
class Meter:
    """A time signature. A step is a sixteenth note, or a thirty-second if that is the unit of the meter."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        quarters = self.numerator * 4 / self.denominator
        if not LEAST_QUARTERS <= quarters <= MOST_QUARTERS:
            raise ProposalError(
                f"time_signature {self.label} has bars of {quarters:g} quarter notes; bars of {LEAST_QUARTERS:g} to "
                f"{MOST_QUARTERS:g} can be composed, for example 4/4 or 7/8")

    @property
    def label(self) -> str:
        """The time signature as text, for example ``7/8``."""
        return f"{self.numerator}/{self.denominator}"

    @property
    def step_ticks(self) -> int:
        """Length of a step in ticks."""
        return PPQ // 8 if self.denominator == 32 else PPQ // 4

    @property
    def bar_ticks(self) -> int:
        """Length of a bar in ticks."""
        return self.numerator * 4 * PPQ // self.denominator

    @property
    def steps(self) -> int:
        """Number of steps in a bar."""
        return self.bar_ticks // self.step_ticks

    @cached_property
    def beats(self) -> tuple[Beat, ...]:
        """The beats of a bar: quarter notes, or groups of two or three shorter units (7/8 is 2 + 2 + 3)."""
        unit = self.bar_ticks // self.numerator // self.step_ticks
        if self.denominator >= 8:
            sizes = [count * unit for count in _groups(self.numerator)]
            strong = {0}
        else:
            quarters = self.numerator * 4 // self.denominator
            sizes = [PPQ // self.step_ticks] * quarters
            strong = set(_starts(_groups(quarters)))
        found = []
        for number, (start, size) in enumerate(zip(_starts(sizes), sizes, strict=True)):
            strength = DOWNBEAT if number == 0 else GROUP if number in strong else BEAT
            found.append(Beat(start, size, strength))
        return tuple(found)

    @cached_property
    def strengths(self) -> tuple[float, ...]:
        """Strength of each step of the bar."""
        at = {beat.start: beat.strength for beat in self.beats}
        return tuple(at.get(step, BETWEEN if step % 2 == 0 else BETWEEN / 2) for step in range(self.steps))


def _groups(units: int) -> list[int]:
    """Return the sizes of the groups: threes if they fill the bar, else twos, with a three at the end of an odd bar."""
    if units <= 3:
        return [units]
    if units % 3 == 0:
        return [3] * (units // 3)
    twos = [2] * (units // 2)
    return twos if units % 2 == 0 else [*twos[:-1], 3]


def _starts(sizes: list[int]) -> list[int]:
    found, at = [], 0
    for size in sizes:
        found.append(at)
        at += size
    return found
