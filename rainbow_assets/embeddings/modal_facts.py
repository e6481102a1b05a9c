"""The Modal app by name, what its GPUs cost and how fast they are expected to be. No import of modal is needed.

The price list is Modal's of November 2026, as far as it was known offline: check it before a large run.
"""

from __future__ import annotations

from rainbow_assets.embeddings.specs import CLAP, DEBERTA, DESCRIPTOR, MINILM

APP, CLASS = "rainbow-embeddings", "Embedder"
GPU = "A10G"
USD_PER_SECOND = {"T4": 0.000164, "L4": 0.000222, "A10G": 0.000306, "A100": 0.000583, "H100": 0.001097}
SIZE_PER_SECOND = {DEBERTA: 25_000.0, CLAP: 60.0, MINILM: 20_000.0, DESCRIPTOR: 60.0}
"""Bytes of text, or windows of audio, per GPU second: planned with, not measured (no GPU was at hand)."""
START_S = 25.0
"""Seconds until a container answers: start, weights from the volume, first pass."""
CONTAINERS = 4
"""Containers that work at once, at most; each pays its own start."""
