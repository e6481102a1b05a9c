"""Read MIDI files as hits: groups of notes that sound together.

A new hit starts when all earlier notes have been released (the rule of the original parser), so a strummed chord is one
hit. symusic reads the files, and numpy groups the notes of all files at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rainbow_assets.harmony.model import pack_anomaly
from rainbow_assets.ingest.anomalies import Anomaly

DEFAULT_BPM = 120.0
"""Tempo of a MIDI file without one, from the MIDI standard."""
_DRUMS_SKIPPED = "percussion tracks are ignored"


@dataclass(frozen=True, slots=True)
class Hit:
    """Notes that sound together: sorted distinct pitches, the 12-bit mask of their pitch classes, time in ticks."""

    pitches: tuple[int, ...]
    mask: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MidiChords:
    """The hits of one file, in order, with its ticks per quarter note and its first tempo."""

    hits: tuple[Hit, ...]
    ticks_per_quarter: int
    bpm: float

    def milliseconds(self, ticks: int) -> int:
        """Return ``ticks`` in whole milliseconds at the file's first tempo."""
        return round(ticks * 60000 / (self.ticks_per_quarter * self.bpm))


def read_midi(files: Sequence[tuple[str, bytes]]) -> tuple[list[MidiChords | None], list[Anomaly]]:
    """Return the hits of each file (None if it cannot be used), and an anomaly for each file that cannot be used."""
    import symusic

    notes: list[tuple[int, int, int]] = []
    counts = np.zeros(len(files), dtype=np.int64)
    clocks: list[tuple[int, float] | None] = []
    anomalies: list[Anomaly] = []
    for number, (path, data) in enumerate(files):
        clocks.append(None)
        try:
            # symusic builds Score by factories that its type stubs do not show.
            score: Any = symusic.Score.from_midi(data)
        except (RuntimeError, ValueError) as error:
            cause = str(error).splitlines()[0] if str(error) else "it is not a MIDI file"
            anomalies.append(pack_anomaly(path, "not_midi", f"the MIDI library cannot read it: {cause}"))
            continue
        before = len(notes)
        for track in score.tracks:
            if not track.is_drum:
                notes += [(note.time, note.time + note.duration, note.pitch) for note in track.notes]
        counts[number] = len(notes) - before
        if not counts[number]:
            anomalies.append(pack_anomaly(path, "no_notes", f"the file has no notes ({_DRUMS_SKIPPED})"))
            continue
        tempos = score.tempos
        clocks[-1] = (score.tpq, float(tempos[0].qpm) if len(tempos) else DEFAULT_BPM)
    hits = _hits(np.array(notes, dtype=np.int64).reshape(-1, 3), counts)
    read = [MidiChords(tuple(own), *clock) if clock else None for own, clock in zip(hits, clocks, strict=True)]
    return read, anomalies


def _hits(notes: np.ndarray, counts: np.ndarray) -> list[list[Hit]]:
    """Group ``notes`` (start, end, pitch; ``counts`` of them per file, in file order) into hits per file."""
    grouped: list[list[Hit]] = [[] for _ in counts]
    if not len(notes):
        return grouped
    owner = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((notes[:, 2], notes[:, 0], owner))
    start, end, pitch, owner = notes[order, 0], notes[order, 1], notes[order, 2], owner[order]
    # The files follow each other on one time line, so that one running maximum of ends serves all of them.
    stride = int(end.max()) + 1
    released = np.maximum.accumulate(end + owner * stride)
    first = np.ones(len(start), dtype=bool)
    first[1:] = (start[1:] + owner[1:] * stride >= released[:-1]) | (owner[1:] != owner[:-1])
    begins = np.flatnonzero(first)
    masks = np.bitwise_or.reduceat(1 << (pitch % 12), begins).tolist()
    ends = np.maximum.reduceat(end, begins).tolist()
    pitches, starts, owners = pitch.tolist(), start[begins].tolist(), owner[begins].tolist()
    borders = [*begins.tolist(), len(pitches)]
    for number, mask in enumerate(masks):
        sounding = tuple(sorted(set(pitches[borders[number] : borders[number + 1]])))
        grouped[owners[number]].append(Hit(sounding, mask, starts[number], ends[number]))
    return grouped
