"""`final_candidates`: the finished pieces that a person reviews, with their sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import progress, settings
from rainbow_assets.composition import ranking, review, sound
from rainbow_assets.composition.checks import pieces_whole
from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import STAGES
from rainbow_assets.composition.songs import of_store, orders
from rainbow_assets.composition.stage_rows import SCHEMA as CANDIDATE
from rainbow_assets.composition.stage_rows import kept_rows
from rainbow_assets.digests import digest
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.sound.flac import FlacMismatch, flac_seconds
from rainbow_assets.sound.stems import UnreadableAudio, read_channels
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

NAME, LETTER = "final_candidates", "final"
SOUNDS = pa.list_(pa.struct([("part", pa.string()), ("flac", pa.binary())]))
_OF_A_STAGE = ("stage", "parent_id", "rank", "kept", "terms", "pattern", "origin", "generation", "midi")
SCHEMA = pa.schema([
    column("final_id", pa.string(), "key: song.final_1 is the best"),
    *(item for item in CANDIDATE if item.name not in _OF_A_STAGE),
    column("distance", pa.float64(), "mean share of notes, 0..1, not in common with another final of the song"),
    column("seconds", pa.float64(), "length of the sound"),
    column("rendered_by", pa.string(), "version of fluidsynth and digest of its soundfont, or plain 1"),
    column("midi", pa.binary(), "the piece as a MIDI file: the bytes that were scored"),
    column("flac", pa.binary(), "the mix, 16-bit stereo FLAC"),
    column("stems", SOUNDS, "FLAC of each part; they sum to the mix"),
])
REASONS = {"no_candidates": "no melody candidate of the song was kept; check the stages before"}
RENDERER = "renderer"
_SONG, _SOUND = "in:melody_candidates.candidate", f"in:{RENDERER}.sound"


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the finals of each song: ``composition.finals``, or fewer if fewer melody candidates were kept."""
    columns = ["candidate_id", "song_id", "kept", "midi_sha256", "total"]
    upstream = shard.store.shard("melody_candidates")
    by_song: dict[str, list[dict[str, Any]]] = {item.song_id: [] for item in orders(shard.store)}
    for row in kept_rows(upstream, columns=columns):
        by_song.setdefault(row["song_id"], []).append(row)
    token, rows = sound.renderer(rules.composition.soundfont).token, []
    for song_id, kept in sorted(by_song.items()):
        state = digest([[row["candidate_id"], row["midi_sha256"], row["total"]] for row in kept])
        count = min(rules.composition.finals, len(kept))
        keys = [f"{song_id}.{LETTER}_{number}" for number in range(1, count + 1)] or [song_id]
        rows += [(key, song_id, state, token) for key in keys]
    return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", _SONG, _SOUND], pl.String), orient="row").sort("key")


def source(shard: Shard) -> str:
    """Return a digest of the ordered songs and of what renders them."""
    rules = settings.default_rules().composition
    return digest([item.song_id for item in orders(shard.store)], sound.renderer(rules.soundfont).token)


def compute(work: Work) -> Iterator[Batch]:
    """Choose the finals of the asked songs and render them."""
    rules = work.rules.composition
    by = sound.renderer(rules.soundfont)
    upstream = work.upstream("melody_candidates")
    known = {item.song_id: item for item in orders(work.shard.store)}
    with progress.bar("rendering") as tick:
        for part, rows in work.parts():
            asked = rows["key"].to_list()
            if asked == [part]:
                yield Batch(part, SCHEMA.empty_table(), {part: "no_candidates"})
                continue
            proposal = known[part].proposal
            assert proposal is not None
            song = proposal.song(part, rules.bars)
            heard = {row["candidate_id"]: from_midi(row["midi"]) for row in kept_rows(upstream, part)}
            chosen = choose(kept_rows(upstream, part), heard, rules)
            made = []
            for number, row in enumerate(chosen, 1):
                tick(part, number, len(chosen))
                own = heard[row["candidate_id"]]
                parts = {name: own[name] for name in STAGES if name in own}
                sounds = sound.render(parts, song, by)
                made.append({**row, "final_id": f"{part}.{LETTER}_{number}", "rendered_by": by.token,
                             "distance": _distance(row, chosen, heard), "seconds": sound.seconds(sounds),
                             "flac": sounds.pop("mix"),
                             "stems": [{"part": name, "flac": data} for name, data in sounds.items()]})
            yield Batch(part, pa.Table.from_pylist([_only(row) for row in made], schema=SCHEMA))


def choose(kept: list[dict[str, Any]], heard: dict[str, Any], rules: settings.CompositionRules) -> list[dict[str, Any]]:
    """Return the best of the kept candidates that differ from each other, best first."""
    pieces = {row["candidate_id"]: ranking.sounding(heard[row["candidate_id"]]) for row in kept}
    found = ranking.differing(kept, rules.finals, lambda row: float(row["total"]),
                              lambda row: pieces[row["candidate_id"]], rules.diversity)
    return sorted(found, key=lambda row: (-row["total"], row["candidate_id"]))


def _distance(row: dict[str, Any], chosen: list[dict[str, Any]], heard: dict[str, Any]) -> float | None:
    own = ranking.sounding(heard[row["candidate_id"]])
    others = [ranking.sounding(heard[other["candidate_id"]]) for other in chosen if other is not row]
    return sum(1 - ranking.likeness(own, other) for other in others) / len(others) if others else None


def _only(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in SCHEMA.names}


def lay_out(shard: Shard) -> None:
    """Write the finals' files and reviews into the songs' folders.

    A review that cannot be read does not stop the other songs; ``ReviewError`` is raised after the last one.
    """
    wrong = []
    for _, table in shard.tables():
        rows = sorted(table.to_pylist(), key=lambda row: (-row["total"], row["candidate_id"]))
        try:
            if rows:
                review.lay_out(of_store(shard.store) / rows[0]["song_id"], rows)
        except ReviewError as error:
            wrong.append(error)
    if wrong:
        raise ReviewError(wrong[0].reason, " ".join(map(str, wrong)))


@check("Every final can be heard.")
def finals_sound(shard: Shard) -> Finding:
    """Every final has a mix that decodes, is as long as the piece, and is not silent; its stems are there."""
    wrong, rows = [], 0
    for _, table in shard.tables(["final_id", "seconds", "flac", "stems"]):
        for row in table.to_pylist():
            rows += 1
            try:
                samples = read_channels(Path(f"{row['final_id']}.flac"), row["flac"])
                fine = abs(flac_seconds(row["flac"]) - row["seconds"]) < 0.01 and float(abs(samples).max()) > 0.05
                fine = fine and len(row["stems"]) >= 1
            except (UnreadableAudio, FlacMismatch):
                fine = False
            wrong += [] if fine else [row["final_id"]]
    numbers = {"finals": rows, "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} finals have missing, damaged or silent sound: {some(wrong)}; materialize "
                              "final_candidates again", numbers)
    return Finding(True, f"{rows} finals can be heard", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the finals as a table, and what they were ranked by."""
    from rainbow_assets.composition import summaries

    columns = [name for name in SCHEMA.names if name not in ("midi", "flac", "stems", "harmony")]
    found = {}
    for shard in built.shards():
        rows = sorted(shard.table(SCHEMA, columns).to_pylist(), key=lambda row: row["final_id"])
        found = {"finals": summaries.finals(rows), "ranked_by": summaries.status(rows)}
    return found


FINAL_CANDIDATES = RowAsset(
    name=NAME,
    group="composition",
    kinds={"midi", "parquet"},
    description=(
        "The finished pieces that a person reviews: MIDI, the mix and its stems as FLAC, and the candidates that "
        "they were built from."),
    reads={"melody_candidates": ("candidate",), RENDERER: ("sound",), "thread_manifests": ()},
    optional=("thread_manifests",),
    through={"thread_manifests": ("thread",)},
    compute=compute,
    columns=SCHEMA,
    fields={"final": tuple(name for name in SCHEMA.names if name not in ("final_id", "midi", "flac", "stems"))},
    key="final_id",
    settings=("composition.finals", "composition.diversity"),
    candidates=candidates,
    source=source,
    reasons=REASONS,
    media=("midi", "flac"),
    unit="song",
    colored=False,
    on_request=True,
    chosen_by=("melody_candidates.candidate",),
    checks=[unique_keys, pieces_whole, finals_sound],
    shows=[shown],
    exports=[lay_out],
)
