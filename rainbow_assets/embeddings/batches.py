"""Distinct inputs into batches: texts by length, so that little is padded; sounds in the order they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from rainbow_assets.embeddings.engine import Unit, UnitBatch
from rainbow_assets.embeddings.specs import TEXT, EncoderSpec

TEXT_BYTES, TEXT_INPUTS = 6144, 64
"""A text batch holds at most this many bytes, padding included, and this many inputs (one input always fits)."""
AUDIO_WINDOWS = 16
"""An audio batch holds at most this many windows (one input always fits)."""


def plan_batches(spec: EncoderSpec, units: Iterable[Unit]) -> list[UnitBatch]:
    """Return batches of ``units``; each key appears once, whatever repeats. Deterministic in the set of inputs."""
    distinct = list({unit.key: unit for unit in units}.values())
    if spec.modality == TEXT:
        distinct.sort(key=lambda unit: (unit.size, unit.key))
    batches: list[UnitBatch] = []
    held: list[Unit] = []
    for unit in distinct:
        if held and not _fits(spec, held, unit):
            batches.append(UnitBatch(spec, tuple(held)))
            held = []
        held.append(unit)
    if held:
        batches.append(UnitBatch(spec, tuple(held)))
    return batches


def _fits(spec: EncoderSpec, held: list[Unit], unit: Unit) -> bool:
    if spec.modality == TEXT:
        longest = max(unit.size, held[-1].size)
        return len(held) < TEXT_INPUTS and longest * (len(held) + 1) <= TEXT_BYTES
    return sum(one.size for one in held) + unit.size <= AUDIO_WINDOWS


def halves(batch: UnitBatch) -> list[UnitBatch]:
    """Split a batch of several inputs in two."""
    middle = len(batch.units) // 2
    return [UnitBatch(batch.spec, batch.units[:middle]), UnitBatch(batch.spec, batch.units[middle:])]
