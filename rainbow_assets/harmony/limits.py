"""Constraints of a search, and the chords and steps that they allow at each place of a progression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rainbow_assets.harmony.pool import Pool
from rainbow_assets.music.errors import HarmonyUsageError, NoProgression

MIN_LENGTH, MAX_LENGTH = 2, 16
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """Constraints that every progression of a search satisfies.

    ``start``, ``end`` and the values of ``pinned`` (position from 0) name a function (``V``: any chord of it), a roman
    with its chord type (``V7``) or a chord (``E7``). No note is below the MIDI pitch ``low`` or above ``high``,
    ``max_leap`` is the largest move of the top note in semitones, and ``no_repeats`` forbids using a chord twice.
    """

    start: str | None = None
    end: str | None = None
    pinned: Mapping[int, str] = field(default_factory=dict)
    no_repeats: bool = False
    low: int | None = None
    high: int | None = None
    max_leap: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceLimits:
    """``places`` bool[length, n]: a chord is allowed there and the rest can be completed; ``steps`` bool[n, n]."""

    length: int
    places: Mask
    steps: Mask
    no_repeats: bool


def meaning(pool: Pool, text: str) -> Mask:
    """Return which chords of ``pool`` the text names, bool[n]: a function, else a roman, else a chord name."""
    for attribute in ("function", "roman", "name"):
        found = np.array([getattr(chord, attribute) == text for chord in pool.chords])
        if found.any():
            return found
    functions = ", ".join(dict.fromkeys(chord.function for chord in pool.chords))
    raise HarmonyUsageError(f"no chord of {pool.key.label} here is called {text!r}; write a function ({functions}), a "
                            "roman such as V7, or a chord name")


def limits(pool: Pool, length: int, wanted: SearchLimits) -> PlaceLimits:
    """Return the chords and steps of ``pool`` that ``wanted`` allows.

    Raises ``HarmonyUsageError`` for invalid constraints and ``NoProgression`` if they exclude every progression.
    """
    if not MIN_LENGTH <= length <= MAX_LENGTH:
        raise HarmonyUsageError(f"the length {length} is not between {MIN_LENGTH} and {MAX_LENGTH} chords")
    usable = _in_range(pool, wanted)
    places = np.repeat(usable[None, :], length, axis=0)
    named = dict(wanted.pinned)
    for position, text, what in ((0, wanted.start, "start"), (length - 1, wanted.end, "end")):
        if text is not None:
            if named.get(position, text) != text:
                raise HarmonyUsageError(f"the {what} {text!r} and the chord {named[position]!r} pinned at the same "
                                        "place contradict each other")
            named[position] = text
    for position, text in sorted(named.items()):
        if not 0 <= position < length:
            raise HarmonyUsageError(f"a chord is pinned at place {position + 1}, but there are only {length} chords; "
                                    "pin an earlier place")
        places[position] &= meaning(pool, text)
        if not places[position].any():
            raise NoProgression(f"no {text!r} in {pool.key.label} is within the voicing range; widen the range")
    return PlaceLimits(length, *_completable(pool, places, wanted), wanted.no_repeats)


def _in_range(pool: Pool, wanted: SearchLimits) -> Mask:
    low, high = wanted.low or 0, 127 if wanted.high is None else wanted.high
    if not 0 <= low < high <= 127:
        raise HarmonyUsageError(f"the voicing range {low} to {high} is empty; give two MIDI pitches from 0 to 127, the "
                                "lower first")
    usable = np.array([chord.voicing[0] >= low and chord.voicing[-1] <= high for chord in pool.chords])
    if not usable.any():
        raise NoProgression(f"no chord of {pool.key.label} is between the pitches {low} and {high}; widen the range")
    return usable


def _completable(pool: Pool, places: Mask, wanted: SearchLimits) -> tuple[Mask, Mask]:
    """Return ``places`` without dead ends, and the steps that the largest leap allows."""
    steps = np.ones((len(pool), len(pool)), bool)
    if wanted.max_leap is not None:
        if wanted.max_leap < 0:
            raise HarmonyUsageError(f"the largest leap {wanted.max_leap} is negative; write semitones, 0 or more")
        steps = np.abs(pool.tops[:, None] - pool.tops[None, :]) <= wanted.max_leap
    if wanted.no_repeats:
        steps = steps & ~np.eye(len(pool), dtype=bool)
        if int(places.any(axis=0).sum()) < len(places):
            raise NoProgression(f"the progression needs {len(places)} different chords, but the constraints leave "
                                f"{int(places.any(axis=0).sum())}; allow repeats or a shorter progression")
    # From the end, because a chord without an allowed successor can make the chords before it dead ends too.
    left = places.copy()
    for position in range(len(left) - 2, -1, -1):
        left[position] &= (steps & left[position + 1][None, :]).any(axis=1)
    if not left[0].any():
        raise NoProgression("no progression has all the required chords without exceeding the largest leap; allow a "
                            "larger leap or pin fewer chords")
    return left, steps
