"""Write chords as a MIDI file with tempo, strum and harmonic rhythm; reading the file gives the same chords."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from rainbow_assets.music.errors import HarmonyUsageError

TICKS_PER_QUARTER = 480
MAX_STRUM_SHARE = 0.5
"""A strum takes at most this share of its chord, so that all notes sound together for the rest."""
MIN_BEATS, MAX_BEATS = 0.25, 64.0


@dataclass(frozen=True, slots=True)
class Performance:
    """How chords are played. ``beats`` is the harmonic rhythm: quarter notes per chord, repeated as needed.

    ``strum_ms`` is the delay from one note of a chord to the next higher one; negative values strum downwards.
    """

    bpm: float = 90.0
    beats: tuple[float, ...] = (4.0,)
    strum_ms: int = 0
    velocity: int = 84

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bpm) and 10 <= self.bpm <= 400):
            raise HarmonyUsageError(f"the tempo {self.bpm} is not between 10 and 400 beats per minute")
        if not self.beats or not all(MIN_BEATS <= beat <= MAX_BEATS for beat in self.beats):
            raise HarmonyUsageError(f"the harmonic rhythm {list(self.beats)} must be beats per chord, each between "
                                    f"{MIN_BEATS} and {MAX_BEATS:g}, for example 4 or 2,2,4")
        if not 1 <= self.velocity <= 127:
            raise HarmonyUsageError(f"the velocity {self.velocity} is not between 1 and 127")

    def borders(self, chords: int) -> list[int]:
        """Return the ticks at which the ``chords`` begin, and the end of the last one."""
        found, beat = [0], 0.0
        for number in range(chords):
            beat += self.beats[number % len(self.beats)]
            found.append(round(beat * TICKS_PER_QUARTER))
        return found


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """One note in ticks."""

    start: int
    end: int
    pitch: int


def play(voicings: Sequence[Sequence[int]], how: Performance) -> list[PlayedNote]:
    """Return the notes of ``voicings`` (MIDI pitches per chord), strummed, each sounding until its chord ends."""
    borders = how.borders(len(voicings))
    ticks_per_ms = TICKS_PER_QUARTER * how.bpm / 60000
    notes = []
    for voicing, start, end in zip(voicings, borders, borders[1:], strict=False):
        pitches = sorted(set(voicing))
        gaps = max(1, len(pitches) - 1)
        gap = min(abs(how.strum_ms) * ticks_per_ms, (end - start) * MAX_STRUM_SHARE / gaps)
        order = pitches if how.strum_ms >= 0 else pitches[::-1]
        notes += [PlayedNote(start + round(number * gap), end, pitch) for number, pitch in enumerate(order)]
    return notes


def midi_bytes(voicings: Sequence[Sequence[int]], how: Performance | None = None, name: str = "") -> bytes:
    """Return a type 1 MIDI file: a track with the tempo, then one track with the chords. Equal input, equal bytes."""
    import mido

    how = how or Performance()
    if any(not 0 <= pitch <= 127 for voicing in voicings for pitch in voicing):
        raise HarmonyUsageError("a MIDI pitch is not between 0 and 127; transpose the progression")
    events = [(note.start, 1, note.pitch) for note in play(voicings, how)]
    events += [(note.end, 0, note.pitch) for note in play(voicings, how)]
    score = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER)
    head, track = mido.MidiTrack(), mido.MidiTrack()
    head.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(how.bpm)))
    head.append(mido.MetaMessage("end_of_track"))
    if name:
        track.append(mido.MetaMessage("track_name", name=name.encode("ascii", "replace").decode()))
    now = 0
    # At one tick, notes end (0) before others start (1): the end would otherwise stop a repeated pitch at once.
    for tick, kind, pitch in sorted(events):
        track.append(mido.Message("note_on" if kind else "note_off", note=pitch, velocity=how.velocity if kind else 0,
                                  time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track"))
    score.tracks += [head, track]
    sink = io.BytesIO()
    score.save(file=sink)
    return sink.getvalue()
