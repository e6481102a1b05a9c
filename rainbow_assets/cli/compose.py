"""`rainbow compose`: from a proposal, by hand or of a thread, to finished pieces that one can hear."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import settings
from rainbow_assets.cli.options import AS_JSON, ColorType, ProposalType
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.layout import Lines, document, layout
from rainbow_assets.terminal import say
from rainbow_assets.text import counted

if TYPE_CHECKING:
    from rainbow_assets.storage.store import ShardStore

LIBRARY = ("chord_library", "progression_library", "function_graph")
MADE = ("chord_candidates", "drum_candidates", "bass_candidates", "melody_candidates", "final_candidates",
        "human_evaluation")
THREADS = "thread_manifests"
EXAMPLE = """\
title: A Field That Forgot Its Name
key: A minor              # a tonic, and major or minor
bpm: 96                   # quarter notes per minute, 30 to 300
time_signature: 7/8       # any
rainbow_color: Green      # Black Red Orange Yellow Green Blue Indigo Violet White
mood: [tender, sparse]    # may be left out
concept: |
  A field that forgot its own name, and waits in the rain for somebody to say it.
"""


@click.command()
@click.argument("what", required=False, type=ProposalType())
@click.option("--color", type=ColorType(), help="Color to compose for (default: that of the proposal).")
@click.option("--key", help="Override the key, for example 'A minor'.")
@click.option("--bpm", type=float, help="Override the tempo, in quarter notes per minute.")
@click.option("--time-signature", help="Override the meter, for example 7/8.")
@click.option("--title", help="Override the title, which makes it another song.")
@click.option("--example", is_flag=True, help="Print an example proposal and compose nothing.")
@AS_JSON
def compose(
    what: str | None, color: str | None, key: str | None, bpm: float | None, time_signature: str | None,
    title: str | None, example: bool, as_json: bool,
) -> None:
    """Compose pieces from a proposal or a thread.

    WHAT is a thread (id, folder or title) or a PROPOSAL.yml with title, key, bpm, time_signature, rainbow_color and
    concept. Without WHAT, every song that was ordered before is brought up to date.

    Chords, drums, bass and melody are each chosen from many candidates, by theory and, if the scorer passed its gates,
    by chromatic fitness. Every candidate is a file; the finished pieces are in data/compositions.
    """
    if example:
        say(layout(EXAMPLE.rstrip().split("\n")))
        return
    from rainbow_assets.composition import songs
    from rainbow_assets.storage.store import ShardStore

    settings.default_rules()  # an invalid setting fails before anything runs
    changes = {"rainbow_color": color, "key": key, "bpm": bpm, "time_signature": time_signature, "title": title}
    store, began = ShardStore(settings.roots().data), time.monotonic()
    song_id = None
    if what:
        song_id = songs.place_order(store, _proposal(store, what, changes), changes)
    elif any(value is not None for value in changes.values()):
        raise UsageError("--color and the other overrides need a thread or a PROPOSAL.yml to change; name one")
    elif not songs.orders(store):
        raise UsageError("no song has been ordered yet; run: rainbow compose PROPOSAL.yml")
    _materialize(*LIBRARY)
    _materialize(*MADE)
    _report(store, song_id, time.monotonic() - began, as_json)


def _proposal(store: ShardStore, what: str, changes: dict[str, Any]) -> Any:
    from rainbow_assets.composition import proposal, songs
    from rainbow_assets.threads.source import source_folder

    path = Path(what)
    if path.suffix.lower() in (".yml", ".yaml") or path.is_file():
        if not path.is_file():
            raise UsageError(f"{what} is not a file; write a proposal with title, key, bpm, time_signature, "
                             "rainbow_color and concept")
        return proposal.read_proposal(path, changes)
    if source_folder().is_dir():
        _materialize(THREADS)
    fields = songs.thread_fields(store, what, "rainbow compose")
    own = {name: value for name, value in changes.items() if value is not None}
    return proposal.checked({**fields, **own}, f"thread {fields['thread'][:8]}")


def _materialize(*assets: str) -> None:
    from rainbow_assets.cli.failures import stop_if_failed
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs

    stop_if_failed(jobs.run_colors(defs, assets=assets))


def _report(store: ShardStore, song_id: str | None, seconds: float, as_json: bool) -> None:

    finals = store.shard("final_candidates").rows(without=("midi", "flac", "stems", "harmony"))
    rows = sorted((row for row in finals
                   if song_id in (None, row["song_id"])), key=lambda row: row["final_id"])
    left = _not_composed(store, {row["song_id"] for row in finals})
    if not rows:
        raise RainbowError("; ".join(left.values()) or "no piece was finished; run: rainbow why final_candidates")
    rated = sum(part.facts.get("evaluated", 0) for name in MADE[:4]
                for part in store.shard(name).require_index().parts if song_id in (None, part.group))
    if as_json:
        say(document({"seconds": round(seconds, 2), "rated": rated, "finals": rows}))
    else:
        _show(store, rows, song_id, rated, seconds)
    if left and song_id is None:
        raise RainbowError(f"{counted(len(left), 'ordered song')} not composed: {'; '.join(left.values())}")


def _show(store: ShardStore, rows: list[dict[str, Any]], song_id: str | None, rated: int, seconds: float) -> None:
    from rainbow_assets.composition import stage_rows, summaries
    from rainbow_assets.composition.songs import of_store

    for name in dict.fromkeys(row["song_id"] for row in rows):
        own = [row for row in rows if row["song_id"] == name]
        first = own[0]
        say(f"{first['title']}: {first['rainbow_color']}, {first['key']}, {first['bpm']:g} bpm, "
            f"{first['time_signature']}; {summaries.status(own)}")
        say(_table(own))
        say(layout([f"listen: {_shown(of_store(store) / name / 'candidates')} or rainbow review", ""]))
    columns = ["candidate_id", "song_id", "kept"]
    kept = len(stage_rows.kept_rows(store.shard("melody_candidates"), song_id, columns))
    say(f"{counted(rated, 'candidate')} rated, {counted(kept, 'whole piece')} kept, "
        f"{counted(len(rows), 'final')}, in {seconds:.1f} s")


def _not_composed(store: ShardStore, finished: set[str]) -> dict[str, str]:
    """Return {song: why no piece of it was finished} of the ordered songs that are not ``finished``."""
    found: dict[str, str] = {}
    for asset in MADE[:5]:
        ledger = store.shard(asset).ledger(["part", "reason", "sentence"])
        rows = ledger.filter(ledger["reason"].is_not_null()).iter_rows() if ledger is not None else ()
        for song, reason, sentence in rows:
            if song not in finished:
                found.setdefault(song, sentence or f"{song}: {reason}; run: rainbow why {asset}")
    return found


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _table(rows: list[dict[str, Any]]) -> Lines:
    lines = [f"{'piece':<9} {'total':>6} {'theory':>7} {'fitness':>8}  what it is"]
    for row in rows:
        fitness = "-" if row["fitness"] is None else f"{row['fitness']:.3f}"
        stages = [f"{entry['stage']}: {entry['explanation']}" for entry in row["lineage"]]
        name = row["final_id"].rpartition(".")[2]
        lines.append(f"{name:<9} {row['total']:>6.3f} {row['theory']:>7.3f} {fitness:>8}  {stages[0]}")
        lines += [f"{'':<34}{text}" for text in stages[1:]]
    return layout(lines)
