"""The Dagster checks of the previews; the questions themselves are in quality.py."""

from rainbow_assets.lineage.dagster import color_checks
from rainbow_assets.release import registry

checks = [*color_checks(registry.PREVIEW.name), *color_checks(registry.PREVIEW_MIX.name)]
