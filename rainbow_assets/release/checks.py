"""The Dagster checks of `audio` and the previews; the questions themselves are in quality.py."""

from rainbow_assets.lineage.dagster import color_checks
from rainbow_assets.release import registry

STEPS = (registry.AUDIO, registry.PREVIEW, registry.PREVIEW_MIX)
checks = [check for step in STEPS for check in color_checks(step.name)]
