"""One runner above every engine: cache, budget, retries, splitting, poisoned inputs and progress, for all engines.

The vectors of a batch are written to the cache as soon as the batch is complete, so that a crash, a lost connection or
a second run never computes them again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from rainbow_assets.embeddings.batches import halves, plan_batches
from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.embeddings.engine import (
    BROKEN,
    OOM,
    POISON,
    TRANSIENT,
    Engine,
    EngineFailed,
    Estimate,
    Fault,
    Unit,
    UnitBatch,
)
from rainbow_assets.embeddings.settings import EmbeddingRules
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.errors import RainbowError

POISONED, TOO_LARGE = "poisoned_input", "too_large"
REASONS = {
    POISONED: "the encoder cannot embed this input: it does not decode, or its vector is not finite",
    TOO_LARGE: "the input alone does not fit into the engine's memory",
}
"""Why a row gets no vector although it has an input: the closed list."""
HOPELESS = 4
"""If at least this many inputs failed and none succeeded, the engine is at fault and not the inputs."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class OverBudget(RainbowError):
    """The run costs more than ``embeddings.budget_usd``."""


@dataclass
class RunReport:
    """The numbers of a run. ``size`` is bytes of text or windows of audio; ``forwards`` counts embedded inputs."""

    asked: int = 0
    cache_hits: int = 0
    forwards: int = 0
    size: int = 0
    batches: int = 0
    retries: int = 0
    splits: int = 0
    quarantined: int = 0
    damaged_cache_files: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    estimated_seconds: float = 0.0
    estimated_usd: float = 0.0

    def add(self, other: RunReport) -> None:
        """Add the numbers of another run."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def numbers(self) -> dict[str, float | int]:
        """Return plain values, with inputs per second."""
        found = {name: round(value, 4) if isinstance(value, float) else value for name in self.__dataclass_fields__
                 for value in (getattr(self, name),)}
        return {**found, "inputs_per_second": round(self.forwards / self.seconds, 2) if self.seconds else 0.0}


@dataclass
class _Job:
    batch: UnitBatch
    tries: int = 0


@dataclass
class Runner:
    """Embeds inputs and writes their vectors to the cache. ``wait`` sleeps between tries; ``tick(done, total)`` is
    called after each batch.
    """

    engine: Engine
    cache: VectorCache
    rules: EmbeddingRules
    tick: Callable[[int, int], object] | None = None
    wait: Callable[[float], object] = time.sleep
    report: RunReport = field(default_factory=RunReport)

    @property
    def spec(self) -> EncoderSpec:
        """The spec of the vectors."""
        return self.cache.spec

    def estimate(self, units: Iterable[Unit]) -> tuple[Estimate, list[UnitBatch]]:
        """Return the cost of the inputs that have no vector yet, and their batches."""
        known = self.cache.keys()
        distinct = {unit.key: unit for unit in units}
        self.report.asked, self.report.cache_hits = len(distinct), sum(key in known for key in distinct)
        batches = plan_batches(self.spec, (unit for key, unit in distinct.items() if key not in known))
        return self.engine.estimate(batches), batches

    def run(self, units: Iterable[Unit]) -> dict[str, str]:
        """Embed the inputs that have no vector yet; return {key: reason} of those that cannot be embedded.

        Raises ``OverBudget`` before anything is spent or as soon as too much was, ``EngineFailed`` if the engine stays
        unreachable or fails for every input; vectors received until then are kept.
        """
        started = time.perf_counter()
        estimate, batches = self.estimate(units)
        self.report.damaged_cache_files = self.cache.damaged
        self.report.estimated_seconds, self.report.estimated_usd = estimate.seconds, estimate.usd
        if estimate.usd > self.rules.budget_usd:
            raise OverBudget(
                f"embedding {estimate.inputs} inputs with {self.spec.name} is estimated at {estimate.usd:.2f} USD "
                f"({estimate.seconds:.0f} GPU seconds), over embeddings.budget_usd = {self.rules.budget_usd}; raise it "
                "in rainbow.toml, or choose fewer colors")
        failed: dict[str, Fault] = {}
        todo = [_Job(batch) for batch in batches]
        total = estimate.inputs
        try:
            while todo:
                todo = self._round(todo, failed, total, estimate.usd_per_second, started)
        finally:
            self.report.seconds = time.perf_counter() - started if total else 0.0
            self.report.usd = self.report.seconds * estimate.usd_per_second
        self.report.quarantined = len(failed)
        if len(failed) >= HOPELESS and not self.report.forwards:
            first = next(iter(failed.values()))
            raise EngineFailed(f"{self.spec.name} failed for all {len(failed)} inputs, so the encoder is at fault and "
                               f"not the inputs: {first.message}; fix the encoder and run the same command again")
        return {key: TOO_LARGE if fault.kind == OOM else POISONED for key, fault in sorted(failed.items())}

    def _round(
        self, jobs: list[_Job], failed: dict[str, Fault], total: int, usd_per_second: float, started: float
    ) -> list[_Job]:
        """Send every job once; return the jobs to send again, split or later."""
        again: list[_Job] = []
        delays: list[float] = []
        for job, answers in self._answers(jobs):
            vectors = {key: value for key, value in answers.items() if isinstance(value, bytes)}
            self.cache.write(vectors)
            self.report.batches += 1
            self.report.forwards += len(vectors)
            self.report.size += sum(unit.size for unit in job.batch.units if unit.key in vectors)
            again += self._sort_out(job, answers, failed, delays)
            if self.tick:
                self.tick(self.report.forwards + len(failed), total)
            spent = (time.perf_counter() - started) * usd_per_second
            if spent > self.rules.budget_usd:
                raise OverBudget(f"embedding with {self.spec.name} has cost {spent:.2f} USD and was stopped at "
                                 f"embeddings.budget_usd = {self.rules.budget_usd}; {self.report.forwards} vectors "
                                 "are kept, and the next run continues from there")
        if delays:
            self.wait(max(delays))
        return again

    def _answers(self, jobs: list[_Job]) -> Iterator[tuple[_Job, dict[str, bytes | Fault]]]:
        """Yield each job with its answers as soon as it has all of them; a missing answer counts as unreachable."""
        owner = {unit.key: job for job in jobs for unit in job.batch.units}
        waiting = {id(job): len(job.batch.units) for job in jobs}
        found: dict[int, dict[str, bytes | Fault]] = {id(job): {} for job in jobs}
        for key, value in self.engine.run(job.batch for job in jobs):
            job = owner.get(key)
            if job is None or key in found[id(job)]:
                raise EngineFailed(f"the engine answered for {key}, which it was not asked for (or answered twice); "
                                   "the app has other code, deploy it again")
            found[id(job)][key] = value
            waiting[id(job)] -= 1
            if not waiting[id(job)]:
                yield job, found.pop(id(job))
        for job in jobs:
            if id(job) in found:
                got = found[id(job)]
                lost = Fault(TRANSIENT, "no answer came")
                yield job, {unit.key: got.get(unit.key, lost) for unit in job.batch.units}

    def _sort_out(
        self, job: _Job, answers: dict[str, bytes | Fault], failed: dict[str, Fault], delays: list[float]
    ) -> list[_Job]:
        faults = {key: value for key, value in answers.items() if isinstance(value, Fault)}
        failed.update({key: fault for key, fault in faults.items() if fault.kind == POISON})
        again: list[_Job] = []
        for kind in (OOM, BROKEN, TRANSIENT):
            left = tuple(unit for unit in job.batch.units if (f := faults.get(unit.key)) and f.kind == kind)
            if not left:
                continue
            batch, fault = UnitBatch(self.spec, left), faults[next(iter(left)).key]
            # Halving finds the one input that breaks a batch, or the size that fits into memory.
            if kind != TRANSIENT and len(left) > 1:
                self.report.splits += 1
                again += [_Job(half) for half in halves(batch)]
            elif job.tries < self.rules.retries:
                self.report.retries += 1
                again.append(_Job(batch, job.tries + 1))
                if kind == TRANSIENT:
                    # Jitter keeps clients from retrying at the same moment; it affects no row.
                    delays.append(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** job.tries) * (0.5 + random.random() / 2))
            elif kind == TRANSIENT:
                raise EngineFailed(
                    f"the engine was unreachable {job.tries + 1} times ({fault.message}); {self.report.forwards} "
                    "vectors are kept, run the same command again to continue from there")
            else:
                failed[next(iter(left)).key] = fault
        return again
