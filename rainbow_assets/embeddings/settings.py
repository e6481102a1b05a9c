"""Settings of embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, Unit, doc


@dataclass(frozen=True)
class EmbeddingRules:
    """Encoders and engines. Only ``profile`` and ``audio_checkpoint`` affect rows: they choose the specs."""

    profile: Annotated[Literal["embedded", "production"], doc(
        "embedded: offline, no torch. production: DeBERTa and CLAP.")] = "embedded"
    audio_checkpoint: Annotated[str, doc(
        "Audio encoder of the production profile: laion/larger_clap_music or laion/clap-htsat-unfused."
    )] = "laion/larger_clap_music"
    engine: Annotated[Literal["local", "modal"], doc("Engine: local (this machine) or modal (rented GPUs).")] = "local"
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], doc("Device of the local engine.")] = "auto"
    budget_usd: Annotated[float, Ge(0), Le(1_000_000), Unit("USD"), doc(
        "Largest price of a run: it does not start if its estimate is higher, and stops when it has cost more.")] = 5.0
    retries: Annotated[int, Ge(0), Le(100), doc(
        "Retries of an input before the run stops (unreachable engine) or quarantines it (poisoned input)."
    )] = 3
