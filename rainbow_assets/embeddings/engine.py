"""What an engine is, two methods, and which one the rules choose.

Retries, splitting, budget, cache and progress live once, above it (runner.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rainbow_assets.embeddings.settings import EmbeddingRules
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.errors import RainbowError

OOM = "out_of_memory"
POISON = "unusable_input"
BROKEN = "broken_batch"
TRANSIENT = "unreachable"


class EngineFailed(RainbowError):
    """The engine cannot continue; received vectors are kept, and the message has what to do."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One distinct input. ``key`` is its digest, ``size`` its cost (bytes of text, or windows of audio).

    ``load`` returns the payload: UTF-8 text, or a FLAC file. It is called when the input is about to be embedded.
    """

    key: str
    size: int
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class UnitBatch:
    """Inputs that are embedded in one forward pass."""

    spec: EncoderSpec
    units: tuple[Unit, ...]

    @property
    def size(self) -> int:
        """The cost of the whole batch."""
        return sum(unit.size for unit in self.units)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an input has no vector.

    ``out_of_memory``: the batch was too large. ``unusable_input``: this input cannot be embedded.
    ``broken_batch``: the forward pass failed, and it is not known for which input. ``unreachable``: try again.
    """

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of a run: inputs, engine seconds, and the price, which is 0 for local engines."""

    inputs: int
    seconds: float
    usd: float
    usd_per_second: float = 0.0


class Engine(Protocol):
    """Turns batches into vectors, somewhere.

    ``run`` yields (key, vector as little-endian float32 bytes) or (key, Fault), in any order; keys that it never
    yields count as unreachable. It raises ``EngineFailed`` or ``UsageError`` only if a retry cannot help.
    """

    def estimate(self, batches: Sequence[UnitBatch]) -> Estimate:
        """Return the cost of ``batches``; nothing is run, and no network is needed."""
        ...

    def run(self, batches: Iterable[UnitBatch]) -> Iterator[tuple[str, bytes | Fault]]:
        """Embed ``batches`` in order."""
        ...


def open_engine(rules: EmbeddingRules) -> Engine:
    """Return the engine that ``embeddings.engine`` names; nothing is contacted yet."""
    if rules.engine == "modal":
        from rainbow_assets.embeddings.modal_engine import ModalEngine

        return ModalEngine()
    from rainbow_assets.embeddings.local import LocalEngine

    return LocalEngine(rules.device)
