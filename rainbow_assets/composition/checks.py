"""The Dagster checks of the composer's tables; the questions themselves are in quality.py."""

from rainbow_assets.composition import registry
from rainbow_assets.lineage.dagster import color_checks

checks = [check for step in registry.STEPS for check in color_checks(step.name)]
