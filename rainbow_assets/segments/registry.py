"""Makes the segment steps and their checks known to gates and plans."""

from rainbow_assets.corpus import registry as upstream  # noqa: F401  (its steps must be known first)
from rainbow_assets.lineage import catalog
from rainbow_assets.segments import quality
from rainbow_assets.segments.extract_step import SEGMENTS
from rainbow_assets.segments.media_step import SEGMENT_MEDIA
from rainbow_assets.segments.training_step import TRAINING_FULL, TRAINING_SEGMENTS

catalog.register(SEGMENTS, quality.segments_checks())
catalog.register(SEGMENT_MEDIA, quality.segment_media_checks())
catalog.register(TRAINING_SEGMENTS, quality.training_segments_checks())
catalog.register(TRAINING_FULL, quality.training_full_checks())
