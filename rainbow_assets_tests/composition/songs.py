"""Songs, contexts and small rules for the composer's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rainbow_assets.assets import GRAPH
from rainbow_assets.composition.bass import Bass
from rainbow_assets.composition.chords import Chords
from rainbow_assets.composition.drums import Drums
from rainbow_assets.composition.melody import Melody
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, Context, SongBrief
from rainbow_assets.composition.proposal import checked
from rainbow_assets.composition.songs import place_order
from rainbow_assets.composition.templates import templates
from rainbow_assets.harmony.library import builtin_library
from rainbow_assets.lineage.materialize import BuildResult, bring_up_to_date
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.music.keys import parse_key
from rainbow_assets.settings import CompositionRules, Rules
from rainbow_assets.storage.store import ShardStore

METERS = ("4/4", "3/4", "6/8", "7/8", "5/4", "2/2", "9/8", "11/8", "5/8", "13/16", "3/8", "12/8", "1/1", "17/32")
SMALL = CompositionRules(candidates=4, keep=2, beam=2, finals=2, generations=1, bars=4)
LIBRARY = ("chord_library", "progression_library", "function_graph")
STAGES = ("chord_candidates", "drum_candidates", "bass_candidates", "melody_candidates")
MADE = (*STAGES, "final_candidates", "human_evaluation")
FIELDS = {"title": "Field Notes", "key": "A minor", "bpm": 97, "time_signature": "4/4", "rainbow_color": "Green",
          "concept": "A field that forgot its own name."}


def meter(text: str) -> Meter:
    top, bottom = text.split("/")
    return Meter(int(top), int(bottom))


def song(time: str = "4/4", key: str = "A minor", bpm: float = 97.0, bars: int = 8) -> SongBrief:
    return SongBrief("green-x", "X", parse_key(key), bpm, meter(time), "Green", "words", (), bars)


def stage(name: str, context: Context) -> Any:
    """Return a stage for a context, with the templates that come along."""
    if name == CHORDS:
        return Chords(context, builtin_library().pool(context.song.key), templates("strum"))
    kind = {DRUMS: Drums, BASS: Bass}.get(name, Melody)
    return kind(context, templates(name))


def context(time: str, upto: str, seed: int = 1, key: str = "A minor") -> Context:
    """Return the context that the stage ``upto`` composes on: one draw of each stage before."""
    found = Context(song(time, key))
    for name in (CHORDS, DRUMS, BASS):
        if name == upto:
            break
        one = stage(name, found)
        made = one.render(one.draw(SeededDraws(seed, name), 1)[0])
        found = Context(found.song, made.harmony, {**found.parts, name: made.notes})
    return found


def commissioned(store: ShardStore, **changes: Any) -> str:
    """Commission a song by hand; return its id."""
    return place_order(store, checked({**FIELDS, **changes}, "test"), {})


def build(store: ShardStore, *names: str, rules: CompositionRules = SMALL) -> dict[str, BuildResult]:
    """Bring ``names`` (default: everything that the composer needs and makes) up to date."""
    steps = GRAPH
    return {name: bring_up_to_date(steps[name], store, rules=Rules(composition=rules))
            for name in names or (*LIBRARY, *MADE)}


def computed(outcomes: dict[str, BuildResult]) -> dict[str, int]:
    """Return how many rows each asset computed; raise where one was left."""
    for name, outcome in outcomes.items():
        assert outcome.problem is None, (name, outcome.problem)
    return {name: outcome.report.computed for name, outcome in outcomes.items() if outcome.report and outcome.report.computed}


def failed(outcome: BuildResult) -> dict[str, str]:
    return {verdict.check: verdict.message for verdict in outcome.verdicts if not verdict.passed}


def rows(store: ShardStore, name: str) -> list[dict[str, Any]]:
    step = GRAPH[name]
    return sorted(store.shard(name).table(step.schema).to_pylist(), key=lambda row: row[step.key])


def files(store: ShardStore, *names: str) -> dict[str, bytes]:
    """Return the bytes of every table of ``names``."""
    base = Path(store.files.root) / "shards"
    return {str(path.relative_to(base)): path.read_bytes() for name in names
            for path in sorted((base / name).rglob("*.parquet"))}
