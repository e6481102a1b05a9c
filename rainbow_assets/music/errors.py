"""Errors of harmony: what was asked cannot be done, said in one sentence."""

from __future__ import annotations

from rainbow_assets.errors import RainbowError, UsageError


class HarmonyUsageError(UsageError):
    """A key, weight, constraint or name that cannot be used; the message says what to write instead."""


class PackError(RainbowError):
    """A chord pack that cannot be read at all (one bad file is an anomaly, not an error)."""


class NoProgression(RainbowError):
    """No progression satisfies the constraints; the message names the one that leaves nothing."""
