"""Which steps and checks exist: every room registers its own, so that gates and plans know what must hold."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.step import Step
from rainbow_assets.lineage.verdicts import Check
from rainbow_assets.storage.store import WHOLE
from rainbow_assets.taxonomy import COLOR_NAMES


class UnknownAsset(UsageError):
    """No room has registered an asset of that name."""


_STEPS: dict[str, Step] = {}
_CHECKS: dict[str, tuple[Check, ...]] = {}


def register(step: Step, checks: tuple[Check, ...] = ()) -> Step:
    """Make ``step`` and its checks known; called once by the module that declares them."""
    _STEPS[step.name] = step
    _CHECKS[step.name] = checks
    return step


def step(asset: str) -> Step:
    """Return the step of ``asset``; raise ``UnknownAsset``."""
    if asset not in _STEPS:
        _load_rooms()
    try:
        return _STEPS[asset]
    except KeyError:
        raise UnknownAsset(f"no asset is called {asset!r}; known: {', '.join(sorted(_STEPS))}") from None


def steps() -> dict[str, Step]:
    """Return all registered steps in order of registration, which is the order of the rooms.

    Rooms that nobody has imported yet are loaded: half a graph would be taken for the whole one.
    """
    _load_rooms()
    return dict(_STEPS)


@cache
def _load_rooms() -> None:
    import_module("rainbow_assets.rooms")


def partitions(of: Step) -> tuple[str, ...]:
    """Return the partitions that ``of`` has: the colors, or the one for all."""
    return COLOR_NAMES if of.colored else (WHOLE,)


def read_partitions(by: Step, asset: str, partition: str) -> tuple[str, ...]:
    """Return the partitions of ``asset`` that ``partition`` of ``by`` reads.

    The same one where both have colors or neither has; every color where only ``asset`` has them; the one for all
    where only ``by`` has. Assets outside the store (the raw songs) have none.
    """
    _load_rooms()
    if asset not in _STEPS and by.source is not None:
        return ()
    upstream = step(asset)
    return (partition,) if upstream.colored == by.colored else partitions(upstream)


def checks(asset: str) -> tuple[Check, ...]:
    """Return the checks of ``asset``; raise ``UnknownAsset`` (never an empty answer for a forgotten room)."""
    step(asset)
    return _CHECKS[asset]


def forget(asset: str) -> None:
    """Take back the registration of ``asset``; for examples that leave the catalog as it was."""
    _STEPS.pop(asset, None)
    _CHECKS.pop(asset, None)
