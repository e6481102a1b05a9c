"""`piano_rolls` as a ledger step, 1:1 with `segment_media`: the notes of each segment's MIDI on the roll's grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from rainbow_assets.corpus.ids import stem_of
from rainbow_assets.digests import digest
from rainbow_assets.fitness import roll
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments.table import column
from rainbow_assets.storage.parquet import rows_of

NOTES = pa.list_(pa.struct([
    pa.field("start", pa.uint16(), nullable=False), pa.field("end", pa.uint16(), nullable=False),
    pa.field("pitch", pa.uint8(), nullable=False), pa.field("velocity", pa.uint8(), nullable=False),
    pa.field("drum", pa.bool_(), nullable=False),
]))
SCHEMA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("has_roll", pa.bool_(), "False where the segment has no MIDI; the notes are null then, never zeros"),
    column("step_ms", pa.int32(), "length of a step of the grid in milliseconds"),
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
    """Put the MIDI of the asked segments on the grid, a part per stem."""
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
    aside = {key: item.reason for key, item in known.items() if isinstance(item, roll.RollError)}
    made = [(row["segment_id"], row["song_id"], notes) for row in rows
            for notes in (known.get(row["segment_id"]),) if not isinstance(notes, roll.RollError)]
    return Batch(stem, table_of(made), aside)


def _whole(notes: roll.Notes | roll.RollError) -> roll.Notes | roll.RollError:
    """Return notes that end within one roll; what rounds to its very end sounds in its last step."""
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


def notes_of(lists: pa.ListArray | pa.ChunkedArray) -> list[roll.Notes | None]:
    """Return the notes of each row of the column ``notes``, None where it is null."""
    whole = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    items = whole.flatten()
    flat = np.zeros(len(items), roll.NOTE)
    for number, item in enumerate(NOTES.value_type):
        flat[item.name] = items.field(number).to_numpy(zero_copy_only=False)
    lengths = np.asarray(pc.fill_null(whole.value_lengths(), 0))
    ends = np.cumsum(lengths)
    empty = np.asarray(whole.is_null())
    return [None if empty[n] else flat[ends[n] - lengths[n]:ends[n]] for n in range(len(whole))]


PIANO_ROLLS = Step(
    name="piano_rolls",
    inputs={"segment_media": ("midi",)},
    compute=compute,
    schema=SCHEMA,
    fields={"roll": ("has_roll", "step_ms", "roll_digest")},
    libraries=("symusic",),
    parts=stem_of(pl.col("key")),
    reasons=REASONS,
)
