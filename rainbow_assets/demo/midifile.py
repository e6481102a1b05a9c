"""Standard MIDI files, type 1: a conductor track with tempo, meter and key, then one track per part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mido import MetaMessage, MidiFile, MidiTrack
from mido.messages import Message
from mido.midifiles.meta import KeySignatureError

from rainbow_assets.music.clock import PPQ, Clock, Note, separated

DRUM_CHANNEL = 9


@dataclass(frozen=True, slots=True)
class MidiPart:
    """One track of a MIDI file."""

    name: str
    notes: Sequence[Note]
    program: int = 0
    drum: bool = False


def write_midi(path: Path, clock: Clock, parts: Sequence[MidiPart], end_tick: int, key: str | None = None) -> None:
    """Write ``parts`` with the true tempo and time signature; ``key`` is ``Bb minor`` or None."""
    file = MidiFile(type=1, ticks_per_beat=PPQ)
    conductor = MidiTrack([MetaMessage("track_name", name="Conductor", time=0),
                           MetaMessage("set_tempo", tempo=clock.tempo_us, time=0)])
    if clock.signature and _writable(clock.signature):
        beats, unit = clock.signature
        conductor.append(MetaMessage("time_signature", numerator=beats, denominator=unit, time=0))
    if key and (signature := _key(key)):
        conductor.append(signature)
    conductor.append(MetaMessage("end_of_track", time=end_tick))
    file.tracks.append(conductor)
    for part in parts:
        file.tracks.append(_track(part, end_tick))
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save(path)


def _writable(signature: tuple[int, int]) -> bool:
    beats, unit = signature
    return 0 < beats < 256 and unit in (1, 2, 4, 8, 16, 32, 64)


def _key(key: str) -> MetaMessage | None:
    tonic, _, mode = key.partition(" ")
    try:
        return MetaMessage("key_signature", key=tonic + ("m" if mode == "minor" else ""), time=0)
    except (KeySignatureError, ValueError):
        return None  # MIDI has no signature for keys such as A# major; the file is correct without one


def _track(part: MidiPart, end_tick: int) -> MidiTrack:
    channel = DRUM_CHANNEL if part.drum else 0
    # Track names are 7-bit text so that every reader agrees on them.
    track = MidiTrack([MetaMessage("track_name", name=part.name.encode("ascii", "replace").decode(), time=0)])
    if not part.drum:
        track.append(Message("program_change", program=part.program, channel=channel, time=0))
    events: list[tuple[int, int, int, int]] = []
    for start, length, pitch, velocity in separated(list(part.notes)):
        events += [(start, 1, pitch, velocity), (start + max(1, length), 0, pitch, 0)]
    now = 0
    for tick, kind, pitch, velocity in sorted(events):
        name = "note_on" if kind else "note_off"
        track.append(Message(name, note=pitch, velocity=velocity, channel=channel, time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=max(0, end_tick - now)))
    return track
