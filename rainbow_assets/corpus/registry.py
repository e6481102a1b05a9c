"""Makes the corpus steps and their checks known to gates and plans."""

from rainbow_assets.corpus import changes, quality
from rainbow_assets.corpus.split_step import SONG_SPLITS
from rainbow_assets.corpus.steps import BASE_MANIFEST
from rainbow_assets.lineage import catalog, reasons

catalog.register(BASE_MANIFEST, quality.base_manifest_checks())
catalog.register(SONG_SPLITS, quality.song_splits_checks())
reasons.explain_with(BASE_MANIFEST.name, changes.explain)
