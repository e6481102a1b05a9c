"""Chromatic fitness in one run: rolls against a pretty_midi loop, scoring against torch, training on the demo.

Run: ``python benchmarks/fitness.py [data root]``; without a data root whose tables are built, a demo of 8 songs per
color is rendered and built first (some minutes). Times decide nothing; missed aims are reported.
"""

from __future__ import annotations

import importlib.util
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _size import demo, size

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.demo.write import write_demo
from rainbow_assets.fitness import (
    contract,
    data,
    export,
    fusion_evaluation,
    gates,
    metrics,
    piano_rolls,
    plans,
    roll,
    targets,
)
from rainbow_assets.fitness.model import Exported, ModelSpec, parameters
from rainbow_assets.fitness.remote import fit_somewhere
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.fitness.train import fit, load_model
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

TABLES = ("base_manifest", "song_splits", "segments", "segment_media", "concept_embeddings", "lyric_embeddings",
          "audio_embeddings", "piano_rolls", "fusion_training_set")
CANDIDATES = size(50, 4)


def report(name: str, value: float, aim: float, unit: str, least: bool) -> None:
    """Print one figure beside its aim."""
    missed = value < aim if least else value > aim
    print(f"  {name}: {value:,.3g} {unit} (aim: {'at least' if least else 'at most'} {aim:,g})"
          f"{'  MISSED' if missed else ''}", flush=True)


def best(work: Callable[[], object], times: int = size(5, 1)) -> float:
    """Return the median of ``times`` runs, after one that warms up."""
    work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def rolls(store: ShardStore) -> None:
    """Build the rolls of all segments, and the same by a loop over pretty_midi; compare sizes on disk."""
    midis = [item for color in COLOR_NAMES for _, table in store.shard("segment_media", color).tables(["midi_binary"])
             for item in table.column("midi_binary").to_pylist() if item is not None]
    names = [f"s{n}" for n in range(len(midis))]
    ours = best(lambda: roll.read_many(midis, names))
    table = best(lambda: piano_rolls.table_of([(name, "s", item) for name, item in zip(
        names, roll.read_many(midis, names), strict=True) if not isinstance(item, roll.RollError)]))
    size = sum(part.bytes for color in COLOR_NAMES for part in store.shard("piano_rolls", color).require_index().parts)
    print(f"piano rolls of {len(midis)} segments with MIDI")
    report("dense float32 / on disk", len(midis) * roll.PITCHES * roll.STEPS * 4 / size, 20, "times smaller", True)
    if importlib.util.find_spec("pretty_midi") is None:
        print("  pretty_midi is not installed; pip install pretty_midi to compare with a loop over it")
        return
    import pretty_midi  # type: ignore[import-not-found]

    loop = best(lambda: [pretty_midi.PrettyMIDI(io.BytesIO(item)).get_piano_roll(fs=1000 / roll.STEP_MS)
                         for item in midis], 3)
    report("pretty_midi loop / ours", loop / ours, 10, "times as fast", True)
    print(f"  with digests and the Arrow table: {loop / table:.2g} times as fast")


def scoring(rows: data.TrainingData) -> None:
    """Score 50 candidates with both profiles, and the same with eager torch."""
    midis = list(gates.random_progressions(CANDIDATES))
    notes = [roll.note_windows(roll.read_notes(item))[0] for item in midis]
    for profile, aim in size((("full", 300), ("compact", 100)), (("compact", 100),)):
        rules = settings.FitnessRules(profile=profile, max_epochs=1, batch=16, device="cpu")
        spec = ModelSpec(profile, **rows.dims)
        weights = fit(rows.take(np.flatnonzero(rows.mask.any(axis=1))[:32]), rows.take([]), rules, 1).weights
        model = Exported(load_model(weights, spec)).eval()
        signed = contract.Contract(profile, contract.encodings(rows.specs, rows.dims), "", classes=targets.CLASSES)
        scorer = ChromaticScorer(export.with_contract(export.to_onnx(weights, spec), signed))
        inputs = (torch.from_numpy(roll.stack([roll.cells(item) for item in notes])),
                  *(torch.zeros(CANDIDATES, rows.dims[name]) for name in ("audio", "concept", "lyric")),
                  *(torch.full((CANDIDATES,), name == "midi") for name in data.MODALITIES))

        def eager(model: Exported = model, inputs: tuple[torch.Tensor, ...] = inputs) -> None:
            with torch.inference_mode():
                model(*inputs)

        print(f"scoring {CANDIDATES} candidates, {profile}, {parameters(model):,} parameters")
        onnx, torched = best(lambda scorer=scorer: scorer.probabilities(notes)), best(eager)
        report("from MIDI bytes to fitness",
               best(lambda scorer=scorer: scorer.score_batch(midis, color="Green")) * 1000, aim, "ms", False)
        if profile == "full":
            report("eager torch / ONNX, rolls included in ONNX", torched / onnx, 4, "times as fast", True)


def training(rows: data.TrainingData) -> None:
    """Train the five folds and say what they know of songs that they never met."""
    rules = settings.FitnessRules(device="cpu", **size({}, {"max_epochs": 1, "folds": 3}))
    models, start = {}, time.perf_counter()
    for plan in plans.plans(rows, rules):
        if plan.kind == plans.FOLD:
            seed = rules.seed + (plan.fold or 0)
            done = fit_somewhere(rows.take(plan.train), rows.take(plan.validation), rules, seed)
            models[plan.model_id] = {"kind": plan.kind, "weights": done.weights, "profile": rules.profile,
                                     **{f"{name}_dims": length for name, length in rows.dims.items()}}
    seconds = time.perf_counter() - start
    print(f"training {rules.folds} folds on {len(set(rows.songs))} songs, {len(rows)} segments")
    report("five folds", seconds / 60, 5, "minutes", False)
    report("parameters", done.parameters, 100_000, "", False)
    found = fusion_evaluation.predictions(rows, models, rules)
    for name in ("all", "composer", "audio", "midi", "cropped", "concept", "lyric", "majority"):
        modes = metrics.measures(found[name])["modes"]
        print(f"  held-out songs, {name:<9} balanced accuracy {modes.value:.3f} ({modes.low:.3f} to {modes.high:.3f}), "
              f"chance {modes.chance:.3f}, p = {modes.p_value:.4f}")
    own, other = (float(np.median(fusion_evaluation.own_fitness(found[name]))) for name in ("composer", "other_midi"))
    print(f"  median fitness {own:.3f}, with another color's music {other:.3f}")


def main(root: str | None) -> int:
    """Build what is missing, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        if root is None:
            print(f"rendering and building a demo of {size(64, 16)} songs ...", flush=True)
            os.environ["RAINBOW_CORPUS"] = f"{folder}/corpus"
            write_demo(Path(folder) / "corpus", size(8, 2), **demo())
        store = ShardStore(root or f"{folder}/data")
        for name in TABLES if root is None else ():
            for partition in GRAPH[name].partitions:
                outcome = bring_up_to_date(GRAPH[name], store, partition)
                assert outcome.problem is None, outcome.problem
        rows = data.load(store)
        rolls(store)
        scoring(rows)
        training(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
