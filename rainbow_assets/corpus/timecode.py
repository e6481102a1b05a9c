"""What the fraction of a time stamp means: milliseconds, SMPTE frames, or frames and a subframe digit.

Most real stamps came from a sequencer's SMPTE display and were typed into the millisecond field: ``[00:18.013]`` is
18 seconds and 13 frames, ``[00:38.145]`` 38 seconds, 14 frames and half a frame. The decision is made per file by
what its own fractions can be (frames never reach the frame rate), with the song's other file as second witness.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.corpus.lrc import RawStamp
from rainbow_assets.corpus.model import Timecode
from rainbow_assets.errors import UsageError

MS, FRAMES, SUBFRAMES = "ms", "frames", "frames+subframe"
RATES = (25, 30)
ENOUGH = 4
"""Fewer different fractions than this decide nothing by themselves."""
MOSTLY = 0.85
"""Share of fractions that must fit a reading; the rest are single stamps typed otherwise, and reported."""
SURE = 0.05
"""A reading is ambiguous where chance alone would produce its evidence more often than this."""
FILE = "corpus.toml"


@dataclass(frozen=True, slots=True)
class Override:
    """What ``corpus.toml`` says for an album or a song; None leaves a value to the evidence."""

    unit: str | None = None
    fps: int | None = None
    hour_offset: int | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """Overrides by album number (``03``) and song (``03_09``); the song's come first."""

    albums: Mapping[str, Override] = field(default_factory=dict)
    songs: Mapping[str, Override] = field(default_factory=dict)

    def of(self, song: str) -> Override:
        """Return the override of ``song``: its own, else its album's, else an empty one."""
        return self.songs.get(song) or self.albums.get(song.split("_")[0]) or Override()


def load_overrides(root: Path) -> Overrides:
    """Read ``corpus.toml`` in the corpus root; raise ``UsageError`` naming what is wrong in it."""
    path = root / FILE
    if not path.exists():
        return Overrides()
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}") from None
    unknown = sorted(set(document) - {"album", "song"})
    if unknown:
        raise UsageError(f"{path.name}: [{unknown[0]}] is not known; write [album.\"03\"] or [song.\"03_09\"]")
    return Overrides(*({str(name): _override(path.name, kind, name, entry) for name, entry in
                        _tables(path.name, kind, document.get(kind, {}))} for kind in ("album", "song")))


def _tables(file: str, kind: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise UsageError(f"{file}: write [{kind}.\"NAME\"] with unit, fps or hour_offset below it")
    return value.items()


def _override(file: str, kind: str, name: str, entry: Any) -> Override:
    if not isinstance(entry, dict) or set(entry) - {"unit", "fps", "hour_offset"}:
        raise UsageError(f"{file}: [{kind}.\"{name}\"] may hold unit, fps and hour_offset only")
    unit, fps, hours = entry.get("unit"), entry.get("fps"), entry.get("hour_offset")
    if unit not in (None, MS, FRAMES, SUBFRAMES):
        raise UsageError(f"{file}: unit of [{kind}.\"{name}\"] is {unit!r}; write 'ms', 'frames' or 'frames+subframe'")
    if fps not in (None, 24, 25, 30):
        raise UsageError(f"{file}: fps of [{kind}.\"{name}\"] is {fps!r}; write 24, 25 or 30")
    if hours is not None and (not isinstance(hours, int) or hours < 0):
        raise UsageError(f"{file}: hour_offset of [{kind}.\"{name}\"] is {hours!r}; write a number of hours")
    return Override(unit, fps, hours)


def _numbers(stamps: Sequence[RawStamp]) -> tuple[list[int], bool]:
    """Different fractions as numbers, and whether they are typed with two digits."""
    digits = [stamp.fraction for stamp in stamps if stamp.fraction]
    short = bool(digits) and all(len(text) <= 2 for text in digits)
    return sorted({int(text) if short else int(text.ljust(3, "0")) for text in digits} - {0}), short


def fits(unit: str, value: int, fps: int) -> bool:
    """Tell whether a fraction can be frames (or frames and subframe) at ``fps``."""
    return value < fps if unit == FRAMES else value < fps * 10


def decide(
    own: Sequence[RawStamp], sibling: Sequence[RawStamp] = (), override: Override | None = None
) -> Timecode:
    """Return how the fractions of ``own`` are read; ``sibling`` are the stamps of the song's other file."""
    values, short = _numbers(own)
    other, other_short = _numbers(sibling)
    if override is not None and override.unit is not None:
        fps = None if override.unit == MS else override.fps or _rate(override.unit, values)
        return _made(own, override.unit, fps, f"{FILE} says so", False, FILE)
    unit, doubt = _unit(values, short)
    if unit is None:
        unit, _ = _unit(other, other_short)
        said = f"{len(values)} fractions decide nothing; the song's other file is {unit or 'silent'}"
        if unit not in (None, MS) and not all(fits(str(unit), value, max(RATES)) for value in values):
            unit, said = MS, f"{len(values)} fractions, one too large for frames"
        unit, doubt = unit or MS, True
    else:
        said = f"{len(values)} different fractions, the largest {max(values)}"
    if unit == MS:
        return _made(own, MS, None, said, doubt, "evidence")
    pool = [value for value in values if fits(unit, value, max(RATES))]
    if unit == _unit(other, other_short)[0]:
        pool += [value for value in other if fits(unit, value, max(RATES))]
    fps = (override.fps if override else None) or _rate(unit, pool)
    # At 30 fps a sixth of all fractions is above what 25 fps allows; their absence is the evidence for 25.
    unsure = fps == RATES[0] and (RATES[0] / RATES[1]) ** len(pool) > SURE
    return _made(own, unit, fps, f"{said}; {len(pool)} speak for {fps} fps", doubt or unsure, "evidence")


def _unit(values: list[int], short: bool) -> tuple[str | None, bool]:
    """Return the unit that fractions speak for (None: too few) and whether it is doubtful."""
    if len(values) < ENOUGH:
        return (MS, True) if values and min(values) >= 300 and not short else (None, True)
    frames = sum(value < 30 for value in values) / len(values)
    if short:
        return (FRAMES, False) if frames == 1 else (MS, False)
    if frames >= MOSTLY:
        return FRAMES, frames < 1
    below = sum(value < 300 for value in values) / len(values)
    if below >= MOSTLY:
        return SUBFRAMES, 0.3 ** len(values) > SURE
    return MS, below > 0.6


def _rate(unit: str, values: Sequence[int]) -> int:
    return next((fps for fps in RATES if all(fits(unit, value, fps) for value in values)), RATES[-1])


def to_ms(stamp: RawStamp, code: Timecode) -> int:
    """Return the stamp in milliseconds, rounded half up; a fraction that cannot be frames is read literally."""
    if code.unit == MS or code.fps is None or not stamp.fraction:
        return stamp.literal_ms
    value = int(stamp.fraction)
    if not fits(code.unit, value, code.fps):
        return stamp.literal_ms
    whole = (stamp.minutes * 60 + stamp.seconds) * 1000
    # frames+subframe: value is frames x 10 plus tenths of a frame.
    per_second = code.fps if code.unit == FRAMES else code.fps * 10
    return whole + (2000 * value + per_second) // (2 * per_second)


def misfits(stamps: Sequence[RawStamp], code: Timecode) -> list[RawStamp]:
    """Return the stamps that the decided unit cannot explain."""
    if code.fps is None:
        return []
    return [stamp for stamp in stamps if stamp.fraction and not fits(code.unit, int(stamp.fraction), code.fps)]


def _made(
    stamps: Sequence[RawStamp], unit: str, fps: int | None, evidence: str, ambiguous: bool, source: str
) -> Timecode:
    trial = Timecode(unit, fps, evidence, ambiguous, 0, source)
    shift = max((abs(to_ms(stamp, trial) - stamp.literal_ms) for stamp in stamps), default=0)
    return Timecode(unit, fps, evidence, ambiguous, shift, source)


def literal() -> Timecode:
    """Return the reading that takes every stamp as it stands, as the original did."""
    return Timecode(MS, None, "plain milliseconds were asked for", False, 0, "asked for")
