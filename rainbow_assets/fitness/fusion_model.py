"""`fusion_model`: a row per trained model, each in its own part, with weights and learning curve.

Each model is trained once for its training set and settings. Checkpoints are kept beside the shards until the model is
written, so that a killed training continues from the last epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import progress, settings
from rainbow_assets.digests import digest
from rainbow_assets.fitness import data as training
from rainbow_assets.fitness import (
    plans,
)
from rainbow_assets.fitness.modalities import TABLES
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import picture
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

EPOCH = pa.struct([("epoch", pa.int32()), ("train_loss", pa.float64()), ("validation_loss", pa.float64()),
                   ("learning_rate", pa.float64())])
SCHEMA = pa.schema([
    column("model_id", pa.string(), "final: the shipped one; fold_n: tested on fold n; permuted_n: shuffled colors"),
    column("kind", pa.string(), "final, fold or permuted"),
    column("fold", pa.int32(), "fold of the test songs; null for the shipped model"),
    column("profile", pa.string(), "compact or full"),
    column("audio_dims", pa.int32(), "length of the audio vectors"),
    column("concept_dims", pa.int32(), "length of the concept vectors"),
    column("lyric_dims", pa.int32(), "length of the lyric vectors"),
    column("parameters", pa.int64(), "number of learned parameters"),
    column("train_songs", pa.int32(), "songs to train on"),
    column("validation_songs", pa.int32(), "songs that decide when to stop"),
    column("test_songs", pa.int32(), "songs to test with"),
    column("best_epoch", pa.int32(), "epoch of the weights"),
    column("history", pa.list_(EPOCH), "the learning curve"),
    column("weights_sha256", pa.string(), "sha256 of the weights"),
    column("weights", pa.binary(), "weights as a safetensors file"),
])
REASONS = {
    "no_torch": "torch is not installed; run: pip install 'rainbow-assets[torch]', or set fitness.engine = \"modal\"",
    "too_few_songs": "there are no songs with a target to train on, or no songs to test with",
}
SHAPING = ("profile", "folds", "max_epochs", "patience", "batch", "learning_rate", "modality_dropout",
           "concept_dropout", "transpose", "seed")
CHECKPOINTS = "fitness/checkpoints"
_ROW = "in:fusion_training_set.row"




def can_train(rules: settings.Rules) -> str:
    """Return ``here`` if models can be trained with torch or on Modal, else ``nowhere``.

    It is part of every row's input, so that rows quarantined for lack of torch become stale when torch is installed.
    """
    return "here" if plans.has_torch() or rules.fitness.engine == "modal" else "nowhere"


def source(shard: Shard) -> str:
    """Return a token that changes when torch is installed or removed."""
    return can_train(settings.default_rules())


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return the models; each depends on all rows of the training set."""
    rows = outputs(shard.store.shard("fusion_training_set"), "fusion_training_set", ("row",)).sort("key")
    made_from = digest(rows["key"].to_list(), rows[_ROW].to_list(), can_train(rules))
    records = [(name, name, made_from) for name, _, _ in plans.names(rules.fitness)]
    return pl.DataFrame(records, schema=dict.fromkeys(["key", "part", _ROW], pl.String), orient="row").sort("key")


def compute(work: Work) -> Iterator[Batch]:
    """Train the requested models, one after the other."""
    asked = {part: rows["key"].to_list() for part, rows in work.parts()}
    if can_train(work.rules) == "nowhere":
        for part, keys in asked.items():
            yield Batch(part, SCHEMA.empty_table(), dict.fromkeys(keys, "no_torch"))
        return
    from rainbow_assets.fitness.remote import fit_somewhere

    data, rules = training.load(work.shard.store), work.rules.fitness
    made_from = dict(work.asked.select("key", _ROW).iter_rows())
    files = work.shard.store.files.below(CHECKPOINTS)
    with progress.bar("training") as tick:
        for plan in plans.plans(data, rules):
            if plan.model_id not in asked:
                continue
            if not plan.usable(data):
                yield Batch(plan.model_id, SCHEMA.empty_table(), {plan.model_id: "too_few_songs"})
                continue
            seed = rules.seed + (plan.fold or 0)
            rows = plans.permuted(data, seed) if plan.kind == plans.PERMUTED else data
            # The name has the digest of all inputs, so a training never resumes from a checkpoint of other data.
            kept = f"{plan.model_id}-{digest(made_from[plan.model_id], settings.values(work.rules, ('fitness',)))}"
            name = f"{kept}.safetensors"

            def report(done: int, total: int, model: str = plan.model_id) -> None:
                tick(model, done, total)

            fitted = fit_somewhere(rows.take(plan.train), rows.take(plan.validation), rules, seed,
                                   files.read(name), lambda state, to=name: files.write(to, state), report)
            yield Batch(plan.model_id, pa.Table.from_pylist([_row(plan, data, rules, fitted)], schema=SCHEMA))
            files.remove(name)


def _row(plan: plans.FitPlan, data: training.TrainingData, rules: settings.FitnessRules, fitted: Any) -> dict[str, Any]:
    def songs(places: plans.Places) -> int:
        return len({data.songs[n] for n in places.tolist()})

    return {
        "model_id": plan.model_id, "kind": plan.kind, "fold": plan.fold, "profile": rules.profile,
        **{f"{name}_dims": length for name, length in data.dims.items()}, "parameters": fitted.parameters,
        "train_songs": songs(plan.train), "validation_songs": songs(plan.validation), "test_songs": songs(plan.test),
        "best_epoch": fitted.best_epoch, "weights_sha256": sha256_bytes(fitted.weights), "weights": fitted.weights,
        "history": [{"epoch": item.epoch, "train_loss": item.train_loss, "validation_loss": item.validation_loss,
                     "learning_rate": item.learning_rate} for item in fitted.history],
    }


@check("Every training loss fell and is finite.")
def models_learned(shard: Shard) -> Finding:
    """Check that every model's loss fell and stayed finite."""
    wrong, rows = [], shard.rows("model_id", "history")
    for row in rows:
        losses = [item["train_loss"] for item in row["history"]]
        if not losses or not np.isfinite(losses).all() or (len(losses) > 1 and min(losses[1:]) >= losses[0]):
            wrong.append(row["model_id"])
    numbers = {"models": len(rows), "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{some(wrong)} did not learn: the training loss is not finite or did not fall; lower "
                              "fitness.learning_rate", numbers)
    return Finding(True, f"the training loss of {len(rows)} models fell", numbers)


@check("Every fold model has test songs that it was not trained on.")
def models_apart(shard: Shard) -> Finding:
    """Check that each fold model has test songs, and that the songs of each one add up to the same number."""
    rows = shard.rows("model_id", "kind", "train_songs", "validation_songs", "test_songs")
    totals = defaultdict(set)
    for row in rows:
        if row["kind"] != plans.FINAL:
            totals[row["train_songs"] + row["validation_songs"] + row["test_songs"]].add(row["model_id"])
    numbers = {"models": len(rows), "sums": len(totals)}
    lacking = [row["model_id"] for row in rows if row["kind"] != plans.FINAL and not row["test_songs"]]
    if len(totals) > 1 or lacking:
        return Finding(False, "some fold models have no test songs, or use a song twice or not at all "
                              f"({some(lacking or sorted(map(str, totals)))})", numbers)
    return Finding(True, f"{len(rows)} models; each fold model has test songs that it was not trained on", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return a table of the models and their learning curves."""
    from rainbow_assets.fitness import pictures, summaries  # drawing is slow to load

    columns = [name for name in SCHEMA.names if name != "weights"]
    rows = [row for shard in built.shards() for row in shard.table(SCHEMA, columns).to_pylist()]
    return {"models": summaries.models(rows),
            "curves": picture(pictures.curves(rows), "learning curves")} if rows else {}


FUSION_MODEL = RowAsset(
    name="fusion_model",
    group="fitness",
    kinds={"pytorch"},
    description=(
        "The shipped model, one model per fold of songs, and one per fold on shuffled colors; needs "
        "torch or Modal."),
    reads={"fusion_training_set": ("row",), **TABLES},
    compute=compute,
    columns=SCHEMA,
    fields={"model": tuple(name for name in SCHEMA.names if name not in ("model_id", "history", "weights"))},
    key="model_id",
    settings=tuple(f"fitness.{name}" for name in SHAPING),
    candidates=candidates,
    source=source,
    reasons=REASONS,
    media=("weights",),
    unit="model",
    colored=False,
    on_request=True,
    checks=[unique_keys, models_learned, models_apart],
    shows=[shown],
)
