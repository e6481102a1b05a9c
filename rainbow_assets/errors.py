"""The one base class of errors that are the data's or the user's, not the program's."""

from __future__ import annotations


class RainbowError(Exception):
    """A sentence for a person: what is wrong, where, and what to do. Shown without a traceback."""


class UsageError(RainbowError):
    """Wrong use or configuration (exit code 2)."""
