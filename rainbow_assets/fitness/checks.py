"""The Dagster checks of the fitness tables; the questions themselves are in quality.py."""

from rainbow_assets.fitness import registry
from rainbow_assets.lineage.dagster import color_checks

checks = [check for name in registry.__all__ for check in color_checks(getattr(registry, name).name)]
