"""The name of the Modal app, the prices of GPUs and their expected speed. This module does not import modal.

The prices are those of November 2026, as far as they were known offline: check them before a large run.
"""

from __future__ import annotations

from rainbow_assets.embeddings.specs import CLAP, DEBERTA, DESCRIPTOR, MINILM

APP, CLASS = "rainbow-embeddings", "Embedder"
GPU = "A10G"
USD_PER_SECOND = {"T4": 0.000164, "L4": 0.000222, "A10G": 0.000306, "A100": 0.000583, "H100": 0.001097}
SIZE_PER_SECOND = {DEBERTA: 25_000.0, CLAP: 60.0, MINILM: 20_000.0, DESCRIPTOR: 60.0}
"""Bytes of text, or windows of audio, per GPU second: assumed for plans, not measured (no GPU was available)."""
START_S = 25.0
"""Seconds until a container answers: start, weights from the volume, first pass."""
CONTAINERS = 4
"""Largest number of containers at once; each start costs time."""
