"""Makes the steps of the release room and their checks known to gates and plans."""

from rainbow_assets.embeddings import registry as vectors  # noqa: F401  (its steps must be known first)
from rainbow_assets.lineage import catalog
from rainbow_assets.release import quality
from rainbow_assets.release.audio_step import AUDIO
from rainbow_assets.release.preview_step import PREVIEW, PREVIEW_MIX
from rainbow_assets.segments import registry as upstream  # noqa: F401  (its steps must be known first)

catalog.register(AUDIO, quality.audio_checks())
catalog.register(PREVIEW, quality.preview_checks())
catalog.register(PREVIEW_MIX, quality.preview_mix_checks())
