"""The engine on this machine: torch (CPU, CUDA, MPS) or onnxruntime; threads decode ahead of the model."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from rainbow_assets.embeddings import body
from rainbow_assets.embeddings.encoders import Encoder, load_encoder
from rainbow_assets.embeddings.engine import Estimate, Fault, Unit, UnitBatch
from rainbow_assets.embeddings.specs import CLAP, DEBERTA, DESCRIPTOR, MINILM, EncoderSpec

SIZE_PER_SECOND = {MINILM: 20_000.0, DESCRIPTOR: 60.0, DEBERTA: 2_500.0, CLAP: 4.0}
"""Bytes of text, or windows of audio, per second on two CPU cores (benchmarks/embeddings.py)."""
AHEAD = 2
"""Number of batches that are decoded while the model works on another one."""
_LOADED: dict[tuple[str, str, str], Encoder] = {}


class LocalEngine:
    """Embeds in this process. ``load`` returns the encoder of a spec; encoders stay loaded until the process ends."""

    def __init__(self, device: str = "auto", load: Callable[[EncoderSpec, str], Encoder] = load_encoder) -> None:
        self.device, self.load = device, load

    def estimate(self, batches: Sequence[UnitBatch]) -> Estimate:
        """Return the seconds at the rate of two CPU cores; the price is 0."""
        seconds = sum(batch.size / SIZE_PER_SECOND[batch.spec.family] for batch in batches)
        return Estimate(sum(len(batch.units) for batch in batches), seconds, 0.0)

    def run(self, batches: Iterable[UnitBatch]) -> Iterator[tuple[str, bytes | Fault]]:
        """Embed batch after batch, while threads decode the next ones."""
        waiting: deque[tuple[Encoder, UnitBatch, list[Future[body.Prepared]]]] = deque()
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            try:
                for batch in batches:
                    encoder = self._encoder(batch.spec)
                    # Payloads are read here, in one thread and in order, because neighbors are in the same part.
                    ready = [pool.submit(body.prepare, encoder, unit.key, _payload(unit)) for unit in batch.units]
                    waiting.append((encoder, batch, ready))
                    if len(waiting) > AHEAD:
                        yield from _finish(*waiting.popleft())
                while waiting:
                    yield from _finish(*waiting.popleft())
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _encoder(self, spec: EncoderSpec) -> Encoder:
        if self.load is not load_encoder:
            return self.load(spec, self.device)
        key = (spec.digest, self.device, str(os.environ.get("RAINBOW_MODELS")))
        if key not in _LOADED:
            _LOADED[key] = load_encoder(spec, self.device)
        return _LOADED[key]


def _payload(unit: Unit) -> bytes:
    return unit.load()


def _finish(
    encoder: Encoder, batch: UnitBatch, ready: list[Future[body.Prepared]]
) -> Iterator[tuple[str, bytes | Fault]]:
    yield from body.forward(encoder, batch.spec, [future.result() for future in ready])
