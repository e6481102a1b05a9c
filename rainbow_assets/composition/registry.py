"""Makes the composer's steps and their checks known to gates and plans."""

from rainbow_assets.composition import quality
from rainbow_assets.composition.evaluation_step import HUMAN_EVALUATION
from rainbow_assets.composition.final_step import FINAL_CANDIDATES
from rainbow_assets.composition.steps import BASS_CANDIDATES, CHORD_CANDIDATES, DRUM_CANDIDATES, MELODY_CANDIDATES
from rainbow_assets.fitness import registry as scorer  # noqa: F401  (its steps must be known first)
from rainbow_assets.lineage import catalog
from rainbow_assets.threads import registry as threads  # noqa: F401

STAGES = (CHORD_CANDIDATES, DRUM_CANDIDATES, BASS_CANDIDATES, MELODY_CANDIDATES)
for _step in STAGES:
    catalog.register(_step, quality.stage_checks(_step))
catalog.register(FINAL_CANDIDATES, quality.final_checks())
catalog.register(HUMAN_EVALUATION, quality.evaluation_checks())
STEPS = (*STAGES, FINAL_CANDIDATES, HUMAN_EVALUATION)
