"""The composer in one run: a song at default size, rendering, a hundred proposals, evolution against random draws.

Run: ``python benchmarks/composition.py``. The scorers are untrained models of both profiles: speed does not depend on
what a model has learned. Times decide nothing; missed aims are reported.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from _size import TINY, size
from safetensors.torch import save

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rainbow_assets import settings
from rainbow_assets.assets import GRAPH
from rainbow_assets.composition import scoring, sound
from rainbow_assets.composition.bass import Bass
from rainbow_assets.composition.candidates import BASS_CANDIDATES, CHORD_CANDIDATES, DRUM_CANDIDATES, MELODY_CANDIDATES
from rainbow_assets.composition.evolve import Population, compose
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import BASS, Context, SongBrief
from rainbow_assets.composition.proposal import checked
from rainbow_assets.composition.songs import place_order
from rainbow_assets.composition.stage_rows import context_of, kept_rows
from rainbow_assets.composition.templates import templates
from rainbow_assets.embeddings import specs
from rainbow_assets.fitness import contract, export, targets
from rainbow_assets.fitness.model import FusionModel, ModelSpec
from rainbow_assets.fitness.scorer import ChromaticScorer
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.keys import all_keys
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

RULES = settings.CompositionRules()
if TINY:
    RULES = replace(RULES, candidates=4, keep=1, beam=1, finals=1, generations=0, bars=4)
METERS = ("4/4", "3/4", "6/8", "7/8", "5/4", "11/8")
LIBRARY = ("chord_library", "progression_library", "function_graph")
STEPS = (CHORD_CANDIDATES, DRUM_CANDIDATES, BASS_CANDIDATES, MELODY_CANDIDATES)


def report(name: str, value: float, aim: float, unit: str, least: bool) -> None:
    """Print one figure beside its aim."""
    missed = value < aim if least else value > aim
    print(f"  {name}: {value:,.3g} {unit} (aim: {'at least' if least else 'at most'} {aim:,g})"
          f"{'  MISSED' if missed else ''}", flush=True)


def proposed(store: ShardStore, number: int, title: str) -> None:
    """Commission a random song: color, key, meter and tempo follow from ``number``."""
    draws = SeededDraws("benchmark", number)
    place_order(store, checked({
        "title": f"{title} {number}", "concept": f"concept {number}", "bpm": draws.between(40, 220),
        "key": all_keys()[number % 24].label, "time_signature": METERS[number % 6],
        "rainbow_color": COLOR_NAMES[number % 9]}, "benchmark"), {})


def built(store: ShardStore, rules: settings.CompositionRules, *names: str) -> float:
    """Bring ``names`` up to date; return the seconds."""
    start = time.perf_counter()
    for name in names:
        outcome = bring_up_to_date(GRAPH[name], store, rules=settings.Rules(composition=rules))
        assert outcome.problem is None, outcome.problem
        failed = [verdict for verdict in outcome.verdicts if not verdict.passed]
        assert not failed, failed
    return time.perf_counter() - start


def scorer(profile: str) -> ChromaticScorer:
    """Return an untrained scorer of ``profile`` that takes the embedded encoders' vectors."""
    made = {"audio": specs.SIGNAL_AUDIO, "concept": specs.MINILM_TEXT, "lyric": specs.MINILM_TEXT}
    dims = {name: spec.dims for name, spec in made.items()}
    torch.manual_seed(1)
    spec = ModelSpec(profile, **dims)
    encodings = contract.encodings({name: item.digest for name, item in made.items()}, dims)
    signed = contract.Contract(profile, encodings, "", classes=targets.CLASSES)
    weights = save(FusionModel(spec).state_dict())
    return ChromaticScorer(export.with_contract(export.to_onnx(weights, spec), signed))


def one_song(root: Path) -> None:
    """Compose one song three times: by theory alone, and with a scorer of each profile."""
    rules = RULES
    for name, aim in size((("theory alone", 10.0), ("compact", 30.0), ("full", 30.0)),
                          (("theory alone", 10.0), ("compact", 30.0))):
        store = ShardStore(str(root / name.replace(" ", "-")))
        place_order(store, checked({"title": "One", "key": "A minor", "bpm": 97, "time_signature": "4/4",
                                   "rainbow_color": "Green", "concept": "A field that forgot its own name."}, "x"), {})
        built(store, rules, *LIBRARY)
        judge = None if name == "theory alone" else scorer(name)

        def judged(store: ShardStore, song: SongBrief, share: float, judge: Any = judge) -> scoring.SongScorer:
            status = contract.DISCRIMINATIVE if judge else scoring.NONE_MADE
            return scoring.SongScorer(status, judge, song)

        with mock.patch.object(scoring, "scorer_of", judged):
            seconds = built(store, rules, *(step.name for step in STEPS))
        rated = sum(part.facts["evaluated"] for step in STEPS for part in store.shard(step.name).require_index().parts)
        print(f"one song, four stages, {name}: {rated} candidates rated, checks included")
        report("candidates", rated, 350, "", True)
        report("time", seconds, aim, "s", False)
        print(f"  {rated / seconds:,.0f} candidates per second")
    seconds = built(store, rules, "final_candidates")
    rows = store.shard("final_candidates").table(GRAPH["final_candidates"].schema).to_pylist()
    print(f"finals, chosen, rendered and checked: {len(rows)} in {seconds:.1f} s")


def rendering(root: Path) -> None:
    """Render the kept pieces of the first song: every part alone, and their mix."""
    store, by = ShardStore(str(root / "theory-alone")), sound.renderer()
    rows = kept_rows(store.shard(MELODY_CANDIDATES.name))
    proposal = checked({"title": "One", "key": "A minor", "bpm": 97, "time_signature": "4/4", "rainbow_color": "Green",
                        "concept": "x"}, "x").song("x", 8)
    start, length = time.perf_counter(), 0.0
    for row in rows:
        length += sound.seconds(sound.render(from_midi(row["midi"]), proposal, by))
    print(f"{len(rows)} pieces of four parts and a mix by {by.token}")
    report("render", length / (time.perf_counter() - start), 20, "times real time", True)


def hundred(root: Path) -> None:
    """Compose a hundred random proposals with 8 candidates per stage, and three at default size."""
    for count, rules, title in ((size(100, 2), replace(RULES, candidates=size(8, 4)), "small"),
                                (size(3, 1), RULES, "default")):
        store = ShardStore(str(root / title))
        for number in range(count):
            proposed(store, number, title)
        built(store, rules, *LIBRARY)
        seconds = built(store, rules, *(step.name for step in STEPS))
        songs = {row["song_id"] for row in kept_rows(store.shard(MELODY_CANDIDATES.name))}
        print(f"{count} random proposals, {rules.candidates} candidates per stage: {len(songs)} composed, every check "
              f"passed, {seconds / count:.2f} s each")
        report("not composed", count - len(songs), 0, "", False)


def planted(root: Path) -> None:
    """Hide a rhythm and let evolution and as many random draws look for it."""
    store = ShardStore(str(root / "theory-alone"))
    song = checked({"title": "One", "key": "A minor", "bpm": 97, "time_signature": "4/4", "rainbow_color": "Green",
                    "concept": "x"}, "x").song("x", 8)
    context: Context = context_of(song, kept_rows(store.shard(DRUM_CANDIDATES.name))[0])
    secret = {step for step in range(32) if (step * 7 + 3) % 5 < 2}

    def fitness(midis: list[bytes]) -> list[float | None]:
        return [1 - len({note.start // 120 % 32 for note in from_midi(midi)[BASS]} ^ secret) / 32 for midi in midis]

    rules = settings.CompositionRules(generations=size(15, 2), theory_weight=0.0, tournament=4, mutation=0.6, elitism=4)
    line = Population(Bass(context, templates("bass")), context, fitness, rules, SeededDraws(1))
    compose([line], True)
    drawn = Population(Bass(context, templates("bass")), context, fitness, rules, SeededDraws(2))
    other = max(item.fitness or 0 for item in drawn.distinct(len(line.pool), SeededDraws(3), 0))
    best = line.best(1)[0].fitness or 0
    print(f"a planted rhythm, {len(line.pool)} candidates each: evolution finds {best:.3f} of it, random draws "
          f"{other:.3f}; what is left to find is {(1 - other) / max(1e-9, 1 - best):.1f} times as much")


def main() -> int:
    """Measure everything in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(RAINBOW_CHORDS=f"{folder}/no", RAINBOW_THREADS=f"{folder}/no")
        one_song(Path(folder))
        rendering(Path(folder))
        planted(Path(folder))
        hundred(Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
