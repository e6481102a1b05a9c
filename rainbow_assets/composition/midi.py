"""Writing parts to one MIDI file and reading them back, with symusic. Equal parts give equal bytes."""

from __future__ import annotations

from typing import Any

from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, STAGES, Parts, SongBrief
from rainbow_assets.music.clock import PPQ, Note

PROGRAMS = {CHORDS: 4, DRUMS: 0, BASS: 33, MELODY: 80}
"""General MIDI programs (from 0): electric piano, standard kit, fingered bass, square lead."""
SHORTEST = 10
"""Length in ticks of the shortest note that is written."""


def to_midi(parts: Parts, song: SongBrief) -> bytes:
    """Return the parts as a MIDI file with tempo, meter and one track per part; drums are on channel 10."""
    import symusic

    score: Any = symusic.Score(PPQ)
    score.tempos.append(symusic.Tempo(0, qpm=song.bpm))
    score.time_signatures.append(symusic.TimeSignature(0, song.meter.numerator, song.meter.denominator))
    for stage in STAGES:
        if stage not in parts:
            continue
        track: Any = symusic.Track(name=stage, program=PROGRAMS[stage], is_drum=stage == DRUMS)
        for start, length, pitch, velocity in sorted(parts[stage]):
            track.notes.append(symusic.Note(start, max(SHORTEST, length), pitch, velocity))
        score.tracks.append(track)
    return bytes(score.dumps_midi())


def from_midi(data: bytes) -> dict[str, tuple[Note, ...]]:
    """Return {stage: notes} of a file that :func:`to_midi` wrote."""
    import symusic

    score: Any = symusic.Score.from_midi(data)
    found = {}
    for track in score.tracks:
        arrays = track.notes.numpy()
        columns = (arrays[name].tolist() for name in ("time", "duration", "pitch", "velocity"))
        found[track.name] = tuple(sorted(Note(*values) for values in zip(*columns, strict=True)))
    return found
