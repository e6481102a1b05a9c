"""Drum patterns of the stand-ins, one bar at a time."""

from __future__ import annotations

from collections.abc import Callable

Hits = list[tuple[int, int, int]]
"""Tick within the bar, number of the drum, velocity."""


def _kick(room: int, step: int, bar: int, dense: bool) -> Hits:
    return [(at, 0, 110) for n, at in enumerate(range(0, room, step)) if n % 4 == 0 or (dense and n % 8 == 5)]


def _snare(room: int, step: int, bar: int, dense: bool) -> Hits:
    return [(at, 0, 100) for n, at in enumerate(range(0, room, step)) if n % 4 == 2] or [(0, 0, 90)]


def _fill(room: int, step: int, bar: int, dense: bool) -> Hits:
    places = list(range(0, room, step))
    return [(at, n, 96) for n, at in enumerate(places[-4 if bar % 4 == 3 else -2 :])]


def _pulse(room: int, step: int, bar: int, dense: bool) -> Hits:
    return [(at, int(n % 8 == 7), 92 if n % 2 == 0 else 66) for n, at in enumerate(range(0, room, step))]


def _wash(room: int, step: int, bar: int, dense: bool) -> Hits:
    return [(at, int(bar % 4 == 0 and at == 0), 84) for at in range(0, room, step * 2)]


def _kit(room: int, step: int, bar: int, dense: bool) -> Hits:
    kick, snare, hat = _kick(room, step, bar, dense), _snare(room, step, bar, dense), _pulse(room, step, bar, dense)
    return kick + [(at, 1, v) for at, _, v in snare] + [(at, 2, v - 30) for at, _, v in hat]


PATTERNS: dict[str, Callable[[int, int, int, bool], Hits]] = {
    "kick": _kick, "snare": _snare, "fill": _fill, "pulse": _pulse, "wash": _wash, "kit": _kit,
}
"""Part of a player -> pattern(ticks of the bar, pulse in ticks, number of the bar, dense) -> hits."""
