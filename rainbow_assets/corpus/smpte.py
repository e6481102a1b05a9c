"""SMPTE time: the possible readings of a time stamp's fraction, and their exact conversion to milliseconds.

A sequencer shows minutes, seconds, frames and subframes, with 80 subframes to a frame. The artist typed the frames and
the tens digit of the subframes (0 to 7: eighths of a frame) into the millisecond field. In 39 measured songs a typed 8
or 9 is very rare, and with eighths (not tenths) section borders fall within one eighth of a frame of the beat. Four
songs of album 03 use 29.97 fps drop-frame code, the others 25 fps.
"""

from __future__ import annotations

from dataclasses import dataclass

from rainbow_assets.corpus.lrc import RawStamp
from rainbow_assets.corpus.model import Timecode

MS, FRAMES, SUBFRAMES = "ms", "frames", "frames+subframe"


@dataclass(frozen=True, slots=True)
class FrameCode:
    """One way to read fractions: nominal frames per second, drop-frame (29.97 fps) or not, steps per frame."""

    unit: str
    fps: int | None = None
    drop_frame: bool = False
    subframes: int = 8

    @property
    def values(self) -> int:
        """Number of different fractions that can be written."""
        return 1000 if self.fps is None else self.fps if self.unit == FRAMES else self.fps * self.subframes

    @property
    def label(self) -> str:
        """``milliseconds``, ``frames at 25 fps``, ``frames+subframe at 29.97 fps drop-frame``."""
        if self.fps is None:
            return "milliseconds"
        return f"{self.unit} at {'29.97 fps drop-frame' if self.drop_frame else f'{self.fps} fps'}"

    @property
    def step_ms(self) -> float:
        """Step of the written time in milliseconds. A display truncates, so the true time is up to one step later."""
        return 1000.0 / self.values


_RATES = ((25, False), (30, False), (30, True))
PLAIN = FrameCode(MS)
CODES = (PLAIN, *(FrameCode(FRAMES, fps, drop) for fps, drop in _RATES),
         *(FrameCode(SUBFRAMES, fps, drop, steps) for steps in (8, 10) for fps, drop in _RATES))
"""All readings that the evidence chooses from; the first one wins a tie."""


def of(code: Timecode) -> FrameCode:
    """Return the reading of a chosen time code."""
    return FrameCode(code.unit, code.fps, code.drop_frame, code.subframes)


def parts(fraction: str, code: FrameCode) -> tuple[int, int]:
    """Return (frame, subframe steps) of a fraction's digits; two digits are always frames without subframes."""
    value = int(fraction or 0)
    if code.unit == FRAMES or len(fraction) <= 2:
        return value, 0
    # With eighths, a typed 8 or 9 is the next frame minus the join marker ("previous end = next start - 1").
    return value // 10, min(value % 10, code.subframes)


def fits(fraction: str, code: FrameCode) -> bool:
    """Return True if a fraction can be written in ``code``: its frame number is below the frame rate."""
    return code.fps is None or (len(fraction) != 1 and parts(fraction, code)[0] < code.fps)


def dropped(stamp: RawStamp, code: FrameCode) -> bool:
    """Return True if drop-frame code skips this label: frames 0 and 1 of each minute, except every tenth."""
    return (code.drop_frame and stamp.seconds == 0 and stamp.minutes % 10 != 0
            and parts(stamp.fraction, code)[0] < 2)


def to_ms(stamp: RawStamp, code: FrameCode) -> int:
    """Return the stamp in milliseconds, rounded half up; a fraction that cannot be frames is read as a decimal one.

    Times keep the order of the stamps if all stamps fit: a skipped label is read as the first frame after the gap.
    29.97 fps is exactly 30000/1001 (SMPTE ST 12-1).
    """
    if code.fps is None or not fits(stamp.fraction, code):
        return stamp.literal_ms
    frame, steps = (2, 0) if dropped(stamp, code) else parts(stamp.fraction, code)
    total = (stamp.minutes * 60 + stamp.seconds) * code.fps + frame
    rate, seconds = code.fps, 1
    if code.drop_frame:
        total -= 2 * (stamp.minutes - stamp.minutes // 10)
        rate, seconds = 30000, 1001
    numerator, denominator = (total * code.subframes + steps) * seconds * 1000, code.subframes * rate
    return (2 * numerator + denominator) // (2 * denominator)
