"""Batches of distinct inputs: texts by length, so that little is padded; audio in the order in which it is stored."""

from __future__ import annotations

from collections.abc import Iterable

from rainbow_assets.embeddings.engine import Unit, UnitBatch
from rainbow_assets.embeddings.specs import TEXT, EncoderSpec

TEXT_BYTES, TEXT_INPUTS = 6144, 64
"""Largest text batch: bytes, padding included, and inputs (one input always fits)."""
AUDIO_WINDOWS = 16
"""Largest audio batch in windows (one input always fits)."""


def plan_batches(spec: EncoderSpec, units: Iterable[Unit]) -> list[UnitBatch]:
    """Return batches of ``units``, with each key once. The same inputs in the same order give the same batches."""
    distinct = list({unit.key: unit for unit in units}.values())
    if spec.modality == TEXT:
        distinct.sort(key=lambda unit: (unit.size, unit.key))
    batches: list[UnitBatch] = []
    filling: list[Unit] = []
    for unit in distinct:
        if filling and not _fits(spec, filling, unit):
            batches.append(UnitBatch(spec, tuple(filling)))
            filling = []
        filling.append(unit)
    if filling:
        batches.append(UnitBatch(spec, tuple(filling)))
    return batches


def _fits(spec: EncoderSpec, filling: list[Unit], unit: Unit) -> bool:
    if spec.modality == TEXT:
        longest = max(unit.size, filling[-1].size)
        return len(filling) < TEXT_INPUTS and longest * (len(filling) + 1) <= TEXT_BYTES
    return sum(one.size for one in filling) + unit.size <= AUDIO_WINDOWS


def halves(batch: UnitBatch) -> list[UnitBatch]:
    """Split a batch of several inputs in two."""
    middle = len(batch.units) // 2
    return [UnitBatch(batch.spec, batch.units[:middle]), UnitBatch(batch.spec, batch.units[middle:])]
