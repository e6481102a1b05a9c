"""`chromatic_scorer` as a ledger step: the shipped model as one ONNX file, with its contract and what it is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.fitness import contract, eval_step, gates, model_step, plans, targets
from rainbow_assets.fitness import data as training
from rainbow_assets.fitness.eval_step import FUSION_EVALUATION
from rainbow_assets.fitness.model_step import FUSION_MODEL
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.fitness.set_step import FUSION_TRAINING_SET, TABLES
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments.table import column
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import MissingShard, Shard
from rainbow_assets.storage.store import ShardStore

NAME = "chromatic_scorer"
NUMBER = pa.struct([("name", pa.string()), ("value", pa.float64())])
SCHEMA = pa.schema([
    column("scorer_id", pa.string(), "chromatic_scorer"),
    column("status", pa.string(), "discriminative, or not discriminative: then nothing should be ranked by it"),
    column("reasons", pa.list_(pa.string()), "which gates it failed, with numbers"),
    column("gates", pa.list_(NUMBER), "the gates' numbers"),
    column("profile", pa.string(), "compact or full"),
    column("weights_sha256", pa.string(), "sha256 of the weights that it was made from"),
    column("parity", pa.float64(), "largest difference from torch on rows of the training set"),
    column("contract", pa.string(), "the preprocessing contract, as in the file's metadata_props"),
    column("onnx", pa.binary(), "the scorer"),
])
REASONS = {"no_model": "no model was trained; see fusion_model"}
MOST_DIFFERENCE, COMPARED = 1e-4, 64
_READ = ((FUSION_MODEL, "model"), (FUSION_EVALUATION, "metrics"), (FUSION_TRAINING_SET, "row"))


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """The one scorer follows from the models, from what they were worth, and from the rows it is tried on."""
    found = {}
    for step, field in _READ:
        rows = outputs(shard.store.shard(step.name), step.name, (field,)).sort("key")
        name = f"in:{step.name}.{field}"
        found[name] = digest(rows["key"].to_list(), rows[name].to_list())
    return pl.DataFrame([{"key": NAME, "part": NAME, **found}])


def compute(work: Work) -> Iterator[Batch]:
    """Export the shipped model, compare it with torch, ask the gates, and write it with its contract."""
    if not len(work.rows):
        return
    rows = {row["model_id"]: row for row in work.upstream(FUSION_MODEL.name).table(model_step.SCHEMA).to_pylist()}
    final = rows.get(plans.FINAL)
    if final is None or not model_step.has_torch():
        yield Batch(NAME, SCHEMA.empty_table(), {NAME: "no_model"})
        return
    from rainbow_assets.fitness import export

    data = training.load(work.shard.store)
    bare = export.to_onnx(final["weights"], eval_step.spec_of(final))
    signed = contract.Contract(final["profile"], contract.encodings(data.specs, data.dims), final["weights_sha256"],
                               classes=targets.CLASSES)
    evaluation = {row["variant"]: row for row in
                  work.upstream(FUSION_EVALUATION.name).table(eval_step.SCHEMA).to_pylist()}
    draft = ChromaticScorer(export.with_contract(bare, signed))
    judged = gates.judge(draft, evaluation)
    signed = contract.Contract(final["profile"], signed.encoders, final["weights_sha256"], judged.status,
                               judged.reasons, judged.numbers, classes=targets.CLASSES)
    row = {
        "scorer_id": NAME, "status": judged.status, "reasons": list(judged.reasons),
        "gates": [{"name": name, "value": value} for name, value in judged.numbers.items()],
        "profile": final["profile"], "weights_sha256": sha256_bytes(final["weights"]),
        "parity": parity(draft, final, data), "contract": signed.to_json(),
        "onnx": export.with_contract(bare, signed),
    }
    yield Batch(NAME, pa.Table.from_pylist([row], schema=SCHEMA))


def parity(scorer: ChromaticScorer, final: dict[str, Any], data: training.TrainingData) -> float:
    """Return the largest difference between the scorer's and torch's probabilities on rows with music."""
    from rainbow_assets.fitness.train import predict

    some = data.take(np.flatnonzero(data.has["midi"])[:COMPARED]).only("midi")
    if not len(some):
        some = data.take(np.arange(min(COMPARED, len(data)))).only("concept")
    wanted, _ = predict(final["weights"], eval_step.spec_of(final), some)
    return float(np.abs(scorer.probabilities(some.notes) - wanted).max()) if some.has["midi"].any() else 0.0


def load(store: ShardStore) -> ChromaticScorer:
    """Return the store's scorer; raise ``ScorerError`` where none was trained."""
    shard = store.shard(NAME)
    try:
        table = shard.table(SCHEMA, ["onnx"])
    except MissingShard as error:
        raise contract.ScorerError("there is no chromatic scorer yet; run: rainbow fitness train") from error
    if not len(table):
        raise contract.ScorerError("no chromatic scorer could be trained: torch is not installed, or there are too few "
                                   "songs; run: pip install 'rainbow-assets[torch]', then rainbow fitness train")
    return ChromaticScorer(table.column("onnx")[0].as_py())


CHROMATIC_SCORER = Step(
    name=NAME,
    inputs={**{step.name: (field,) for step, field in _READ}, **TABLES},
    compute=compute,
    schema=SCHEMA,
    fields={"scorer": ("status", "reasons", "gates", "weights_sha256", "contract")},
    key="scorer_id",
    candidates=candidates,
    reasons=REASONS,
    media=("onnx",),
    unit="scorer",
    colored=False,
    on_request=True,
)
