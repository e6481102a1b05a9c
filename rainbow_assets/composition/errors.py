"""Errors of the composer."""

from __future__ import annotations

from rainbow_assets.errors import RainbowError, UsageError


class ProposalError(UsageError):
    """A proposal that cannot be composed; the message names the file, the field and what to write."""


class TemplateError(UsageError):
    """A pattern template that cannot be read; the message names the file, the template and the field."""


class ReviewError(RainbowError):
    """A review that cannot be used; the message names the file, the candidate and the field. Nothing is promoted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConstantFitness(RainbowError):
    """Fitness cannot rank the candidates, because it is the same for all. This is an error, not a result."""


class TooFewCandidates(RainbowError):
    """A stage found fewer different candidates than the settings ask for."""


class SoundError(RainbowError):
    """Sound cannot be rendered; the message names what is missing and how to get it."""
