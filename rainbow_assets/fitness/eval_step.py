"""`fusion_evaluation` as a ledger step: what the fold models know of songs that they never met, a row per question.

Every row is predicted by the model of the fold in which its song was held out. Single modalities are the same models
with everything else hidden, which they were trained for; permuted labels and the majority are baselines of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.fitness import data as training
from rainbow_assets.fitness import metrics, model_step, plans, roll, targets
from rainbow_assets.fitness.model_step import FUSION_MODEL
from rainbow_assets.fitness.set_step import FUSION_TRAINING_SET, TABLES
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments.table import column
from rainbow_assets.storage.shard import Shard

if TYPE_CHECKING:
    from rainbow_assets.fitness.model import ModelSpec

VARIANTS = {
    "all": "everything that is known of a held-out segment",
    "audio": "its sound alone", "midi": "its music alone",
    "cropped": "two thirds of its music alone, from anywhere: the slice's place and length tell nothing",
    "concept": "its song's concept alone", "lyric": "its lyric alone",
    "without_concept": "everything but the concept",
    "composer": "music and concept, as the composer scores",
    "other_midi": "concept, and the music of another color",
    "permuted": "models that were trained on shuffled colors", "majority": "the most frequent modes, whatever is heard",
}
SHOWN = {"audio": ("audio",), "midi": ("midi",), "concept": ("concept",), "lyric": ("lyric",),
         "without_concept": ("audio", "midi", "lyric"), "composer": ("midi", "concept")}
MEASURE = pa.struct([("measure", pa.string()), ("value", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
                     ("chance", pa.float64()), ("majority", pa.float64()), ("p_value", pa.float64()),
                     ("songs", pa.int32())])
BIN = pa.struct([("sure", pa.float64()), ("right", pa.float64()), ("rows", pa.int32())])
COLOR = pa.struct([("color", pa.string()), ("songs", pa.int32()), ("rows", pa.int32()),
                   ("fitness", pa.float64()), ("found", pa.float64())])
SCHEMA = pa.schema([
    column("variant", pa.string(), "what the models were shown, or which baseline this is"),
    column("rows", pa.int32(), "held-out rows"),
    column("songs", pa.int32(), "held-out songs"),
    column("measures", pa.list_(MEASURE), "song-level balanced accuracies with 95 % intervals and permutation p"),
    column("colors", pa.list_(COLOR), "per color: median fitness for itself, share of songs whose best color it is"),
    column("fitness_median", pa.float64(), "median fitness of rows for their own color"),
    column("calibration", pa.list_(BIN), "how sure, and how often right, by tenths"),
    column("calibration_error", pa.float64(), "expected calibration error, 0..1"),
])
REASONS = {"no_model": "no fold model was trained; see fusion_model", "no_rows": "no held-out row has these inputs"}
_MODEL, _ROW = f"in:{FUSION_MODEL.name}.model", f"in:{FUSION_TRAINING_SET.name}.row"


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Every question depends on all models and all rows."""
    digests = []
    for step, field in ((FUSION_MODEL, "model"), (FUSION_TRAINING_SET, "row")):
        rows = outputs(shard.store.shard(step.name), step.name, (field,)).sort("key")
        digests.append(digest(rows["key"].to_list(), rows[f"in:{step.name}.{field}"].to_list()))
    records = [(name, "evaluation", *digests) for name in sorted(VARIANTS)]
    return pl.DataFrame(records, schema=dict.fromkeys(["key", "part", _MODEL, _ROW], pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Predict the held-out rows of each fold in every way, and measure."""
    asked = work.rows["key"].to_list()
    if not asked:
        return
    models = {row["model_id"]: row for row in work.upstream(FUSION_MODEL.name).table(model_step.SCHEMA).to_pylist()}
    if not any(row["kind"] == plans.FOLD for row in models.values()) or not model_step.has_torch():
        yield Batch("evaluation", SCHEMA.empty_table(), dict.fromkeys(asked, "no_model"))
        return
    found = predictions(training.load(work.shard.store), models, work.rules.fitness)
    made = [_row(name, found[name], work.rules.fitness.seed) for name in asked if len(found[name])]
    aside = {name: "no_rows" for name in asked if not len(found[name])}
    yield Batch("evaluation", pa.Table.from_pylist(made, schema=SCHEMA), aside)


def predictions(
    data: training.TrainingData, models: dict[str, dict[str, Any]], rules: settings.FitnessRules
) -> dict[str, metrics.Predictions]:
    """Return the held-out predictions of every variant, all folds together; models are rows of `fusion_model`."""
    from rainbow_assets.fitness.train import predict

    found: dict[str, list[metrics.Predictions]] = {name: [] for name in VARIANTS}
    for plan in plans.plans(data, rules):
        row = models.get(plan.model_id)
        if row is None or plan.kind == plans.FINAL:
            continue
        test, spec = data.take(plan.test), spec_of(row)
        if plan.kind == plans.PERMUTED:
            found["permuted"].append(_said(test, predict(row["weights"], spec, test)[0]))
            continue
        found["majority"].append(_said(test, _majority(data.take(plan.train), len(test))))
        for name, rows in variants(test, rules.seed + (plan.fold or 0)).items():
            if len(rows):
                found[name].append(_said(rows, predict(row["weights"], spec, rows)[0]))
    return {name: _together(parts) for name, parts in found.items()}


def spec_of(row: dict[str, Any]) -> ModelSpec:
    """Return the shape of the model in a row of `fusion_model`."""
    from rainbow_assets.fitness.model import ModelSpec

    return ModelSpec(row["profile"], row["audio_dims"], row["concept_dims"], row["lyric_dims"])


def variants(test: training.TrainingData, seed: int) -> dict[str, training.TrainingData]:
    """Return the held-out rows as each variant shows them; a single modality keeps the rows that have it."""
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
    """Return the rows with two thirds of each one's music, from anywhere in it."""
    chance = np.random.Generator(np.random.PCG64(seed))
    notes = []
    for own in rows.notes:
        assert own is not None
        span = int(own["end"].max())
        length = max(1, round(span * 2 / 3))
        part = roll.cut(own, int(chance.integers(0, span - length + 1)), length)
        notes.append(part if len(part) else own)
    return replace(rows, notes=notes)


def with_other_music(rows: training.TrainingData, seed: int) -> training.TrainingData:
    """Return the rows with each one's notes replaced by those of a row of a color with other modes."""
    chance = np.random.Generator(np.random.PCG64(seed))
    kinds = {color: targets.modes(color).tobytes() for color in set(rows.colors)}
    own = np.array([kinds[color] for color in rows.colors])
    others = {kind: np.flatnonzero((own != kind) & rows.has["midi"]) for kind in set(own.tolist())}
    kept = np.array([n for n in range(len(rows)) if len(others[own[n]])], np.int64)
    chosen = [int(chance.choice(others[own[n]])) for n in kept.tolist()]
    return replace(rows.take(kept), notes=[rows.notes[n] for n in chosen])


def _majority(train: training.TrainingData, count: int) -> metrics.Array:
    """Return the mean target of the rows learned from, for every held-out row."""
    weight = train.mask[:, :, None]
    mean = (train.target * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    return np.repeat(mean[None].astype(np.float64), count, axis=0)


def _said(rows: training.TrainingData, probabilities: metrics.Array) -> metrics.Predictions:
    return metrics.Predictions(probabilities, rows.songs, rows.colors)


def _together(parts: list[metrics.Predictions]) -> metrics.Predictions:
    return metrics.Predictions(np.concatenate([np.zeros((0, 3, 3)), *(part.probabilities for part in parts)]),
                               [song for part in parts for song in part.songs],
                               [color for part in parts for color in part.colors])


def own_fitness(found: metrics.Predictions) -> metrics.Array:
    """Return each row's fitness for its own color, without the rows of colors that have no target."""
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


FUSION_EVALUATION = Step(
    name="fusion_evaluation",
    inputs={FUSION_MODEL.name: ("model",), FUSION_TRAINING_SET.name: ("row",), **TABLES},
    compute=compute,
    schema=SCHEMA,
    fields={"metrics": tuple(name for name in SCHEMA.names if name != "variant")},
    key="variant",
    settings=("fitness.folds", "fitness.seed"),
    candidates=candidates,
    reasons=REASONS,
    unit="evaluation",
    colored=False,
    on_request=True,
)
