"""Embedding one batch: payloads in, vectors or faults out. The local engine and the Modal function both run this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rainbow_assets.embeddings.encoders import Encoder
from rainbow_assets.embeddings.engine import BROKEN, OOM, POISON, Fault
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.errors import UsageError

NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded input, or the fault that prevents embedding it."""

    key: str
    value: Any
    fault: Fault | None = None


def prepare(encoder: Encoder, key: str, payload: bytes) -> Prepared:
    """Decode one payload; an error is the fault of this input alone, and the other inputs of the batch are embedded."""
    try:
        return Prepared(key, encoder.prepare(payload))
    except MemoryError as error:
        return Prepared(key, None, Fault(OOM, str(error) or "out of memory while decoding"))
    except Exception as error:
        return Prepared(key, None, Fault(POISON, _message(error)))


def forward(encoder: Encoder, spec: EncoderSpec, prepared: Sequence[Prepared]) -> list[tuple[str, bytes | Fault]]:
    """Embed the decoded inputs in one pass; return an answer for every input, in order."""
    found: dict[str, bytes | Fault] = {item.key: item.fault for item in prepared if item.fault}
    usable = [item for item in prepared if item.fault is None]
    try:
        vectors = encoder.forward([item.value for item in usable]) if usable else np.empty((0, spec.dims), np.float32)
    except UsageError:  # a missing package or wrong setting: no input is at fault, and no retry helps
        raise
    except Exception as error:
        fault = Fault(OOM if _out_of_memory(error) else BROKEN, _message(error))
        found.update({item.key: fault for item in usable})
    else:
        found.update({item.key: _answer(spec, vector) for item, vector in zip(usable, vectors, strict=True)})
    return [(item.key, found[item.key]) for item in prepared]


def _answer(spec: EncoderSpec, vector: np.ndarray[Any, np.dtype[np.float32]]) -> bytes | Fault:
    if vector.shape != (spec.dims,):
        return Fault(POISON, f"the vector has the shape {vector.shape}; {spec.name} promises {spec.dims} numbers")
    if not np.isfinite(vector).all():
        return Fault(POISON, "the vector contains a number that is not finite")
    norm = float(np.linalg.norm(vector))
    if norm == 0.0 or (spec.unit_norm and abs(norm - 1) > NORM_TOLERANCE):
        return Fault(POISON, f"the vector has a norm of {norm:.4f}")
    return vector.astype("<f4").tobytes()


def _out_of_memory(error: Exception) -> bool:
    """Return True for torch's OutOfMemoryError, numpy's MemoryError, and messages about memory (onnxruntime)."""
    text = str(error).lower()
    return (isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
            or "out of memory" in text or "failed to allocate memory" in text)


def _message(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
