"""The asset that the four stages share: one row per candidate, one part per song, all draws seeded.

The candidates of a song come from one evolution, so they are computed together: if the proposal, the parents, the
templates, the scorer or the settings change, all of the stage's rows of that song are rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.composition import ranking, scoring
from rainbow_assets.composition.checks import candidates_differ, pieces_whole, scores_told, songs_composed
from rainbow_assets.composition.errors import ConstantFitness, TooFewCandidates
from rainbow_assets.composition.evolve import Population, Rated, compose
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import CHORDS, DRUMS, LETTERS, SILENT, ChordSpan, Context, SongBrief
from rainbow_assets.composition.songs import SongOrder, of_store, orders
from rainbow_assets.composition.stage import Stage
from rainbow_assets.composition.templates import own_folder, template_digest
from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.markdown import picture
from rainbow_assets.music.draws import SeededDraws
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore

NUMBER = pa.struct([("name", pa.string()), ("value", pa.float64())])
CHORD = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("name", pa.string()), ("function", pa.string()),
                   ("root", pa.int32()), ("classes", pa.list_(pa.int32()))])
ANCESTOR = pa.struct([("stage", pa.string()), ("candidate_id", pa.string()), ("pattern", pa.string()),
                      ("explanation", pa.string()), ("score", pa.float64()), ("theory", pa.float64()),
                      ("fitness", pa.float64())])
SCHEMA = pa.schema([
    column("candidate_id", pa.string(), "key: song.c07.d31.b02.m11 names the chords, drums, bass and melody"),
    column("song_id", pa.string(), "song, the name of its folder in compositions"),
    column("stage", pa.string(), "chords, drums, bass or melody"),
    column("parent_id", pa.string(), "kept candidate of the stage before that it builds on; null for chords"),
    column("rank", pa.int32(), "place by score among the candidates of its parent, from 1"),
    column("kept", pa.bool_(), "True if the next stage builds on it"),
    column("score", pa.float64(), "theory and fitness, 0..1, normalized by the stage's random draws (mean 0.5)"),
    column("total", pa.float64(), "mean score of the candidate and its ancestors"),
    column("theory", pa.float64(), "weighted mean of the theory terms, 0..1"),
    column("terms", pa.list_(NUMBER), "the theory terms"),
    column("fitness", pa.float64(), "chromatic fitness of file and concept; null without a scorer or target"),
    column("relative", pa.float64(), "fitness minus that of the concept alone"),
    column("scorer_status", pa.string(), "discriminative, not discriminative, no scorer, no target or by theory"),
    column("pattern", pa.string(), "template that it is based on"),
    column("origin", pa.string(), "draw, crossover, mutation, or silent for a stage that is left out"),
    column("generation", pa.int32(), "generation that it was bred in; 0 for a draw"),
    column("explanation", pa.string(), "description of the part in one line"),
    column("lineage", pa.list_(ANCESTOR), "the candidate and all of its ancestors, chords first"),
    column("title", pa.string(), "title of the proposal"),
    column("rainbow_color", pa.string(), "full color name"),
    column("key", pa.string(), "key of the song"),
    column("bpm", pa.float64(), "quarter notes per minute"),
    column("time_signature", pa.string(), "time signature, for example 7/8"),
    column("bars", pa.int32(), "length in bars"),
    column("concept", pa.string(), "concept of the proposal"),
    column("thread_id", pa.string(), "thread that proposed the song; null for a proposal by hand"),
    column("harmony", pa.list_(CHORD), "chords that sound, in ticks of 480 per quarter note"),
    column("midi_sha256", pa.string(), "sha256 of the file"),
    column("midi", pa.binary(), "MIDI file of all parts so far: the bytes that were scored and are published"),
])
REASONS = {
    "unreadable_proposal": "the song's proposal.yml was rejected; the check songs_composed names the field",
    "no_parent": "the stage before has no candidate of the song",
    "not_composed": "too few candidates differ, or fitness is the same for all of them",
}
COMMISSIONS, TEMPLATES = "commissions", "templates"
SETTINGS = ("candidates", "keep", "prune", "beam", "generations", "tournament", "elitism", "crossover", "mutation",
            "theory_weight", "diversity", "bars", "seed", "stages")
Make = Callable[[Context, ShardStore], Stage[Any]]


@dataclass(frozen=True)
class Plan:
    """A stage as its asset needs it: its name, its kind of templates, and the function that makes it for a context."""

    name: str
    templates: str
    make: Make
    before: str | None = None
    reads: tuple[tuple[str, str], ...] = ()
    """Other assets, with a field of each, of which the stage reads all rows."""

    @property
    def asset(self) -> str:
        """Asset key."""
        return _asset(self.name)

    @property
    def above(self) -> str | None:
        """Asset key of the stage before."""
        return _asset(self.before) if self.before else None

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """What the stage reads. A proposal may refer to a thread, so the first stage depends on that thread's row."""
        upstream = {self.above: ("candidate",), "thread_manifests": ()} if self.above else {
            "thread_manifests": ("thread",)}
        return {COMMISSIONS: ("proposal",), **upstream, **{asset: (name,) for asset, name in self.reads},
                scoring.NAME: ("scorer",), TEMPLATES: ("patterns",)}


def _asset(stage: str) -> str:
    return f"{'chord' if stage == CHORDS else 'drum' if stage == DRUMS else stage}_candidates"


def whole(shard: Shard, asset: str, field: str) -> str:
    """Return one digest of all rows of an upstream, or ``-`` if it has not been built."""
    upstream = shard.store.shard(asset)
    if upstream.index() is None:
        return "-"
    rows = outputs(upstream, asset, (field,)).sort("key")
    return digest(rows["key"].to_list(), rows[f"in:{asset}.{field}"].to_list())


def kept_rows(shard: Shard, song_id: str | None = None, columns: list[str] | None = None) -> list[dict[str, Any]]:
    """Return the kept candidates of a stage (of ``song_id``, if given), sorted by id."""
    table = shard.table(SCHEMA, columns)
    return sorted((row for row in table.to_pylist() if row["kept"] and song_id in (None, row["song_id"])),
                  key=lambda row: row["candidate_id"])


def stage(plan: Plan, description: str) -> RowAsset:
    """Return the asset of a stage."""
    before = plan.above
    return RowAsset(
        name=plan.asset, group="composition", kinds={"midi"}, description=description,
        reads=plan.inputs, compute=partial(compute, plan), columns=SCHEMA,
        fields={"candidate": tuple(name for name in SCHEMA.names if name not in ("candidate_id", "midi"))},
        key="candidate_id", settings=tuple(f"composition.{name}" for name in SETTINGS), libraries=("symusic",),
        candidates=partial(candidates, plan), source=partial(source, plan), reasons=REASONS, media=("midi",),
        unit="song", colored=False, on_request=True,
        optional=("thread_manifests", scoring.NAME), through={"thread_manifests": ("thread",)},
        joins={before: pl.col("key").str.replace(r"\.[a-z]\d+$", "")} if before else {},
        chosen_by=(f"{before}.candidate",) if before else (), shows=[shown],
        checks=[unique_keys, *(() if before else (songs_composed,)), pieces_whole, candidates_differ, scores_told],
    )


def candidates(plan: Plan, shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the candidates of each ordered song, or one row for the song if none can be made; it is quarantined."""
    made_from = {name: whole(shard, *name.removeprefix("in:").split(".")) for name in
                 (f"in:{scoring.NAME}.scorer", *(f"in:{asset}.{field}" for asset, field in plan.reads))}
    made_from[f"in:{TEMPLATES}.patterns"] = patterns(plan, shard)
    rows = []
    for item in orders(shard.store):
        proposal = item.proposal.digest if item.proposal else digest(item.problem)
        own = {f"in:{COMMISSIONS}.proposal": proposal, **made_from}
        if plan.above:
            parents = _parents(shard, plan.above, item.song_id)
            own[f"in:{plan.above}.candidate"] = digest(parents)
            keys = [f"{parent}.{name}" for parent, _ in parents for name in _numbers(plan.name, rules)]
        else:
            own["in:thread_manifests.thread"] = "-"
            keys = [f"{item.song_id}.{name}" for name in _numbers(plan.name, rules)] if item.proposal else []
        rows += [{"key": key, "part": item.song_id, **own} for key in keys or [item.song_id]]
    columns = ["key", "part", *(f"in:{asset}.{field}" for asset, fields in plan.inputs.items() for field in fields)]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row").sort("key")


def patterns(plan: Plan, shard: Shard) -> str:
    """Return a digest of the templates that the stage chooses from."""
    return template_digest(plan.templates, own_folder(of_store(shard.store).parent))


def source(plan: Plan, shard: Shard) -> str:
    """Return a digest of the orders and the templates."""
    return digest([[item.song_id, item.proposal.digest if item.proposal else item.problem]
                   for item in orders(shard.store)], patterns(plan, shard))


def compute(plan: Plan, work: Work) -> Iterator[Batch]:
    """Compose the stage of each asked song over the kept candidates of the stage before."""
    known = {item.song_id: item for item in orders(work.shard.store)}
    for part, rows in work.parts():
        item = known[part]
        if rows["key"].to_list() == [part]:
            reason = "no_parent" if item.proposal else BUG if item.bug else "unreadable_proposal"
            sentences = {part: item.problem} if item.problem else {}
            yield Batch(part, SCHEMA.empty_table(), {part: reason}, sentences=sentences)
            continue
        kept = kept_rows(work.upstream(plan.above)) if plan.above else []
        own = [row for row in kept if row["song_id"] == part]
        yield work.guarded(part, rows, partial(_composed, work, plan, item, own, rows["key"].to_list()))


def shown(built: Built) -> Mapping[str, Any]:
    """Return a table of the stage's songs and a chart of scores by generation."""
    from rainbow_assets.composition import pictures, summaries  # matplotlib is slow to load

    facts = [part.facts for shard in built.shards() for part in shard.require_index().parts
             if "generations" in part.facts]
    if not facts:
        return {}
    chart = picture(pictures.evolution(facts, built.asset.name), "evolution")
    return {"stage": summaries.stages(facts), "evolution": chart}


def _parents(shard: Shard, asset: str, song_id: str) -> list[tuple[str, str]]:
    """Return (id, digest) of the kept candidates of a song in the stage before."""
    upstream = shard.store.shard(asset)
    kept = {row["candidate_id"] for row in kept_rows(upstream, song_id, ["candidate_id", "song_id", "kept"])}
    rows = outputs(upstream, asset, ("candidate",))
    return sorted((key, out) for key, out in rows.select("key", f"in:{asset}.candidate").iter_rows() if key in kept)


def _numbers(stage: str, rules: settings.Rules) -> list[str]:
    """Return the names of one parent's candidates: ``c01`` to ``c50``, or only ``d00`` for a stage that is left out."""
    if stage not in rules.composition.stages.replace(" ", "").split(","):
        return [f"{LETTERS[stage]}00"]
    return [f"{LETTERS[stage]}{number:02d}" for number in range(1, rules.composition.candidates + 1)]


def _composed(
    work: Work, plan: Plan, item: SongOrder, parents: list[dict[str, Any]], asked: list[str]
) -> Batch:
    """Compose one stage of one song over all of its parents."""
    assert item.proposal is not None
    rules, store = work.rules.composition, work.shard.store
    song = item.proposal.song(item.song_id, rules.bars)
    made_of = [(row, context_of(song, row)) for row in parents] or [(None, Context(song))]
    if plan.name not in rules.stages.replace(" ", "").split(","):
        rows = [_silent(plan, row) for row, _ in made_of if row is not None]
        return Batch(item.song_id, pa.Table.from_pylist(rows, schema=SCHEMA))
    fit = scoring.scorer_of(store, song, rules.theory_weight)
    draws = SeededDraws(rules.seed, item.proposal.digest, plan.name)
    lines = [Population(plan.make(context, store), context, fit.fitness if fit.status in (
        "discriminative", "not discriminative", scoring.BY_THEORY) else None, rules,
        draws.child(row["candidate_id"] if row else "")) for row, context in made_of]
    try:
        compose(lines, fit.ranks)
    except (ConstantFitness, TooFewCandidates) as error:
        sentence = f"{item.song_id}: {error}"
        return Batch(item.song_id, SCHEMA.empty_table(), dict.fromkeys(asked, "not_composed"),
                     sentences=dict.fromkeys(asked, sentence))
    rows, kept = [], keep([(row, line) for (row, _), line in zip(made_of, lines, strict=True)], rules)
    for (parent, _), line in zip(made_of, lines, strict=True):
        for number, rated in enumerate(line.best(rules.candidates), 1):
            rows.append(_row(plan, item, song, parent, rated, number, rated.midi in kept, fit, line.stage))
    return Batch(item.song_id, pa.Table.from_pylist(rows, schema=SCHEMA),
                 facts={"song": item.song_id, "evaluated": sum(len(line.pool) for line in lines),
                        "generations": [asdict(entry) for entry in lines[0].history],
                        "diversity": _diversity(lines, kept), "scorer": fit.status})


def context_of(song: SongBrief, row: dict[str, Any]) -> Context:
    """Return the context of the next stage over the candidate ``row``."""
    spans = tuple(ChordSpan(item["start"], item["end"], item["name"], item["function"], item["root"],
                            tuple(item["classes"])) for item in row["harmony"])
    return Context(song, spans, from_midi(row["midi"]))


def keep(lines: list[tuple[dict[str, Any] | None, Population[Any]]], rules: settings.CompositionRules) -> set[bytes]:
    """Return the files that the next stage builds on: the best ones that differ, of each parent or of all."""
    def total(entry: tuple[dict[str, Any] | None, Rated[Any]]) -> float:
        parent, rated = entry
        before = [item["score"] for item in parent["lineage"]] if parent else []
        return (sum(before) + rated.score) / (len(before) + 1)

    heard = {id(rated): ranking.sounding(line.parts(rated.made)) for _, line in lines for rated in
             line.best(rules.candidates)}
    every = [[(parent, rated) for rated in line.best(rules.candidates)] for parent, line in lines]

    def choose(items: list[Any], count: int) -> list[Any]:
        return ranking.differing(items, count, total, lambda entry: heard[id(entry[1])], rules.diversity)

    if rules.prune == "global":
        chosen = choose([entry for own in every for entry in own], rules.keep)
    else:
        chosen = choose([entry for own in every for entry in choose(own, rules.keep)], rules.beam)
    return {rated.midi for _, rated in chosen}


def _diversity(lines: list[Population[Any]], kept: set[bytes]) -> dict[str, float]:
    """Return the mean distance between the kept candidates, and between the candidates of the first parent."""
    chosen = [ranking.sounding(line.parts(rated.made)) for line in lines for rated in line.pool.values()
              if rated.midi in kept]
    first = [frozenset((lines[0].stage.name, note.start, note.pitch) for note in rated.made.notes)
             for rated in lines[0].best(lines[0].rules.candidates)]
    return {"kept": round(ranking.spread_of(chosen), 6), "candidates": round(ranking.spread_of(first), 6)}


def _row(
    plan: Plan, item: SongOrder, song: SongBrief, parent: dict[str, Any] | None, rated: Rated[Any], number: int,
    kept: bool, fit: scoring.SongScorer, stage: Stage[Any],
) -> dict[str, Any]:
    name = f"{parent['candidate_id'] if parent else item.song_id}.{LETTERS[plan.name]}{number:02d}"
    explained, pattern = stage.explain(rated.genome, rated.made), stage.pattern(rated.genome)
    words = fit.words_alone
    own = {"stage": plan.name, "candidate_id": name, "pattern": pattern, "explanation": explained,
           "score": rated.score, "theory": rated.theory, "fitness": rated.fitness}
    lineage = [*(parent["lineage"] if parent else []), own]
    assert item.proposal is not None
    return {
        **own, "song_id": item.song_id, "parent_id": parent["candidate_id"] if parent else None, "rank": number,
        "kept": kept, "total": sum(entry["score"] for entry in lineage) / len(lineage),
        "terms": [{"name": term, "value": value} for term, value in sorted(rated.terms.items())],
        "relative": None if rated.fitness is None or words is None else rated.fitness - words,
        "scorer_status": fit.status, "origin": rated.origin, "generation": rated.generation, "lineage": lineage,
        "title": song.title, "rainbow_color": song.color, "key": song.key.label, "bpm": song.bpm,
        "time_signature": song.meter.label, "bars": song.bars, "concept": song.concept,
        "thread_id": item.proposal.thread or None,
        "harmony": [asdict(span) for span in rated.made.harmony], "midi_sha256": sha256_bytes(rated.midi),
        "midi": rated.midi,
    }


def _silent(plan: Plan, parent: dict[str, Any]) -> dict[str, Any]:
    """Return the only candidate of a stage that is left out: its parent, with an id of the stage."""
    return {**parent, "candidate_id": f"{parent['candidate_id']}.{LETTERS[plan.name]}00", "stage": plan.name,
            "parent_id": parent["candidate_id"], "rank": 1, "kept": True, "terms": [], "pattern": SILENT,
            "origin": SILENT, "generation": 0, "explanation": f"no {plan.name}: composition.stages leaves it out"}

