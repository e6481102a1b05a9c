"""The four stages as assets.

Each asset uses the class of its own stage only: a changed drum rule rebuilds the drums and the stages after them.
"""

from __future__ import annotations

from rainbow_assets.composition.bass import Bass
from rainbow_assets.composition.chords import Chords
from rainbow_assets.composition.drums import Drums
from rainbow_assets.composition.melody import Melody
from rainbow_assets.composition.model import BASS, CHORDS, DRUMS, MELODY, Context
from rainbow_assets.composition.songs import of_store
from rainbow_assets.composition.stage_rows import Plan, stage
from rainbow_assets.composition.templates import Template, own_folder, templates
from rainbow_assets.harmony.stored import stored_library
from rainbow_assets.storage.store import ShardStore


def _templates(kind: str, store: ShardStore) -> tuple[Template, ...]:
    return templates(kind, own_folder(of_store(store).parent))


def _chords(context: Context, store: ShardStore) -> Chords:
    return Chords(context, stored_library(store).pool(context.song.key), _templates("strum", store))


def _drums(context: Context, store: ShardStore) -> Drums:
    return Drums(context, _templates("drums", store))


def _bass(context: Context, store: ShardStore) -> Bass:
    return Bass(context, _templates("bass", store))


def _melody(context: Context, store: ShardStore) -> Melody:
    return Melody(context, _templates("melody", store))


CHORD_CANDIDATES = stage(
    Plan(CHORDS, "strum", _chords, reads=(("chord_library", "chord"), ("function_graph", "graph"))),
    "Different chord progressions for each ordered song, scored as MIDI files; the best that differ are kept.")
DRUM_CANDIDATES = stage(
    Plan(DRUMS, "drums", _drums, CHORDS),
    "Different drum loops over each kept progression, with ghost notes and fills, in any meter.")
BASS_CANDIDATES = stage(
    Plan(BASS, "bass", _bass, DRUMS),
    "Different bass lines over each kept pair of chords and drums: roots, fifths and approach notes, with the kick.")
MELODY_CANDIDATES = stage(
    Plan(MELODY, "melody", _melody, BASS),
    "Different melodies over each kept trio: in a singer's range, on a contour, with chord tones on strong beats.")
ASSETS = (CHORD_CANDIDATES, DRUM_CANDIDATES, BASS_CANDIDATES, MELODY_CANDIDATES)
