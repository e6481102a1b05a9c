"""Piano rolls: the notes of a MIDI file on a fixed grid, and these notes as a dense array [3, 128, 256].

A step is 120 ms, so that 256 steps cover every segment (30.72 s; the longest segment is 30 s). The channels are onsets,
sustain and drums; the values are velocity / 127. Tables store the notes, which are the sparse form of the array.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness import (
    roll,
)
from rainbow_assets.music.midi_song import PERCUSSION, MidiSong, UnreadableMidi

STEP_MS, STEPS, PITCHES = 120, 256, 128
WINDOW_MS = STEP_MS * STEPS
CHANNELS = ("onset", "sustain", "drums")
SHAPE = (len(CHANNELS), PITCHES, STEPS)
CELLS = len(CHANNELS) * PITCHES * STEPS
FULL = 127
LONGEST_STEPS = 65_000
"""Longest file, a little over two hours; a note's steps must fit in 16 bits."""
NOTE = np.dtype([("start", "<u2"), ("end", "<u2"), ("pitch", "u1"), ("velocity", "u1"), ("drum", "?")])
"""A note in steps, end exclusive."""
Notes = npt.NDArray[np.void]
Roll = npt.NDArray[np.float32]


class RollError(RainbowError):
    """A MIDI file has no piano roll; ``reason`` is one of the closed list of `piano_rolls`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_notes(midi: bytes, what: str = "the MIDI file") -> Notes:
    """Return the notes of a MIDI file in steps, timed by its tempo map, sorted and distinct.

    Raises ``RollError``: ``unreadable_midi``, ``no_notes`` or ``too_long``.
    """
    found = read_many([midi], [what])[0]
    if isinstance(found, RollError):
        raise found
    return found


def read_many(midis: Sequence[bytes], names: Sequence[str]) -> list[Notes | RollError]:
    """Return the notes of each MIDI file, or its error; the arithmetic is done for all files at once."""
    found: list[Notes | RollError | None] = [None] * len(midis)
    songs: list[tuple[int, MidiSong]] = []
    for number, (midi, name) in enumerate(zip(midis, names, strict=True)):
        try:
            song = MidiSong.load(bytes(midi), name=name)
        except UnreadableMidi as error:
            found[number] = RollError("unreadable_midi", str(error))
            continue
        if song.notes:
            songs.append((number, song))
    if songs:
        _on_grid(found, songs, names)
    return [item if item is not None else RollError("no_notes", f"{names[n]} has no notes")
            for n, item in enumerate(found)]


def _on_grid(
    found: list[Notes | RollError | None], songs: Sequence[tuple[int, MidiSong]], names: Sequence[str]
) -> None:
    """Put the notes of ``songs`` on the grid, sorted and distinct, into ``found`` at each song's number."""
    onsets, ends = (np.concatenate([song.times_ms(song.spans[side]) for _, song in songs]) for side in (0, 1))
    file = np.repeat([number for number, _ in songs], [len(song.notes) for _, song in songs])
    pitch, velocity, channel = np.array(
        [(note.pitch, note.velocity, note.channel) for _, song in songs for note in song.notes], dtype=np.uint64).T
    long = ends > LONGEST_STEPS * STEP_MS
    for number in np.unique(file[long]).tolist():
        found[number] = RollError("too_long", f"{names[number]} is longer than "
                                              f"{LONGEST_STEPS * STEP_MS // 60000} minutes; cut it into shorter files")
    kept = ~np.isin(file, file[long]) if long.any() else np.ones(len(file), bool)
    file, start = file[kept], np.rint(onsets[kept] / STEP_MS).astype(np.uint64)
    end = np.maximum(np.rint(ends[kept] / STEP_MS).astype(np.uint64), start + 1)
    # A note as one number with its fields in order, because one number sorts faster than five fields.
    key = (start << 32) | (end << 16) | (pitch[kept] << 8) | (velocity[kept] << 1) | (channel[kept] == PERCUSSION)
    order = np.lexsort((key, file))
    key, file = key[order], file[order]
    once = np.ones(len(key), bool)
    once[1:] = (key[1:] != key[:-1]) | (file[1:] != file[:-1])
    key, file = key[once], file[once]
    notes = np.zeros(len(key), NOTE)
    notes["start"], notes["end"] = key >> 32, (key >> 16) & 0xFFFF
    notes["pitch"], notes["velocity"], notes["drum"] = (key >> 8) & 0x7F, (key >> 1) & 0x7F, key & 1
    borders = np.flatnonzero(np.diff(file, prepend=-1)).tolist()
    for begin, finish in itertools.pairwise([*borders, len(file)]):
        found[int(file[begin])] = notes[begin:finish]


def note_windows(notes: Notes) -> list[Notes]:
    """Return the notes cut into windows of 256 steps, each counted from its own step 0, without silent windows.

    A note that sounds across a border continues in the next window.
    """
    last = int(notes["end"].max()) if len(notes) else 0
    found = (excerpt(notes, begin, STEPS) for begin in range(0, last, STEPS))
    return [part for part in found if len(part)]


def excerpt(notes: Notes, begin: int, length: int) -> Notes:
    """Return the notes in ``length`` steps from ``begin``, counted from 0; a note across a border is cut there."""
    inside = notes[(notes["start"] < begin + length) & (notes["end"] > begin)].copy()
    start, end = inside["start"].astype(int) - begin, inside["end"].astype(int) - begin
    inside["start"], inside["end"] = np.maximum(start, 0), np.minimum(end, length)
    return inside


def loop(notes: Notes, length: int, total: int) -> Notes:
    """Return ``length`` steps of music, repeated until ``total`` steps are full."""
    rounds = -(-total // length)
    found = np.tile(notes, rounds)
    shift = np.repeat(np.arange(rounds) * length, len(notes))
    found["start"], found["end"] = found["start"] + shift, found["end"] + shift
    return excerpt(found, 0, total)


def filled(notes: Notes) -> Notes:
    """Return one window's music, repeated until it fills the roll, so that the model cannot learn from its length."""
    span = min(int(notes["end"].max()), STEPS)
    return notes if span >= STEPS else loop(notes, span, STEPS)


def random_excerpt(notes: Notes, rng: np.random.Generator) -> Notes:
    """Return a random part of one window's music, at least half of it.

    Lyrics and tempo decide where a slice starts and ends. A model trained on whole slices would learn these borders
    instead of the music.
    """
    span = int(notes["end"].max())
    length = max(1, round(span * (0.5 + 0.5 * rng.random())))
    part = excerpt(notes, int(rng.integers(0, span - length + 1)), length)
    return part if len(part) else notes


def cells(notes: Notes, transpose: int = 0) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return (places in the flattened roll, velocities) of one window's notes; of two at a place, the louder is last.

    ``transpose`` moves all notes except drums, in semitones; notes outside 0..127 are dropped.
    """
    pitch = notes["pitch"].astype(np.int32) + np.where(notes["drum"], 0, transpose)
    kept = (pitch >= 0) & (pitch < PITCHES) & (notes["start"] < STEPS)
    notes, pitch = notes[kept], pitch[kept]
    # By velocity, because of two values for a place the last one is kept.
    order = np.argsort(notes["velocity"], kind="stable")
    notes, pitch = notes[order], pitch[order]
    start, velocity, drum = notes["start"].astype(np.int32), notes["velocity"], notes["drum"]
    lengths = np.where(drum, 1, np.minimum(notes["end"], STEPS) - start)
    row = np.where(drum, 2 * PITCHES, PITCHES) + pitch
    first = np.repeat(row * STEPS + start - (np.cumsum(lengths) - lengths), lengths)
    sustained = first + np.arange(int(lengths.sum()), dtype=np.int32)
    onsets = (pitch * STEPS + start)[~drum]
    return (np.concatenate([onsets, sustained]).astype(np.int32),
            np.concatenate([velocity[~drum], np.repeat(velocity, lengths)]))


def dense(notes: Notes, transpose: int = 0) -> Roll:
    """Return the roll [3, 128, 256] of one window's notes, 0..1."""
    return stack([cells(notes, transpose)])[0]


def stack(found: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]]) -> Roll:
    """Return the rolls [n, 3, 128, 256] of the :func:`cells` of n windows."""
    flat = np.zeros((len(found), CELLS), np.float32)
    for number, (places, values) in enumerate(found):
        flat[number, places] = values
    flat *= np.float32(1 / FULL)
    return flat.reshape(len(found), *SHAPE)


NOTES = pa.list_(pa.struct([
    pa.field("start", pa.uint16(), nullable=False), pa.field("end", pa.uint16(), nullable=False),
    pa.field("pitch", pa.uint8(), nullable=False), pa.field("velocity", pa.uint8(), nullable=False),
    pa.field("drum", pa.bool_(), nullable=False),
]))


def notes_of(lists: pa.ListArray | pa.ChunkedArray) -> list[roll.Notes | None]:
    """Return the notes of each row of the column ``notes``, or None if it is null."""
    whole = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    items = whole.flatten()
    flat = np.zeros(len(items), roll.NOTE)
    for number, item in enumerate(NOTES.value_type):
        flat[item.name] = items.field(number).to_numpy(zero_copy_only=False)
    lengths = np.asarray(pc.fill_null(whole.value_lengths(), 0))
    ends = np.cumsum(lengths)
    empty = np.asarray(whole.is_null())
    return [None if empty[n] else flat[ends[n] - lengths[n]:ends[n]] for n in range(len(whole))]
