"""An irregularity of files from outside: of a song, an agents' thread or a chord pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]
Kinds = Mapping[str, tuple[Severity, str]]
"""Kind -> (severity, meaning). Each package that reads files has a closed list."""


@dataclass(frozen=True, slots=True, order=True)
class Anomaly:
    """One irregularity and what was done about it.

    ``of`` is the song, thread or pack; ``file`` is relative to the folder that holds it; ``where`` is ``line 12`` or
    ``field structure[3].end_time``, or empty for a whole file; ``kind`` is a key of the package's ``KINDS``.
    """

    of: str
    file: str
    where: str
    kind: str
    severity: Severity
    message: str
    action: str

    def as_dict(self) -> dict[str, str]:
        """Return plain values without :attr:`of`, for JSON and tables."""
        return {name: value for name, value in asdict(self).items() if name != "of"}
