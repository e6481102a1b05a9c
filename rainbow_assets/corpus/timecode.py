"""What the fraction of a time stamp means: milliseconds, SMPTE frames, or frames and a subframe digit.

Most real stamps came from a sequencer's SMPTE display and were typed into the millisecond field: ``[00:18.013]`` is
18 seconds and 13 frames, ``[00:38.145]`` 38 seconds, 14 frames and 5/8. The reading is chosen for each file of a song
from two kinds of evidence: which fractions occur (frames stay below the frame rate, milliseconds take any value), and
under which reading the stamps fall on the beat of the song's tempo. Both are likelihoods. The two files of a song
support each other, because they came from one project. A reading with less than 95 % of the weight is ambiguous.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from rainbow_assets.corpus import beatgrid, smpte
from rainbow_assets.corpus.lrc import RawStamp
from rainbow_assets.corpus.model import Timecode
from rainbow_assets.corpus.overrides import FILE, RATES, Overrides, SongOverride, TimecodeOverride, load_overrides
from rainbow_assets.corpus.smpte import CODES, FRAMES, MS, PLAIN, SUBFRAMES, FrameCode, to_ms

__all__ = ["FRAMES", "MS", "SUBFRAMES", "Overrides", "SongOverride", "TimecodeOverride", "decide", "literal",
           "load_overrides", "misfits", "read_ms"]
T = TypeVar("T")
SURE = 0.95
WHOLE = "999"
"""An end just before a full second is written like this in every unit, so it is no evidence."""
STRAY = 0.03
"""Share of stamps that may have been typed in another unit than the rest of their file."""
FOR_PLAIN = 3.0
"""Log weight of milliseconds before any evidence: stamps are what they look like until the evidence is against it."""
FOR_TENTHS = -2.0
"""Log weight of a subframe digit that counts tenths instead of eighths."""
ENOUGH = 2000
"""Stamps of a file that are weighed at most, evenly from the whole; the longest real file has 240."""
OTHER_UNIT, OTHER_RATE = -3.0, -6.0
"""Log weights of the two files of a song having different units, or different frame rates."""


def decide(
    manifest: Sequence[RawStamp], lyrics: Sequence[RawStamp] = (), bpm: float | None = None,
    override: SongOverride | None = None,
) -> tuple[Timecode, Timecode | None]:
    """Return how to read the fractions of a song's manifest and lyrics (None without lyrics).

    ``manifest`` must not contain join markers ("next start = previous end + 1 ms"): their unit is always milliseconds.
    """
    given = override or SongOverride()
    files = [(manifest, given.manifest)] + ([(lyrics, given.lyrics)] if lyrics else [])
    scores = [_scores(stamps, bpm, own) for stamps, own in files]
    found = []
    for n, (stamps, own) in enumerate(files):
        other = scores[1 - n] if len(scores) == 2 else None
        weights = _weights(scores[n], other)
        best = max(weights, key=lambda code: weights[code])
        # Eighths and tenths of a frame differ by 5 ms at most, so a doubt between them is not reported.
        share = sum(weight for code, weight in weights.items() if replace(code, subframes=best.subframes) == best)
        moves = any(stamp.fraction.strip("0") for stamp in stamps if stamp.fraction != WHOLE)
        found.append(_timecode(best, stamps, bpm, own, share < SURE and moves and own.unit is None))
    return found[0], found[1] if lyrics else None


def _scores(stamps: Sequence[RawStamp], bpm: float | None, override: TimecodeOverride) -> dict[FrameCode, float]:
    """Return the log weight of each reading that the override allows, from this file alone."""
    distinct = sorted({(s.minutes, s.seconds, s.fraction): s for s in stamps if s.fraction != WHOLE}.items())
    kept = [stamp for _, stamp in enough(distinct)]
    fractions = sorted({stamp.fraction for stamp in kept if stamp.fraction.strip("0")})
    found = {}
    for code in CODES:
        if override.unit not in (None, code.unit):
            continue
        if override.fps is not None and code is not PLAIN and RATES[override.fps] != (code.fps, code.drop_frame):
            continue
        score = FOR_PLAIN if code is PLAIN else FOR_TENTHS if code.subframes == 10 else 0.0
        score += sum(_log_share(fraction, code) for fraction in fractions)
        score += math.log(STRAY) * sum(smpte.dropped(stamp, code) for stamp in kept)
        if bpm is not None and beatgrid.believable(bpm):
            score += beatgrid.log_evidence([to_ms(stamp, code) for stamp in kept], code.step_ms, bpm)
        found[code] = score
    return found


def enough(stamps: Sequence[T]) -> Sequence[T]:
    """Return all of ``stamps``, or about :data:`ENOUGH` of them, evenly from the whole."""
    return stamps[::max(-(-len(stamps) // ENOUGH), 1)]


def _log_share(fraction: str, code: FrameCode) -> float:
    """Return the log probability that a stamp written in ``code`` has this fraction."""
    short, decimals = len(fraction) <= 2, 10.0 ** len(fraction)
    stray = math.log(STRAY / decimals)
    if code is PLAIN:
        return -math.log(decimals)
    if (short and code.unit == SUBFRAMES) or not smpte.fits(fraction, code):
        return stray
    beyond = code.unit == SUBFRAMES and int(fraction[-1]) >= code.subframes
    return -math.log(code.values) + (math.log(STRAY) if beyond else 0.0)


def _weights(own: dict[FrameCode, float], other: dict[FrameCode, float] | None) -> dict[FrameCode, float]:
    """Return the share of each reading, given the weights of the song's other file; shares sum to 1."""
    total = {}
    for code, score in own.items():
        together = [score + more + _agreement(code, its) for its, more in other.items()] if other else [score]
        peak = max(together)
        total[code] = peak + math.log(sum(math.exp(value - peak) for value in together))
    peak = max(total.values())
    shares = {code: math.exp(value - peak) for code, value in total.items()}
    return {code: share / sum(shares.values()) for code, share in shares.items()}


def _agreement(one: FrameCode, other: FrameCode) -> float:
    if one.fps is not None and other.fps is not None and (one.fps, one.drop_frame) != (other.fps, other.drop_frame):
        return OTHER_RATE
    return OTHER_UNIT if one.unit != other.unit else 0.0


def _timecode(
    code: FrameCode, stamps: Sequence[RawStamp], bpm: float | None, override: TimecodeOverride, ambiguous: bool
) -> Timecode:
    shift = max((abs(to_ms(stamp, code) - stamp.literal_ms) for stamp in stamps), default=0)
    forced = override.unit is not None
    source = FILE if forced or (override.fps is not None and code.fps is not None) else "evidence"
    evidence = f"the unit is set in {FILE}" if forced else _sentence(code, stamps, bpm)
    return Timecode(code.unit, code.fps, evidence, ambiguous, shift, source, code.drop_frame, code.subframes)


def _sentence(code: FrameCode, stamps: Sequence[RawStamp], bpm: float | None) -> str:
    fractions = {stamp.fraction for stamp in stamps if stamp.fraction.strip("0")}
    if not fractions:
        return "no stamp has a fraction"
    count, largest = len(fractions), max(fractions, key=lambda text: (len(text), text))
    counts = f"{count} different fraction{'s' if count > 1 else ''}, the largest .{largest}"
    times = enough(sorted({to_ms(stamp, code) for stamp in stamps} - {0}))
    if bpm is None or not beatgrid.believable(bpm) or not times:
        return counts
    hits, tempo = beatgrid.best(times, code.step_ms, bpm)
    return f"{counts}; {hits} of {len(times)} stamps fall on a half beat of {tempo:g} bpm"


def read_ms(stamp: RawStamp, code: Timecode) -> int:
    """Return the stamp in milliseconds under a chosen time code."""
    return to_ms(stamp, smpte.of(code))


def misfits(stamps: Sequence[RawStamp], code: Timecode) -> list[RawStamp]:
    """Return the stamps whose fraction is not possible in the chosen reading."""
    return [stamp for stamp in stamps if stamp.fraction and not smpte.fits(stamp.fraction, smpte.of(code))]


def literal() -> Timecode:
    """Return the reading that takes every stamp as milliseconds, as the original did."""
    return Timecode(MS, None, "plain milliseconds were asked for", False, 0, "asked for")
