"""`chromatic_scorer`: the shipped model as one ONNX file, with its contract and the results of its gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.fitness import (
    contract,
    gates,
    plans,
    targets,
)
from rainbow_assets.fitness import data as training
from rainbow_assets.fitness.modalities import TABLES
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import MissingShard, Shard
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.text import some

NAME = "chromatic_scorer"
NUMBER = pa.struct([("name", pa.string()), ("value", pa.float64())])
SCHEMA = pa.schema([
    column("scorer_id", pa.string(), "chromatic_scorer"),
    column("status", pa.string(), "discriminative, or not discriminative: then its scores must not rank anything"),
    column("reasons", pa.list_(pa.string()), "the gates that it failed, with numbers"),
    column("gates", pa.list_(NUMBER), "the numbers of the gates"),
    column("profile", pa.string(), "compact or full"),
    column("weights_sha256", pa.string(), "sha256 of the weights that it was exported from"),
    column("parity", pa.float64(), "largest difference from torch on rows of the training set"),
    column("contract", pa.string(), "the preprocessing contract, as in the file's metadata_props"),
    column("onnx", pa.binary(), "the scorer as an ONNX file"),
])
REASONS = {"no_model": "no model was trained; see fusion_model"}
MOST_DIFFERENCE, COMPARED = 1e-4, 64
_READ = {"fusion_model": "model", "fusion_evaluation": "metrics", "fusion_training_set": "row"}


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return the one scorer; it depends on the models, their evaluation, and the rows that it is compared on."""
    found = {}
    for asset, field in _READ.items():
        rows = outputs(shard.store.shard(asset), asset, (field,)).sort("key")
        name = f"in:{asset}.{field}"
        found[name] = digest(rows["key"].to_list(), rows[name].to_list())
    return pl.DataFrame([{"key": NAME, "part": NAME, **found}])


def compute(work: Work) -> Iterator[Batch]:
    """Export the shipped model, compare it with torch, apply the gates, and write it with its contract."""
    if not len(work.asked):
        return
    rows = {row["model_id"]: row for row in work.upstream("fusion_model").rows()}
    final = rows.get(plans.FINAL)
    if final is None or not plans.has_torch():
        yield Batch(NAME, SCHEMA.empty_table(), {NAME: "no_model"})
        return
    from rainbow_assets.fitness import export

    data = training.load(work.shard.store)
    bare = export.to_onnx(final["weights"], plans.spec_of(final))
    signed = contract.Contract(final["profile"], contract.encodings(data.specs, data.dims), final["weights_sha256"],
                               classes=targets.CLASSES)
    evaluation = {row["variant"]: row for row in
                  work.upstream("fusion_evaluation").rows()}
    # The gates score progressions, so they need a scorer; its contract then gets their results.
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
    wanted, _ = predict(final["weights"], plans.spec_of(final), some)
    return float(np.abs(scorer.probabilities(some.notes) - wanted).max()) if some.has["midi"].any() else 0.0


def load(store: ShardStore) -> ChromaticScorer:
    """Return the store's scorer; raise ``ScorerError`` if none was trained."""
    shard = store.shard(NAME)
    try:
        table = shard.table(SCHEMA, ["onnx"])
    except MissingShard as error:
        raise contract.ScorerError("there is no chromatic scorer yet; run: rainbow fitness train") from error
    if not len(table):
        raise contract.ScorerError("no chromatic scorer could be trained: torch is not installed, or there are too few "
                                   "songs; run: pip install 'rainbow-assets[torch]', then rainbow fitness train")
    return ChromaticScorer(table.column("onnx")[0].as_py())


@check("The ONNX file computes the same as the model.")
def scorer_as_torch(shard: Shard) -> Finding:
    """Check that the ONNX file and the trained model compute the same probabilities, within 1e-4."""
    rows = shard.rows()
    worst = max((row["parity"] for row in rows), default=0.0)
    numbers = {"scorers": len(rows), "largest_difference": worst}
    if worst > MOST_DIFFERENCE:
        return Finding(False, f"the exported scorer differs from the model by {worst:.6f}, but at most "
                              f"{MOST_DIFFERENCE} is allowed; materialize chromatic_scorer again", numbers)
    return Finding(True, f"the scorer differs from the model by {worst:.1e} at most", numbers)


@check("The status agrees with the reasons of the gates.")
def status_told(shard: Shard) -> Finding:
    """Check that a scorer is not discriminative if, and only if, it lists a reason."""
    rows = shard.rows("scorer_id", "status", "reasons")
    wrong = [row["scorer_id"] for row in rows
             if (row["status"] == "discriminative") is bool(row["reasons"])]
    numbers = {"scorers": len(rows), "status": rows[0]["status"] if rows else "no scorer"}
    if wrong:
        return Finding(False, f"the status of {some(wrong)} contradicts its reasons; materialize it again", numbers)
    reasons = "; ".join(rows[0]["reasons"]) if rows else ""
    return Finding(True, f"{numbers['status']}{': ' + reasons if reasons else ''}", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the scorer's status and the numbers of its gates."""
    from rainbow_assets.fitness import summaries

    columns = [name for name in SCHEMA.names if name != "onnx"]
    rows = [row for shard in built.shards() for row in shard.table(SCHEMA, columns).to_pylist()]
    return {"status": rows[0]["status"], "gates": summaries.scorer(rows[0])} if rows else {}


CHROMATIC_SCORER = RowAsset(
    name=NAME,
    group="fitness",
    kinds={"onnx"},
    description="The shipped model as one ONNX file with its contract and the results of its gates.",
    reads={**{asset: (field,) for asset, field in _READ.items()}, **TABLES},
    compute=compute,
    columns=SCHEMA,
    fields={"scorer": ("status", "reasons", "gates", "weights_sha256", "contract")},
    key="scorer_id",
    candidates=candidates,
    reasons=REASONS,
    media=("onnx",),
    unit="scorer",
    colored=False,
    on_request=True,
    checks=[unique_keys, scorer_as_torch, status_told],
    shows=[shown],
)
