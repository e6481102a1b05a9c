"""Makes the fitness steps and their checks known to gates and plans."""

from rainbow_assets.embeddings import registry as upstream  # noqa: F401  (its steps must be known first)
from rainbow_assets.fitness import quality
from rainbow_assets.fitness.eval_step import FUSION_EVALUATION
from rainbow_assets.fitness.model_step import FUSION_MODEL
from rainbow_assets.fitness.roll_step import PIANO_ROLLS
from rainbow_assets.fitness.scorer_step import CHROMATIC_SCORER
from rainbow_assets.fitness.set_step import FUSION_TRAINING_SET
from rainbow_assets.harmony import registry as chords  # noqa: F401
from rainbow_assets.lineage import catalog

catalog.register(PIANO_ROLLS, quality.piano_roll_checks())
catalog.register(FUSION_TRAINING_SET, quality.training_set_checks())
catalog.register(FUSION_MODEL, quality.model_checks())
catalog.register(FUSION_EVALUATION, quality.evaluation_checks())
catalog.register(CHROMATIC_SCORER, quality.scorer_checks())

__all__ = ["CHROMATIC_SCORER", "FUSION_EVALUATION", "FUSION_MODEL", "FUSION_TRAINING_SET", "PIANO_ROLLS"]
