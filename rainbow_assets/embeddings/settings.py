"""Settings of embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Unit, doc


@dataclass(frozen=True)
class EmbeddingRules:
    """Which vectors are made, and where. Only ``profile`` and ``audio_checkpoint`` shape rows (through their specs)."""

    profile: Annotated[Literal["embedded", "production"], doc(
        "embedded: offline, no torch. production: DeBERTa and CLAP.")] = "embedded"
    audio_checkpoint: Annotated[str, doc(
        "Audio encoder of the production profile; laion/clap-htsat-unfused is the other one."
    )] = "laion/larger_clap_music"
    engine: Annotated[Literal["local", "modal"], doc("local (this machine) or modal (GPUs by the second).")] = "local"
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], doc("Device of the local engine.")] = "auto"
    budget_usd: Annotated[float, Ge(0), Le(1_000_000), Unit("USD"), doc(
        "A run that is estimated to cost more does not start, and one that has cost more stops.")] = 5.0
    retries: Annotated[int, Ge(0), Le(100), doc(
        "How often an input is tried again before the run stops (unreachable engine) or quarantines it (poisoned)."
    )] = 3
