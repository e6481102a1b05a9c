"""The text files of a demo song in the artist's style: the YAML manifest and the LRC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import yaml

from rainbow_assets.demo.songs import GRAIN_MS, SongPlan

ARTIST = "Rainbow Demo"
BREATH_MS = 240
DESCRIBED = {
    "Intro": "The stems come in one after another", "Theme": "The tune is played through",
    "Break": "Most of the band rests", "Outro": "What is left rings out", "Chorus": "The hook",
    "Last Chorus": "The hook once more", "Verse 1": "The story begins", "Verse 2": "The story goes on",
}


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """One entry of ``audio_tracks`` and how its WAV is made."""

    role: str
    description: str
    audio_file: str | None = None
    midi_file: str | None = None
    midi_group_file: str | None = None
    group: str | None = None
    player: str | None = None
    bits: int = 16
    stereo: bool = False


NAMES = {"kick": "Kick", "percussion": "Snare and Tambourine", "drums": "Drum Kit", "static": "Static Percussion",
         "texture": "Texture", "bass": "Bass", "chords": "Chords", "lead": "Lead", "guide": "Guide Melody"}
LEADS = {"Thing": "Toy Mallets", "Place": "Glass Bells", "Person": "Lead Vocal", None: "Noise Bells"}
CHORDS = {"Thing": "Plucked Strings", "Place": "Wide Pad", "Person": "Electric Piano", None: "Organ"}


def tracks(plan: SongPlan) -> list[TrackPlan]:
    """Return the song's stems; drums on several stems share one MIDI file, textures have none, a guide has no WAV."""
    found = []
    for role in (*plan.sound.body.roles, *(("guide",) if plan.variation.guide else ())):
        spatial = plan.heard.spatial
        description = {"lead": LEADS[spatial], "chords": CHORDS[spatial]}.get(role, NAMES[role])
        stem = f"{plan.song_id}_{description.lower().replace(' ', '_')}"
        grouped, drum = role in ("kick", "percussion"), role in ("kick", "percussion", "drums", "static")
        own = None if grouped or role == "texture" else f"{stem}.mid"
        found.append(TrackPlan(
            role, description, None if role == "guide" else f"{stem}.wav", own,
            f"{plan.song_id}_drums.mid" if grouped else None, "Drums" if drum else None,
            "Demo Singer" if description == "Lead Vocal" else None,
            24 if role == "lead" and plan.heard.temporal == "Future" and plan.sequence == 1 else 16,
            role == "chords" and spatial == "Place",
        ))
    return found


def stamp(ms: float, style: str, join: bool = False) -> str:
    """Return ``[MM:SS.mmm]``; in frame styles the fraction is ``0FF``, or ``FFS`` with S eighths, at 25 fps.

    ``join`` marks a start that is also the end of the previous section: the artist types it one higher in any unit.
    """
    # A sequencer's display shows the frame that has begun; milliseconds are rounded.
    units = round(ms) if style == "ms" else int((ms + 1e-6) // GRAIN_MS[style])
    seconds, fraction = divmod(units, 1000 // GRAIN_MS[style])
    if style == "frames+subframe":
        fraction = fraction // 8 * 10 + fraction % 8
    seconds, fraction = divmod(seconds * 1000 + fraction + join, 1000)
    return f"[{seconds // 60:02d}:{seconds % 60:02d}.{fraction:03d}]"


def boundaries(plan: SongPlan) -> list[tuple[float, float]]:
    """Return start and end of each section in milliseconds; an end is exactly the next start."""
    edges = [*(plan.bar_ms(section.start_bar) for section in plan.sections), float(plan.total_ms)]
    return list(pairwise(edges))


def manifest_text(plan: SongPlan, stems: Sequence[TrackPlan]) -> str:
    """Return the manifest with all 18 required fields, and ``lrc_file`` if there are lyrics."""
    bpm = plan.clock.bpm
    document: dict[str, Any] = {
        "bpm": int(bpm) if bpm == int(bpm) else bpm,
        "manifest_id": plan.song_id,
        "tempo": "{}/{}".format(*(plan.clock.signature or (4, 4))),
        "key": plan.key,
        "rainbow_color": plan.color.mnemonic,
        "title": plan.words.title,
        "release_date": f"20{10 + plan.color.number}-{1 + (plan.sequence - 1) % 12:02d}-01",
        "album_sequence": plan.sequence,
        "main_audio_file": f"{plan.song_id}_main.wav",
        "TRT": stamp(plan.total_ms, plan.stamps),
        "vocals": plan.heard.spatial == "Person" and not plan.instrumental,
        "lyrics": not plan.instrumental,
        "structure": [
            {"section_name": section.name, "start_time": stamp(start, plan.stamps, join=start > 0),
             "end_time": stamp(end, plan.stamps), "description": DESCRIBED[section.name]}
            for section, (start, end) in zip(plan.sections, boundaries(plan), strict=True)
        ],
        "mood": list(plan.words.mood),
        "sounds_like": [{"name": name, "discogs_id": number} for name, number in plan.words.sounds_like],
        "genres": list(plan.words.genres),
        "concept": plan.words.concept,
    }
    if not plan.instrumental:
        document["lrc_file"] = f"{plan.song_id}.lrc"
    # As on the real albums, ids are labels: some songs count from 2.
    first = 1 + plan.color.number % 2
    document["audio_tracks"] = [_track(first + n, stem) for n, stem in enumerate(stems)]
    return yaml.dump(document, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=10_000)


def _track(number: int, stem: TrackPlan) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": number, "description": stem.description}
    for name in ("audio_file", "midi_file", "group", "midi_group_file", "player"):
        if (value := getattr(stem, name)) is not None:
            entry[name] = value
    return entry


class _Indented(yaml.SafeDumper):
    """Writes list items indented below their field, as the artist does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def lrc_text(plan: SongPlan) -> str:
    """Return the lyrics: ID tags, then each stamp on a line of its own with the words on the next; no last newline."""
    lines = [f"[ti: {plan.words.title}]", f"[ar: {ARTIST}]", f"[al: {plan.color.name} Demo]"]
    for n, ms in enumerate(lyric_times(plan)):
        lines += [stamp(ms, plan.stamps), plan.words.lines[n % len(plan.words.lines)]]
    return "\n".join(lines)


def lyric_times(plan: SongPlan) -> list[float]:
    """Return when each line starts, in milliseconds: up to a breath before or after its bar."""
    starts = np.array([plan.bar_ms(bar) for bar in plan.lyric_bars()])
    times = starts
    for take in range(20):
        times = starts + plan.rng("singer", take).uniform(-BREATH_MS, BREATH_MS, starts.size)
        # A few milliseconds may look like frames by chance; draw again, so that the demo's time code is not ambiguous.
        if plan.stamps != "ms" or np.count_nonzero(times % 1000 > 300) * 3 >= times.size:
            break
    return [float(ms) for ms in times]
