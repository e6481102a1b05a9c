"""Errors about keys, chords, packs and progressions; each message is one sentence with the cause and a fix."""

from __future__ import annotations

from rainbow_assets.errors import RainbowError, UsageError


class HarmonyUsageError(UsageError):
    """A key, weight, constraint or name cannot be used; the message gives a valid form."""


class PackError(RainbowError):
    """A chord pack cannot be read at all (a single bad file is an anomaly and not an error)."""


class NoProgression(RainbowError):
    """No progression satisfies the constraints; the message names the constraint that excludes them all."""
