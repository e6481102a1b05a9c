"""An engine that breaks on purpose, deterministically: every way in which a real one does."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from rainbow_assets.embeddings.engine import BROKEN, OOM, POISON, TRANSIENT, Estimate, Fault, Unit, UnitBatch
from rainbow_assets.embeddings.specs import EncoderSpec


def vector(spec: EncoderSpec, key: str) -> bytes:
    """The one true vector of an input: a function of its key."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    made = np.random.default_rng(seed).normal(size=spec.dims)
    return (made / np.linalg.norm(made)).astype("<f4").tobytes()


def units(count: int, size: int = 40) -> list[Unit]:
    return [Unit(f"input-{n:05d}", size + n % 17, lambda n=n: f"text {n}".encode()) for n in range(count)]


@dataclass
class FaultyEngine:
    """``share`` of the batches fail, by seed. ``largest`` is what fits into memory; ``poison`` never works.

    ``received`` counts the vectors that were handed out, by input.
    """

    seed: int = 0
    share: float = 0.0
    largest: int = 10_000
    poison: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    usd: float = 0.0
    usd_per_second: float = 0.0
    unreachable: bool = False
    dies_after: int | None = None
    batches: int = 0
    received: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def estimate(self, batches: Sequence[UnitBatch]) -> Estimate:
        return Estimate(sum(len(batch.units) for batch in batches), float(len(batches)), self.usd, self.usd_per_second)

    def run(self, batches: Iterable[UnitBatch]) -> Iterator[tuple[str, bytes | Fault]]:
        for batch in batches:
            self.batches += 1
            if self.unreachable:
                return
            if self.dies_after is not None and self.batches > self.dies_after:
                raise KeyboardInterrupt
            yield from self._one(batch)

    def _one(self, batch: UnitBatch) -> Iterator[tuple[str, bytes | Fault]]:
        keys = [unit.key for unit in batch.units]
        fault = None
        if len(keys) > self.largest:
            fault = Fault(OOM, "CUDA out of memory")
        elif self.broken & set(keys):
            fault = Fault(BROKEN, "RuntimeError: shape mismatch")
        elif self.draw.random() < self.share:
            kind = self.draw.choice(["lost", "partial", TRANSIENT, OOM, BROKEN])
            if kind == "lost":
                return
            if kind == "partial":
                keys = keys[: len(keys) // 2]
            else:
                fault = Fault(kind, "injected")
        for key in keys:
            if key in self.poison:
                yield key, Fault(POISON, "does not decode")
            elif fault is not None:
                yield key, fault
            else:
                self.received[key] += 1
                yield key, vector(batch.spec, key)
