"""Writing parts to one MIDI file and reading them back. Equal parts give equal bytes."""

from __future__ import annotations

from typing import Any

from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, STAGES, Parts, SongBrief
from rainbow_assets.music.clock import PPQ, Note
from rainbow_assets.music.midi_song import MidiSong

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
    """Return the parts of a file of :func:`to_midi`, by stage; raise ``UnreadableMidi`` if it is not a MIDI file."""
    song = MidiSong.load(data, name="the piece")
    fine = song.ticks_per_beat // PPQ
    found: dict[str, list[Note]] = {name.decode("latin-1"): [] for name in song.names if name}
    for note in song.notes:
        found.setdefault(song.names[note.track].decode("latin-1"), []).append(
            Note(note.on // fine, (note.off - note.on) // fine, note.pitch, note.velocity))
    return {name: tuple(sorted(notes)) for name, notes in found.items()}
