"""What can be wrong with a proposal, a template, a review or a fitness that does not move."""

from __future__ import annotations

from rainbow_assets.errors import RainbowError, UsageError


class ProposalError(UsageError):
    """A proposal that cannot be composed; the message names the file, the field and what to write."""


class TemplateError(UsageError):
    """A pattern template that cannot be read; the message names the file, the template and the field."""


class ReviewError(RainbowError):
    """A review that cannot be taken; the message names the file, the candidate and the field. Nothing is promoted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConstantFitness(RainbowError):
    """A fitness that is the same for all candidates: a fault, not a result."""


class TooFewCandidates(RainbowError):
    """A stage that cannot find as many different candidates as were asked for."""


class SoundError(RainbowError):
    """Sound that cannot be rendered: the message says what is missing and how to get it."""
