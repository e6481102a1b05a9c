"""Read MIDI files as hits: groups of notes that sound together.

A new hit starts when the keys of all earlier notes are up (the rule of the original parser), so a strummed chord is one
hit. A pedal joins no hits, because it also holds a chord that the player has left. numpy groups the notes of all files
at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rainbow_assets.harmony.model import pack_anomaly
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.music.midi_song import PERCUSSION, MidiSong, UnreadableMidi
from rainbow_assets.text import some


@dataclass(frozen=True, slots=True)
class Hit:
    """Notes that sound together: sorted distinct pitches, the 12-bit mask of their pitch classes, time in ticks."""

    pitches: tuple[int, ...]
    mask: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MidiChords:
    """The hits of one file, in order, and its ``clock``: the file without its notes."""

    hits: tuple[Hit, ...]
    clock: MidiSong

    @property
    def bpm(self) -> float:
        """Return the tempo at the first hit, in BPM."""
        return self.clock.bpm_at(self.hits[0].start)

    def milliseconds(self, ticks: int) -> int:
        """Return ``ticks`` in whole milliseconds by the file's tempo map."""
        return round(self.clock.ms_at(ticks))


def read_midi(files: Sequence[tuple[str, bytes]]) -> tuple[list[MidiChords | None], list[Anomaly]]:
    """Return the hits of each (path, content), None if it cannot be used, and an anomaly for each oddity of a file."""
    notes: list[tuple[int, int, int]] = []
    counts = np.zeros(len(files), dtype=np.int64)
    clocks: list[MidiSong | None] = []
    anomalies: list[Anomaly] = []
    for number, (path, data) in enumerate(files):
        clocks.append(None)
        try:
            song = MidiSong.load(data, name=path.rpartition("/")[2])
        except UnreadableMidi as error:
            anomalies.append(pack_anomaly(path, "not_midi", str(error)))
            continue
        found = [(note.on, note.key_off, note.pitch) for note in song.notes if note.channel != PERCUSSION]
        counts[number] = len(found)
        notes += found
        if not found:
            why = "; ".join(["the file has no notes (percussion tracks are ignored)", *song.repairs[:3]])
            anomalies.append(pack_anomaly(path, "no_notes", why))
            continue
        if song.repairs:
            anomalies.append(pack_anomaly(path, "repaired_midi", some(song.repairs, between="; "), "the rest is used"))
        # A pack has thousands of files: keep their clocks, not their notes.
        clocks[-1] = replace(song, notes=(), changes={}, names=())
    hits = _hits(np.array(notes, dtype=np.int64).reshape(-1, 3), counts)
    read = [MidiChords(tuple(own), clock) if clock else None for own, clock in zip(hits, clocks, strict=True)]
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
