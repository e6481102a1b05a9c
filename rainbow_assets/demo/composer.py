"""The notes of a demo song: chords, bass, lead and drums from its color's scale, rhythm and instruments."""

from __future__ import annotations

import numpy as np

from rainbow_assets.demo.character import Knowledge
from rainbow_assets.demo.songs import SectionPlan, SongPlan
from rainbow_assets.music.clock import PPQ, Note, separated
from rainbow_assets.sound.instruments import (
    CLAP,
    CLOSED_HAT,
    CRASH,
    KICK,
    OPEN_HAT,
    RIDE,
    SHAKER,
    SNARE,
    TAMBOURINE,
    TOM,
)

CHORD_BASE, BASS_BASE, LEAD_BASE = 48, 36, 60
DRUM_ROLES = ("kick", "percussion", "drums", "static")


def compose(plan: SongPlan) -> dict[str, list[Note]]:
    """Return the notes of each stem role; a role rests in the sections of :func:`silent_sections`."""
    silent = silent_sections(plan)
    parts: dict[str, list[Note]] = {role: [] for role in plan.sound.body.roles}
    for number, section in enumerate(plan.sections):
        knowledge = plan.sound.knows(number)
        music = {**_pitched(plan, section, knowledge), **_drums(plan, section, knowledge)}
        for role in parts:
            if number not in silent[role]:
                parts[role] += _faded(music[role], plan, section) if knowledge.fading else music[role]
    parts = {role: separated(notes) for role, notes in parts.items()}
    if plan.variation.guide:
        parts["guide"] = [note._replace(pitch=note.pitch + 12) for note in parts["lead"]]
    return parts


def silent_sections(plan: SongPlan) -> dict[str, set[int]]:
    """Return the numbers of the sections in which each role rests; something plays in every section."""
    rng, last = plan.rng("rests"), len(plan.sections) - 1
    inner = range(1, last) if last > 2 else range(0)
    some = {role: {int(rng.choice(inner))} if inner else set() for role in ("chords", "percussion", "drums", "static")}
    rests = {"lead": {0, last}, "bass": {0}, "chords": some["chords"], "kick": {last},
             "percussion": {0} | some["percussion"], "drums": {0} | some["drums"], "static": {last} | some["static"],
             "texture": {last}}
    if "drums" in plan.sound.body.roles:
        rests["drums"] -= {last}
    return {role: rests[role] for role in plan.sound.body.roles}


def _pitched(plan: SongPlan, section: SectionPlan, knowledge: Knowledge) -> dict[str, list[Note]]:
    body, bar_ticks = plan.sound.body, plan.clock.bar_ticks
    scale = plan.scale(knowledge)
    rng = plan.rng("harmony", knowledge.rhythm)
    roots = [0, *(int(n) for n in rng.permutation(knowledge.roots)[:3])]
    motif = [int(n) for n in rng.integers(-2, 5, 7)]
    notes: dict[str, list[Note]] = {role: [] for role in ("chords", "bass", "lead", "texture")}
    for bar in range(section.start_bar, section.end_bar):
        start, root = bar * bar_ticks, roots[(bar - section.start_bar) % len(roots)]
        notes["texture"].append(Note(start, bar_ticks, _pitch(plan, scale, root, CHORD_BASE + 12), 60))
        length = min(bar_ticks, round(body.chord_beats * PPQ))
        for place in range(0, bar_ticks, length):
            ticks = min(length, bar_ticks - place)
            pitches = [_pitch(plan, scale, root + step, CHORD_BASE) for step in knowledge.chord]
            notes["chords"] += [Note(start + place, round(ticks * 0.95), pitch, 74) for pitch in pitches]
        notes["bass"] += _bass(plan, scale, root, start)
        notes["lead"] += _lead(plan, scale, knowledge, root, motif, start, bar)
    return notes


def _pitch(plan: SongPlan, scale: tuple[int, ...], step: int, base: int) -> int:
    """Return the MIDI pitch of a scale position, counted from the tonic above ``base``."""
    tonic = plan.tonic if plan.tonic < 7 else plan.tonic - 12
    return base + tonic + scale[step % len(scale)] + 12 * (step // len(scale))


def _bass(plan: SongPlan, scale: tuple[int, ...], root: int, start: int) -> list[Note]:
    era, bar_ticks = plan.sound.era, plan.clock.bar_ticks
    pitch = _pitch(plan, scale, root, BASS_BASE)
    if plan.sound.body.bass_drone:
        return [Note(start, bar_ticks, pitch, 84)]
    step = round(PPQ * era.pulse * 2)
    return [Note(start + place, round(min(step, bar_ticks - place) * 0.8), pitch, 96 if place == 0 else 82)
            for place in range(0, bar_ticks, step)]


def _lead(
    plan: SongPlan, scale: tuple[int, ...], knowledge: Knowledge, root: int, motif: list[int], start: int, bar: int
) -> list[Note]:
    bar_ticks = plan.clock.bar_ticks
    places = _places(plan, knowledge, bar)
    if plan.heard.spatial == "Person":  # a singer breathes at the end of the bar
        places = [place for place in places if place < bar_ticks * 0.8] or places[:1]
    ends = [*places[1:], bar_ticks]
    notes = []
    for n, (place, end) in enumerate(zip(places, ends, strict=True)):
        step = root + motif[(n + (bar % 2) * 3) % len(motif)]
        length = max(PPQ // 8, round((end - place) * plan.sound.body.hold))
        velocity = 100 if place == 0 else 84 + 3 * (n % 3)
        notes.append(Note(start + place, length, _pitch(plan, scale, step, LEAD_BASE), velocity))
    return notes


def _places(plan: SongPlan, knowledge: Knowledge, bar: int) -> list[int]:
    """Return the ticks within a bar at which the lead plays, in the rhythm of the ontological mode."""
    bar_ticks, pulse = plan.clock.bar_ticks, round(plan.sound.era.pulse * PPQ)
    rng = plan.rng("rhythm", knowledge.rhythm, bar % 4)
    if knowledge.rhythm == "regular":
        return list(range(0, bar_ticks, pulse))
    if knowledge.rhythm == "dotted":
        steps = np.cumsum([0, *([3, 3, 2] * 16)]) * pulse // 2
        return [int(place) for place in steps if place < bar_ticks]
    if knowledge.rhythm == "sparse":
        grid = np.arange(pulse // 2, bar_ticks, pulse * 2)
        kept = grid[rng.random(grid.size) < 0.75]
        return [int(place) for place in kept] or [pulse // 2]
    grid = np.arange(0, bar_ticks, PPQ // 4)
    return sorted(int(place) for place in rng.choice(grid, max(2, grid.size // 3), replace=False))


def _drums(plan: SongPlan, section: SectionPlan, knowledge: Knowledge) -> dict[str, list[Note]]:
    hits: dict[str, list[Note]] = {role: [] for role in DRUM_ROLES}
    bar_ticks, beat = plan.clock.bar_ticks, PPQ
    small = round(PPQ * min(0.5, plan.sound.era.pulse / 2))
    for bar in range(section.start_bar, section.end_bar):
        start = bar * bar_ticks
        beats = range(0, bar_ticks, beat)
        kick = [Note(start + place, beat // 4, KICK, 108) for n, place in enumerate(beats) if n % 2 == 0]
        snare = [Note(start + place, beat // 4, SNARE, 96) for n, place in enumerate(beats) if n % 2 == 1]
        ticking = range(0, bar_ticks, small * (2 if knowledge.rhythm == "sparse" else 1))
        hat = [Note(start + place, beat // 8, OPEN_HAT if n % 8 == 7 else CLOSED_HAT, 84 if n % 2 == 0 else 60)
               for n, place in enumerate(ticking)]
        wood = [Note(start + place, beat // 8, TAMBOURINE if n % 3 else TOM, 80) for n, place in enumerate(ticking)]
        hits["kick"] += kick
        hits["percussion"] += wood + snare
        hits["drums"] += kick + snare + hat
        hits["static"] += _static(plan, bar)
        if bar == section.start_bar:
            hits["drums"].append(Note(start, beat, CRASH if bar else RIDE, 90))
    return hits


def _static(plan: SongPlan, bar: int) -> list[Note]:
    """Return bursts of noise at random places: the rhythm of a color without a spatial mode."""
    rng, bar_ticks = plan.rng("static", bar % 3), plan.clock.bar_ticks
    grid = np.arange(0, bar_ticks, PPQ // 4)
    places = np.sort(rng.choice(grid, max(3, grid.size // 3), replace=False))
    keys = rng.choice((SHAKER, CLAP, CRASH, CLOSED_HAT, TOM), places.size)
    return [Note(bar * bar_ticks + int(place), PPQ // 8, int(key), int(rng.integers(70, 110)))
            for place, key in zip(places, keys, strict=True)]


def _faded(notes: list[Note], plan: SongPlan, section: SectionPlan) -> list[Note]:
    """Return the notes with a decrease to two fifths of their loudness, the sign of the mode Forgotten."""
    start, end = section.start_bar * plan.clock.bar_ticks, section.end_bar * plan.clock.bar_ticks
    return [note._replace(velocity=max(1, round(note.velocity * (1 - 0.6 * (note.start - start) / (end - start)))))
            for note in notes]
