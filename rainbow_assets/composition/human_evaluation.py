"""`human_evaluation`: one row per verdict with its piece; approved pieces are copied to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.composition import review
from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.composition.songs import of_store, orders
from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG, bug
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.shard import Shard
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets.text import some

NAME, REVIEWS = "human_evaluation", "reviews"
SCHEMA = pa.schema([
    column("evaluation_id", pa.string(), "key: song and the first 16 digits of the piece's sha256"),
    column("song_id", pa.string(), "song, the name of its folder in compositions"),
    column("candidate_id", pa.string(), "the piece; the id names its chords, drums, bass and melody"),
    column("rainbow_color", pa.string(), "full color name"),
    column("title", pa.string(), "title of the proposal"),
    column("key", pa.string(), "key of the song"),
    column("bpm", pa.float64(), "quarter notes per minute"),
    column("time_signature", pa.string(), "time signature, for example 7/8"),
    column("concept", pa.string(), "concept of the proposal; null for a piece that was replaced"),
    column("thread_id", pa.string(), "thread that proposed the song; null for a proposal by hand"),
    column("status", pa.string(), "approved, rejected or pending"),
    column("label", pa.string(), "the person's name for the piece"),
    column("notes", pa.string(), "the person's notes"),
    column("promoted_to", pa.string(), "approved/<label>.mid in the song's folder; null if not approved"),
    column("current", pa.bool_(), "False if the piece was replaced when the song was composed again"),
    column("total", pa.float64(), "mean score of the piece and its ancestors when it was judged"),
    column("theory", pa.float64(), "theory score of its melody"),
    column("fitness", pa.float64(), "chromatic fitness when it was judged"),
    column("relative", pa.float64(), "fitness minus that of the concept alone"),
    column("scorer_status", pa.string(), "discriminative, not discriminative, no scorer, no target or by theory"),
    column("midi_sha256", pa.string(), "sha256 of the piece"),
    column("midi", pa.binary(), "the piece as a MIDI file; null if the file is missing"),
])
REASONS = {
    "unreadable_review": "review.yml is not valid YAML, or has other fields than expected",
    "unknown_status": "a status is neither approved, rejected nor pending",
    "two_approvals": "two pieces are approved under one label",
    "bad_label": "a label cannot be a file name",
    "damaged_entry": "an entry does not identify its piece",
    "missing_file": "the file of an approved piece is missing or was changed",
}
_FINAL, _TEXT = "in:final_candidates.final", f"in:{REVIEWS}.text"


def folders(shard: Shard) -> dict[str, Path]:
    """Return {song: its folder} of every song that has a review."""
    base = of_store(shard.store)
    return {item.song_id: base / item.song_id for item in orders(shard.store)
            if (base / item.song_id / review.FILE).is_file()}


def source(shard: Shard) -> str:
    """Return a digest of all reviews."""
    return digest([[song, sha256_bytes(review.state(folder))] for song, folder in folders(shard).items()])


def key_of(song_id: str, midi_sha256: str) -> str:
    """Return the key of a verdict, made of the song and the digest of the piece."""
    return f"{song_id}.{midi_sha256[:16]}"


def taken(folder: Path) -> tuple[list[review.HumanVerdict], ReviewError | None]:
    """Return the verdicts of a review, or none and the error if it cannot be read or an approved piece is missing."""
    try:
        found = review.read(folder)
        review.approved_files(folder, found)
        return found, None
    except ReviewError as error:
        return [], error
    except Exception as error:
        return [], ReviewError(BUG, f"{folder.name}: {bug(error, f'reading the review of {folder.name}')}")


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List every verdict of every review; a review that cannot be used is one row, which ``compute`` quarantines."""
    finals = outputs(shard.store.shard("final_candidates"), "final_candidates", ("final",))
    made: dict[str, list[str]] = {}
    for part, out in finals.sort("key").select("part", _FINAL).iter_rows():
        made.setdefault(part, []).append(out)
    rows = []
    for song, folder in sorted(folders(shard).items()):
        found, wrong = taken(folder)
        state = [digest(made.get(song, [])), digest(sha256_bytes(review.state(folder)), wrong.reason if wrong else "")]
        keys = sorted({key_of(song, verdict.midi_sha256) for verdict in found}) or [song]
        rows += [(key, song, *state) for key in keys]
    columns = dict.fromkeys(["key", "part", _FINAL, _TEXT], pl.String)
    return pl.DataFrame(rows, schema=columns, orient="row").sort("key")


def compute(work: Work) -> Iterator[Batch]:
    """Read the asked reviews and return a row per verdict."""
    heavy = ("midi", "flac", "stems", "harmony", "lineage")
    finals = {row["midi_sha256"]: row for row in work.upstream("final_candidates").rows(without=heavy)}
    places = folders(work.shard)
    for part, _ in work.parts():
        found, wrong = taken(places[part])
        if wrong is not None or not found:
            yield Batch(part, SCHEMA.empty_table(), {part: wrong.reason if wrong else "unreadable_review"},
                        sentences={part: str(wrong)} if wrong else {})
            continue
        rows = {key_of(part, verdict.midi_sha256): _row(part, places[part], verdict, finals) for verdict in found}
        yield Batch(part, pa.Table.from_pylist(list(rows.values()), schema=SCHEMA))


def promote(shard: Shard) -> None:
    """Copy the approved pieces of every usable review; the check ``reviews_taken`` reports the others."""
    for folder in folders(shard).values():
        found, wrong = taken(folder)
        if wrong is None:
            review.promote(folder, found)


def _row(part: str, folder: Path, verdict: review.HumanVerdict, finals: dict[str, dict[str, Any]]) -> dict[str, Any]:
    own = finals.get(verdict.midi_sha256, {}) if verdict.current else {}
    song = next((row for row in finals.values() if row["song_id"] == part), {})
    numbers = {name: own.get(name, _number(verdict.scores.get(name))) for name in
               ("total", "theory", "fitness", "relative")}
    label = verdict.label or verdict.candidate_id.replace(".", "_")
    return {
        "evaluation_id": key_of(part, verdict.midi_sha256), "song_id": part, "candidate_id": verdict.candidate_id,
        **{name: own.get(name, song.get(name)) for name in ("rainbow_color", "title", "key", "bpm", "time_signature",
                                                            "thread_id")},
        "concept": own.get("concept"), "status": verdict.status, "label": verdict.label or None,
        "notes": verdict.notes or None, "current": verdict.current, **numbers,
        "promoted_to": f"{review.APPROVED_FOLDER}/{label}.mid" if verdict.status == review.APPROVED else None,
        "scorer_status": own.get("scorer_status", verdict.scores.get("scorer")),
        "midi_sha256": verdict.midi_sha256, "midi": review.midi_of(folder, verdict),
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@check("Every review can be read and promoted.")
def reviews_taken(shard: Shard) -> Finding:
    """Every review can be read: one approval per label, known statuses, no approved file missing."""
    found = {song: taken(folder) for song, folder in folders(shard).items()}
    wrong = [str(error) for _, error in found.values() if error is not None]
    verdicts = [item for items, _ in found.values() for item in items]
    numbers = {"reviews": len(found), "wrong": len(wrong), "pieces": len(verdicts),
               "approved": sum(item.status == review.APPROVED for item in verdicts)}
    if wrong:
        return Finding(False, f"{len(wrong)} reviews cannot be used, and nothing in them was promoted: "
                              f"{' '.join(wrong[:3])}", numbers)
    return Finding(True, f"{len(found)} reviews, {numbers['approved']} pieces approved", numbers)


@check("Each verdict is on the piece that was judged.")
def verdicts_whole(shard: Shard) -> Finding:
    """The color of every verdict is in the Rainbow Table, and its piece matches the digest."""
    rows = shard.rows("evaluation_id", "rainbow_color", "midi_sha256", "midi")
    wrong = [row["evaluation_id"] for row in rows if row["rainbow_color"] not in (None, *COLOR_NAMES)
             or (row["midi"] is not None and sha256_bytes(row["midi"]) != row["midi_sha256"])]
    numbers = {"verdicts": len(rows), "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} verdicts have an unknown color, or a piece that was not judged: "
                              f"{some(wrong)}", numbers)
    return Finding(True, f"{len(rows)} verdicts with the pieces that were judged", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return a table of how often each score agrees with the verdicts."""
    from rainbow_assets.composition import summaries

    columns = [name for name in SCHEMA.names if name != "midi"]
    rows = [row for shard in built.shards() for row in shard.table(SCHEMA, columns).to_pylist()]
    return {"agreement": summaries.agreements(rows)}


HUMAN_EVALUATION = RowAsset(
    name=NAME,
    group="composition",
    kinds={"parquet"},
    description=(
        "Every verdict of a person with its piece; approved pieces are copied to files, and each score is "
        "compared with the verdicts."),
    reads={"final_candidates": ("final",), REVIEWS: ("text",), "thread_manifests": ()},
    optional=("thread_manifests",),
    through={"thread_manifests": ("thread",)},
    compute=compute,
    columns=SCHEMA,
    fields={"verdict": tuple(name for name in SCHEMA.names if name not in ("evaluation_id", "midi"))},
    key="evaluation_id",
    candidates=candidates,
    source=source,
    reasons=REASONS,
    media=("midi",),
    unit="song",
    colored=False,
    on_request=True,
    checks=[unique_keys, reviews_taken, verdicts_whole],
    shows=[shown],
    exports=[promote],
)
