"""Makes the embedding steps and their checks known to gates and plans."""

from rainbow_assets.embeddings import quality
from rainbow_assets.embeddings.steps import AUDIO_EMBEDDINGS, CONCEPT_EMBEDDINGS, LYRIC_EMBEDDINGS, STEPS
from rainbow_assets.lineage import catalog
from rainbow_assets.segments import registry as upstream  # noqa: F401  (its steps must be known first)

for step in STEPS:
    catalog.register(step, quality.embedding_checks(step))

__all__ = ["AUDIO_EMBEDDINGS", "CONCEPT_EMBEDDINGS", "LYRIC_EMBEDDINGS", "STEPS"]
