"""The Dagster checks of the corpus tables; the questions themselves are in quality.py."""

from rainbow_assets.corpus import registry
from rainbow_assets.lineage.dagster import color_checks

checks = [*color_checks(registry.BASE_MANIFEST.name), *color_checks(registry.SONG_SPLITS.name)]
