"""The Dagster checks of the tables of threads; the questions themselves are in quality.py and step_quality.py."""

from rainbow_assets.lineage.dagster import color_checks
from rainbow_assets.threads import registry

checks = [check for step in registry.STEPS for check in color_checks(step.name)]
