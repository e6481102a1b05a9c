"""Training data that is made in seconds: the demo's own notes and concepts, without rendering a sound."""

from __future__ import annotations

import io
import tempfile
from functools import lru_cache
from pathlib import Path

import mido
import numpy as np

from rainbow_assets.corpus.splits import assign_splits
from rainbow_assets.demo import midifile
from rainbow_assets.demo.composer import DRUM_ROLES, compose
from rainbow_assets.demo.songs import SongPlan, plan_songs
from rainbow_assets.embeddings import encoders, specs
from rainbow_assets.fitness import data, folds, roll
from rainbow_assets.settings import FitnessRules

QUICK = FitnessRules(max_epochs=2, batch=16, patience=2, folds=3, device="cpu")
TEXT, SOUND = specs.MINILM_TEXT, specs.SIGNAL_AUDIO


def midi(notes: list[tuple[float, float, int, int]], tempo: int = 500_000, drums: bool = False) -> bytes:
    """A MIDI file of (start, end, pitch, velocity) in seconds at one tempo."""
    score, track = mido.MidiFile(type=1, ticks_per_beat=1000), mido.MidiTrack()
    score.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=tempo))
    events = sorted([(start, 1, pitch, velocity) for start, _, pitch, velocity in notes]
                    + [(end, 0, pitch, 0) for _, end, pitch, _ in notes])
    at = 0
    for seconds, kind, pitch, velocity in events:
        tick = round(seconds * 1e9 / tempo)
        track.append(mido.Message("note_on" if kind else "note_off", channel=9 if drums else 0, note=pitch,
                                  velocity=velocity, time=tick - at))
        at = tick
    out = io.BytesIO()
    score.save(file=out)
    return out.getvalue()


SLICE = 48
"""Steps of a slice: about six seconds, as the demo's lyric lines."""


def slices(notes: roll.Notes) -> list[roll.Notes]:
    """Cut notes as the slicer would: each slice from its own step 0, silent ones left out."""
    found = []
    for begin in range(0, int(notes["end"].max()), SLICE):
        inside = notes[(notes["start"] < begin + SLICE) & (notes["end"] > begin)].copy()
        inside["start"] = np.maximum(inside["start"].astype(int) - begin, 0)
        inside["end"] = np.minimum(inside["end"].astype(int) - begin, SLICE)
        found += [inside] if len(inside) else []
    return found


def stems(plan: SongPlan) -> dict[str, roll.Notes]:
    """Notes of every slice of every stem of a demo song."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for role, notes in compose(plan).items():
            if notes:
                path = Path(folder) / f"{role}.mid"
                midifile.write_midi(path, plan.clock, [midifile.MidiPart(role, notes, 0, role in DRUM_ROLES)],
                                    plan.bars * plan.clock.bar_ticks, plan.key)
                found |= {f"{role}_{n}": part for n, part in enumerate(slices(roll.read_notes(path.read_bytes())))}
    return found


@lru_cache(maxsize=4)
def demo(songs_per_color: int, shuffled: bool = False, seconds: float = 20, count: int = 5) -> data.TrainingData:
    """The demo's stems as training rows: music and concepts, folds of songs, no sound and no lyrics."""
    plans = plan_songs(songs_per_color, 7, seconds, shuffled)
    encoder = encoders.load_encoder(TEXT)
    known = dict(zip([plan.song_id for plan in plans],
                     encoder.forward([encoder.prepare(plan.words.concept.encode()) for plan in plans]), strict=True))
    rows = [(f"{plan.song_id}_{role}", plan, notes) for plan in plans for role, notes in stems(plan).items()]
    colors = {plan.song_id: plan.color.name for plan in plans}
    fold = folds.folds(colors, folds.groups({song: [song] for song in colors}), count, 42)
    split = {}
    for color in set(colors.values()):
        split |= assign_splits([song for song, own in colors.items() if own == color])
    songs = [plan.song_id for _, plan, _ in rows]
    target, mask = data.encode([colors[song] for song in songs])
    yes, no = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    return data.TrainingData(
        [key for key, _, _ in rows], songs, [colors[song] for song in songs], [split[song] for song in songs],
        np.array([fold[song] for song in songs]), target, mask,
        {"audio": np.zeros((len(rows), SOUND.dims), np.float32), "concept": np.stack([known[song] for song in songs]),
         "lyric": np.zeros((len(rows), TEXT.dims), np.float32)},
        {"audio": no, "midi": yes, "concept": yes, "lyric": no}, [notes for _, _, notes in rows],
        {"audio": SOUND.digest, "concept": TEXT.digest, "lyric": TEXT.digest})
