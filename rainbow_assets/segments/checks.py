"""The Dagster checks of the segment tables; the questions themselves are in quality.py."""

from rainbow_assets.lineage.dagster import color_checks
from rainbow_assets.segments import registry

checks = [
    check
    for step in (registry.SEGMENTS, registry.SEGMENT_MEDIA, registry.TRAINING_SEGMENTS, registry.TRAINING_FULL)
    for check in color_checks(step.name)
]
