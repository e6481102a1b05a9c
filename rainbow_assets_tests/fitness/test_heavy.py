"""The fitness corpus: the demo's colors can be heard and are found; the same songs with shuffled colors are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rainbow_assets.fitness import contract, export, fusion_evaluation, gates, metrics, plans, targets
from rainbow_assets.fitness.data import TrainingData
from rainbow_assets.fitness.remote import fit_somewhere
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.settings import FitnessRules
from rainbow_assets_tests.fitness import music

# There are notes and concepts only, a third of what the whole corpus has to learn from: more steps, and less text.
RULES = FitnessRules(device="cpu", batch=32, max_epochs=24, concept_dropout=0.7)


def trained(data: TrainingData) -> dict[str, dict[str, Any]]:
    """Train the shipped model and the folds."""
    models = {}
    for plan in plans.plans(data, RULES):
        if plan.kind != plans.PERMUTED:
            done = fit_somewhere(data.take(plan.train), data.take(plan.validation), RULES, RULES.seed + (plan.fold or 0))
            models[plan.model_id] = {"kind": plan.kind, "weights": done.weights, "profile": RULES.profile,
                                     **{f"{name}_dims": length for name, length in data.dims.items()}}
    return models


def judged(data: TrainingData) -> tuple[gates.Judgment, ChromaticScorer, dict[str, dict[str, Any]]]:
    models = trained(data)
    found = fusion_evaluation.predictions(data, models, RULES)
    rows = {name: {"fitness_median": float(np.median(fusion_evaluation.own_fitness(part))),
                   "measures": [{"measure": measure, "value": item.value, "chance": item.chance,
                                 "p_value": item.p_value} for measure, item in metrics.measures(part).items()]}
            for name, part in found.items() if len(part)}
    bare = export.to_onnx(models["final"]["weights"], plans.spec_of(models["final"]))
    signed = contract.Contract("compact", contract.encodings(data.specs, data.dims), "", classes=targets.CLASSES)
    scorer = ChromaticScorer(export.with_contract(bare, signed))
    return gates.judge(scorer, rows), scorer, rows


@pytest.mark.heavy
def test_colors_that_can_be_heard_are_found_on_songs_never_met() -> None:
    judgment, scorer, rows = judged(music.demo(8))
    assert judgment.status == contract.DISCRIMINATIVE, judgment.reasons
    for variant in ("all", "midi", "cropped"):
        modes = next(item for item in rows[variant]["measures"] if item["measure"] == "modes")
        assert modes["value"] > 0.5 and modes["p_value"] < 0.01
    scores = {color: np.median([item.fitness for item in scorer.score_batch(gates.random_progressions(), color=color)])
              for color in targets.targeted()}
    assert len({round(float(value), 3) for value in scores.values()}) > 4, "two colors score alike"


@pytest.mark.heavy
def test_shuffled_colors_are_not_discriminative() -> None:
    judgment, _, _ = judged(music.demo(8, shuffled=True))
    assert judgment.status == contract.NOT_DISCRIMINATIVE
    assert any("on held-out songs" in reason for reason in judgment.reasons)
