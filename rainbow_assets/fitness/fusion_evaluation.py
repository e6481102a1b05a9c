"""`fusion_evaluation`: the accuracy of the fold models on songs that they were not trained on, one row per variant.

Each segment is predicted by the model of the fold that has its song as a test song. For a variant with a single
modality, the same models get the other inputs hidden, as they were trained to; permuted labels and the majority are
baselines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.fitness import data as training
from rainbow_assets.fitness import (
    metrics,
    plans,
    roll,
    targets,
)
from rainbow_assets.fitness.modalities import TABLES
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import picture
from rainbow_assets.storage.shard import Shard

if TYPE_CHECKING:
    pass

SHOWN = {"audio": ("audio",), "midi": ("midi",), "concept": ("concept",), "lyric": ("lyric",),
         "without_concept": ("audio", "midi", "lyric"), "composer": ("midi", "concept")}
MEASURE = pa.struct([("measure", pa.string()), ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
                     ("chance", pa.float64()), ("majority", pa.float64()), ("p_value", pa.float64()),
                     ("songs", pa.int32())])
BIN = pa.struct([("sure", pa.float64()), ("right", pa.float64()), ("rows", pa.int32())])
COLOR = pa.struct([("color", pa.string()), ("songs", pa.int32()), ("rows", pa.int32()),
                   ("fitness", pa.float64()), ("found", pa.float64())])
SCHEMA = pa.schema([
    column("variant", pa.string(), "the inputs that the models got, or the baseline"),
    column("rows", pa.int32(), "test rows"),
    column("songs", pa.int32(), "test songs"),
    column("measures", pa.list_(MEASURE), "song-level balanced accuracies with 95 % intervals and permutation p"),
    column("colors", pa.list_(COLOR), "per color: median fitness of its songs, and share of these that fit it best"),
    column("fitness_median", pa.float64(), "median fitness of rows for their own color"),
    column("calibration", pa.list_(BIN), "mean largest probability and share of right predictions, by tenths"),
    column("calibration_error", pa.float64(), "expected calibration error, 0..1"),
])
REASONS = {"no_model": "no fold model was trained; see fusion_model", "no_rows": "no test row has these inputs"}
_MODEL, _ROW = "in:fusion_model.model", "in:fusion_training_set.row"


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return the variants; each depends on all models and all rows."""
    digests = []
    for asset, field in (("fusion_model", "model"), ("fusion_training_set", "row")):
        rows = outputs(shard.store.shard(asset), asset, (field,)).sort("key")
        digests.append(digest(rows["key"].to_list(), rows[f"in:{asset}.{field}"].to_list()))
    records = [(name, "evaluation", *digests) for name in sorted(plans.VARIANTS)]
    return pl.DataFrame(records, schema=dict.fromkeys(["key", "part", _MODEL, _ROW], pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Predict the test rows of each fold in all variants, and measure the predictions of the requested ones."""
    asked = work.asked["key"].to_list()
    if not asked:
        return
    models = {row["model_id"]: row for row in work.upstream("fusion_model").rows()}
    if not any(row["kind"] == plans.FOLD for row in models.values()) or not plans.has_torch():
        yield Batch("evaluation", SCHEMA.empty_table(), dict.fromkeys(asked, "no_model"))
        return
    found = predictions(training.load(work.shard.store), models, work.rules.fitness)
    made = [_row(name, found[name], work.rules.fitness.seed) for name in asked if len(found[name])]
    quarantined = {name: "no_rows" for name in asked if not len(found[name])}
    yield Batch("evaluation", pa.Table.from_pylist(made, schema=SCHEMA), quarantined)


def predictions(
    data: training.TrainingData, models: dict[str, dict[str, Any]], rules: settings.FitnessRules
) -> dict[str, metrics.Predictions]:
    """Return the predictions of the test rows by variant, all folds together; ``models`` are rows of `fusion_model`."""
    from rainbow_assets.fitness.train import predict

    found: dict[str, list[metrics.Predictions]] = {name: [] for name in plans.VARIANTS}
    for plan in plans.plans(data, rules):
        row = models.get(plan.model_id)
        if row is None or plan.kind == plans.FINAL:
            continue
        test, spec = data.take(plan.test), plans.spec_of(row)
        if plan.kind == plans.PERMUTED:
            found["permuted"].append(_predicted(test, predict(row["weights"], spec, test)[0]))
            continue
        found["majority"].append(_predicted(test, _majority(data.take(plan.train), len(test))))
        for name, rows in variants(test, rules.seed + (plan.fold or 0)).items():
            if len(rows):
                found[name].append(_predicted(rows, predict(row["weights"], spec, rows)[0]))
    return {name: _together(parts) for name, parts in found.items()}




def variants(test: training.TrainingData, seed: int) -> dict[str, training.TrainingData]:
    """Return the test rows as each variant shows them; a single modality keeps only the rows that have it."""
    shown = {"all": test}
    for name, modalities in SHOWN.items():
        has = np.any([test.has[item] for item in modalities], axis=0)
        if name == "composer":
            has = test.has["midi"] & test.has["concept"]
        shown[name] = test.take(np.flatnonzero(has)).only(*modalities)
    shown["cropped"] = cropped(shown["midi"], seed)
    shown["other_midi"] = with_other_music(shown["composer"], seed)
    return shown


def cropped(rows: training.TrainingData, seed: int) -> training.TrainingData:
    """Return the rows with two thirds of each one's music, from a random place."""
    rng = np.random.Generator(np.random.PCG64(seed))
    notes = []
    for own in rows.notes:
        assert own is not None
        span = int(own["end"].max())
        length = max(1, round(span * 2 / 3))
        part = roll.excerpt(own, int(rng.integers(0, span - length + 1)), length)
        notes.append(part if len(part) else own)
    return replace(rows, notes=notes)


def with_other_music(rows: training.TrainingData, seed: int) -> training.TrainingData:
    """Return the rows with each one's notes replaced by those of a row whose color has other modes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    kinds = {color: targets.modes(color).tobytes() for color in set(rows.colors)}
    own = np.array([kinds[color] for color in rows.colors])
    others = {kind: np.flatnonzero((own != kind) & rows.has["midi"]) for kind in set(own.tolist())}
    kept = np.array([n for n in range(len(rows)) if len(others[own[n]])], np.int64)
    chosen = [int(rng.choice(others[own[n]])) for n in kept.tolist()]
    return replace(rows.take(kept), notes=[rows.notes[n] for n in chosen])


def _majority(train: training.TrainingData, count: int) -> metrics.Array:
    """Return the mean target of the training rows, once per test row."""
    weight = train.mask[:, :, None]
    mean = (train.target * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    return np.repeat(mean[None].astype(np.float64), count, axis=0)


def _predicted(rows: training.TrainingData, probabilities: metrics.Array) -> metrics.Predictions:
    return metrics.Predictions(probabilities, rows.songs, rows.colors)


def _together(parts: list[metrics.Predictions]) -> metrics.Predictions:
    return metrics.Predictions(np.concatenate([np.zeros((0, 3, 3)), *(part.probabilities for part in parts)]),
                               [song for part in parts for song in part.songs],
                               [color for part in parts for color in part.colors])


def own_fitness(found: metrics.Predictions) -> metrics.Array:
    """Return each row's fitness for its own color; rows of colors without a target are skipped."""
    colors = np.array(found.colors)
    scores = [targets.fitness(found.probabilities[colors == color], color) for color in targets.targeted()
              if (colors == color).any()]
    return np.concatenate([np.zeros(0), *scores])


def _row(name: str, found: metrics.Predictions, seed: int) -> dict[str, Any]:
    bins, error = metrics.calibration(found)
    fits = own_fitness(found)
    return {
        "variant": name, "rows": len(found), "songs": len(set(found.songs)),
        "measures": [{"measure": measure, **asdict(value)} for measure, value in metrics.measures(found, seed).items()],
        "colors": _colors(found), "fitness_median": float(np.median(fits)) if len(fits) else None,
        "calibration": [asdict(item) for item in bins], "calibration_error": None if np.isnan(error) else error,
    }


def _colors(found: metrics.Predictions) -> list[dict[str, Any]]:
    songs = found.by_song()
    best = targets.best_color(songs.probabilities)
    rows, each = np.array(found.colors), np.array(songs.colors)
    return [{"color": color, "songs": int((each == color).sum()), "rows": int((rows == color).sum()),
             "fitness": float(np.median(targets.fitness(found.probabilities[rows == color], color))),
             "found": float(np.mean([best[n] == color for n in np.flatnonzero(each == color)]))
             if color in targets.distinct() else None}
            for color in targets.targeted() if (rows == color).any()]


@check("Models trained on shuffled colors are at chance.")
def permuted_is_chance(shard: Shard) -> Finding:
    """Check that models trained on shuffled colors predict no better than chance; if they do, the folds leak."""
    row = next((row for row in shard.rows() if row["variant"] == "permuted"), None)
    found = next((item for item in (row or {}).get("measures", ()) if item["measure"] == "modes"), None)
    if found is None:
        return Finding(True, "no model was trained on shuffled colors", {"songs": 0})
    numbers = {name: found[name] for name in ("value", "low", "high", "chance", "p_value", "songs")}
    if found["p_value"] < 0.001:
        return Finding(False, f"models trained on shuffled colors reach {found['value']:.3f} (chance "
                              f"{found['chance']:.3f}, p = {found['p_value']:.4f}): training and test rows share "
                              "something", numbers)
    return Finding(True, f"shuffled colors give {found['value']:.3f}, chance gives {found['chance']:.3f}", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the measures of every variant, those of every color, and charts of both."""
    from rainbow_assets.fitness import pictures, summaries  # drawing is slow to load

    rows = [row for shard in built.shards() for row in shard.rows()]
    return {"evaluation": summaries.evaluation(rows), "colors": summaries.colors(rows),
            "charts": picture(pictures.evaluation(rows), "evaluation")} if rows else {}


FUSION_EVALUATION = RowAsset(
    name="fusion_evaluation",
    group="fitness",
    kinds={"pytorch", "parquet"},
    description="Accuracy of the fold models on songs that they were not trained on, with all baselines.",
    reads={"fusion_model": ("model",), "fusion_training_set": ("row",), **TABLES},
    compute=compute,
    columns=SCHEMA,
    fields={"metrics": tuple(name for name in SCHEMA.names if name != "variant")},
    key="variant",
    settings=("fitness.folds", "fitness.seed"),
    candidates=candidates,
    reasons=REASONS,
    unit="evaluation",
    colored=False,
    on_request=True,
    checks=[unique_keys, permuted_is_chance],
    shows=[shown],
)
