"""`piano_rolls`, 1:1 with `segment_media`: the notes of each segment's MIDI on the roll's grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets.corpus.ids import stem_of
from rainbow_assets.digests import digest
from rainbow_assets.fitness import (
    roll,
)
from rainbow_assets.fitness.roll import NOTES, notes_of
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work, column
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.markdown import picture
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

SCHEMA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("has_roll", pa.bool_(), "False if the segment has no MIDI; its notes are then null"),
    column("step_ms", pa.int32(), "length of a grid step in milliseconds"),
    column("note_count", pa.int32(), "notes on the grid"),
    column("roll_digest", pa.string(), "digest of the notes; equal music has equal digests"),
    column("notes", NOTES, "notes in steps, end exclusive: the sparse form of a roll [3, 128, 256]"),
])
REASONS = {
    "unreadable_midi": "the MIDI of the segment cannot be read",
    "no_notes": "the MIDI of the segment has no notes",
    "too_long": "the segment is longer than a roll (30.72 s)",
}


def compute(work: Work) -> Iterator[Batch]:
    """Yield the notes of the requested segments on the grid, a part per stem."""
    media = work.upstream("segment_media")
    parts = {part.group: part for part in media.require_index().parts}
    for stem, asked in work.parts():
        table = media.read_part(parts[stem], ["segment_id", "song_id", "midi_binary"])
        yield _batch(stem, rows_of(table, "segment_id", asked["key"].to_list()).to_pylist())


def _batch(stem: str, rows: Sequence[dict[str, Any]]) -> Batch:
    sounding = [row for row in rows if row["midi_binary"] is not None]
    read = roll.read_many([row["midi_binary"] for row in sounding],
                          [f"the MIDI of {row['segment_id']}" for row in sounding])
    known = {row["segment_id"]: _whole(notes) for row, notes in zip(sounding, read, strict=True)}
    quarantined = {key: item.reason for key, item in known.items() if isinstance(item, roll.RollError)}
    made = [(row["segment_id"], row["song_id"], notes) for row in rows
            for notes in (known.get(row["segment_id"]),) if not isinstance(notes, roll.RollError)]
    return Batch(stem, table_of(made), quarantined)


def _whole(notes: roll.Notes | roll.RollError) -> roll.Notes | roll.RollError:
    """Return notes limited to one roll; a note that rounds to the end of the roll gets its last step."""
    if isinstance(notes, roll.RollError):
        return notes
    if int(notes["start"].max()) > roll.STEPS:
        return roll.RollError("too_long", "the segment is longer than a roll")
    notes = notes.copy()
    notes["start"] = np.minimum(notes["start"], roll.STEPS - 1)
    notes["end"] = np.minimum(np.maximum(notes["end"], notes["start"] + 1), roll.STEPS)
    return notes


def table_of(rows: Sequence[tuple[str, str, roll.Notes | None]]) -> pa.Table:
    """Return the table of (segment_id, song_id, notes or None)."""
    counts = [0 if notes is None else len(notes) for _, _, notes in rows]
    flat = np.concatenate([notes for _, _, notes in rows if notes is not None] or [np.zeros(0, roll.NOTE)])
    items = pa.StructArray.from_arrays([pa.array(np.ascontiguousarray(flat[item.name])) for item in NOTES.value_type],
                                       fields=list(NOTES.value_type))
    missing = pa.array([notes is None for _, _, notes in rows], pa.bool_())
    lists = pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()), items, type=NOTES,
                                     mask=missing)
    return pa.table([
        pa.array([row[0] for row in rows], pa.string()), pa.array([row[1] for row in rows], pa.string()),
        pa.array([notes is not None for _, _, notes in rows], pa.bool_()),
        pa.array([roll.STEP_MS] * len(rows), pa.int32()), pa.array(counts, pa.int32()),
        pa.array([None if notes is None else digest(notes.tobytes()) for _, _, notes in rows], pa.string()), lists,
    ], schema=SCHEMA)




@check("Every note is within its roll.")
def rolls_hold_notes(shard: Shard) -> Finding:
    """Check that each roll has ``note_count`` notes within 256 steps and 128 pitches, and none without MIDI."""
    wrong, rows = [], 0
    for _, table in shard.tables(["segment_id", "has_roll", "note_count", "notes"]):
        found = notes_of(table.column("notes"))
        for row, notes in zip(table.drop(["notes"]).to_pylist(), found, strict=True):
            rows += 1
            fine = (notes is None and row["note_count"] == 0) if not row["has_roll"] else (
                notes is not None and len(notes) == row["note_count"] > 0
                and bool((notes["end"] <= roll.STEPS).all() and (notes["start"] < notes["end"]).all()
                         and (notes["pitch"] < roll.PITCHES).all() and (notes["velocity"] > 0).all()))
            wrong += [] if fine else [row["segment_id"]]
    numbers = {"rolls": rows, "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} rolls have another number of notes than note_count, or notes outside the "
                              f"roll: {some(wrong)}; materialize piano_rolls again", numbers)
    return Finding(True, f"{rows} rows, every note within its roll", numbers)


@check("Every segment has a row or a reason.")
def rolls_complete(shard: Shard) -> Finding:
    """Check that every segment with media has a row or is quarantined with a reason."""
    ledger = ledger_frame(shard, ["key", "status"])
    media = ledger_frame(shard.store.shard("segment_media", shard.partition), ["key", "status"])
    assert ledger is not None and media is not None
    rows = shard.frame(SCHEMA, ["segment_id"])["segment_id"]
    quarantined = ledger.filter(pl.col("status") != "ok")["key"]
    missing = sorted(set(media.filter(pl.col("status") == "ok")["key"]) - set(rows) - set(quarantined))
    numbers = {"segments": len(media), "rows": len(rows), "set_aside": len(quarantined), "missing": len(missing)}
    if missing:
        return Finding(False, f"{len(missing)} segments have no row: {some(missing)}; materialize piano_rolls again",
                       numbers)
    return Finding(True, f"{len(rows)} rows, {len(quarantined)} quarantined", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return a picture with one roll per color, the one with the most notes."""
    from rainbow_assets.fitness import pictures  # drawing is slow to load

    found = {}
    for color in built.asset.partitions:
        shard = built.store.shard(built.asset.name, color)
        tables = (table for _, table in shard.tables(["notes"])) if shard.index() is not None else iter(())
        notes = [item for table in tables for item in notes_of(table.column("notes")) if item is not None]
        if notes:
            found[color] = max(notes, key=len)
    return {"rolls": picture(pictures.rolls(found), "rolls")} if found else {}


PIANO_ROLLS = RowAsset(
    name="piano_rolls",
    group="fitness",
    kinds={"numpy", "parquet"},
    description="The notes of each segment's MIDI on a grid of 120 ms, the sparse form of a roll [3, 128, 256].",
    reads={"segment_media": ("midi",)},
    compute=compute,
    columns=SCHEMA,
    fields={"roll": ("has_roll", "step_ms", "roll_digest")},
    parts=stem_of(pl.col("key")),
    reasons=REASONS,
    checks=[unique_keys, rolls_complete, rolls_hold_notes],
    shows=[shown],
)
