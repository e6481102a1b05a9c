"""`chord_library` and `progression_library` as pyarrow tables, with stable keys and order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.harmony.model import Chord, Pack, Progression
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.music.keys import Key

CHORD_SCHEMA = pa.schema([
    ("chord_id", pa.string()), ("key", pa.string()), ("tonic", pa.string()), ("tonic_pc", pa.int8()),
    ("mode", pa.string()), ("function", pa.string()), ("roman", pa.string()), ("chord_name", pa.string()),
    ("root_pc", pa.int8()), ("quality", pa.string()), ("inversion", pa.int8()), ("bass_pc", pa.int8()),
    ("bass_note", pa.string()), ("intervals", pa.list_(pa.int8())), ("pitch_classes", pa.list_(pa.int8())),
    ("voicing", pa.list_(pa.int16())), ("note_names", pa.list_(pa.string())), ("num_notes", pa.int16()),
    ("category", pa.string()), ("pack", pa.string()), ("source_file", pa.string()), ("source_digest", pa.string()),
    ("remark", pa.string()),
])
"""One row per chord in a key and voicing; key ``chord_id``. ``voicing`` is MIDI pitches, lowest first."""

PROGRESSION_SCHEMA = pa.schema([
    ("progression_id", pa.string()), ("name", pa.string()), ("key", pa.string()), ("tonic", pa.string()),
    ("tonic_pc", pa.int8()), ("mode", pa.string()), ("category", pa.string()), ("style", pa.string()),
    ("bpm", pa.float64()), ("total_chords", pa.int16()), ("functions", pa.list_(pa.string())),
    ("romans", pa.list_(pa.string())), ("declared_romans", pa.list_(pa.string())),
    ("chord_names", pa.list_(pa.string())),
    ("start_ms", pa.list_(pa.int32())), ("duration_ms", pa.list_(pa.int32())),
    ("voicings", pa.list_(pa.list_(pa.int16()))), ("mood_tags", pa.list_(pa.string())), ("pack", pa.string()),
    ("source_file", pa.string()), ("source_digest", pa.string()), ("remark", pa.string()),
])
"""One row per progression; key ``progression_id``; the lists have one item per chord. Times are milliseconds.

``remark`` is the warning about the row's file, which was used nevertheless; null if there is none.
"""


def remarks(anomalies: Iterable[Anomaly]) -> dict[str, str]:
    """Return the warnings about files that were used, by file; those of one file are joined by ' | '."""
    found: dict[str, list[str]] = {}
    for item in anomalies:
        if item.severity == "warning":
            found.setdefault(item.file, []).append(f"{item.kind}: {item.message}")
    return {file: " | ".join(own) for file, own in found.items()}


def chord_rows(chords: Iterable[Chord], noted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows of ``chord_library``, sorted by tonic, mode and ``chord_id``; ``noted`` are remarks by file."""
    rows = [{
        "chord_id": chord.chord_id, "key": chord.key.label, "tonic": chord.key.tonic, "tonic_pc": chord.key.pc,
        "mode": chord.key.mode, "function": chord.function, "roman": chord.roman, "chord_name": chord.name,
        "root_pc": chord.root_pc, "quality": chord.quality, "inversion": chord.inversion, "bass_pc": chord.bass_pc,
        "bass_note": chord.note_names[0], "intervals": list(chord.intervals),
        "pitch_classes": list(chord.pitch_classes), "voicing": list(chord.voicing),
        "note_names": list(chord.note_names), "num_notes": len(chord.voicing), "category": chord.category,
        "pack": chord.pack, "source_file": chord.source_file, "source_digest": chord.source_digest,
        "remark": noted.get(chord.source_file),
    } for chord in chords]
    return sorted(rows, key=lambda row: (row["tonic_pc"], row["mode"], row["chord_id"], row["pack"]))


def progression_rows(progressions: Iterable[Progression], noted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows of ``progression_library``, sorted by ``progression_id``."""
    rows = []
    for item in progressions:
        voicings = [list(step.voicing) for step in item.steps]
        times = [step.start_ms for step in item.steps], [step.duration_ms for step in item.steps]
        rows.append({
            "progression_id": item.progression_id, "name": item.name, "key": item.key.label, "tonic": item.key.tonic,
            "tonic_pc": item.key.pc, "mode": item.key.mode, "category": item.category, "style": item.style,
            "bpm": float(item.bpm), "total_chords": len(item.steps), "functions": list(item.functions),
            "romans": list(item.romans), "declared_romans": list(item.declared),
            "chord_names": [step.name for step in item.steps], "start_ms": times[0], "duration_ms": times[1],
            "voicings": voicings, "mood_tags": list(item.moods), "pack": item.pack, "source_file": item.source_file,
            "source_digest": digest(item.name, item.key.label, float(item.bpm), voicings, *times),
            "remark": noted.get(item.source_file),
        })
    return sorted(rows, key=lambda row: row["progression_id"])


def chord_library(pack: Pack) -> pa.Table:
    """Return the pack's chords as a table of ``CHORD_SCHEMA``."""
    return pa.Table.from_pylist(chord_rows(pack.chords, remarks(pack.anomalies)), schema=CHORD_SCHEMA)


def progression_library(pack: Pack) -> pa.Table:
    """Return the pack's progressions as a table of ``PROGRESSION_SCHEMA``."""
    return pa.Table.from_pylist(progression_rows(pack.progressions, remarks(pack.anomalies)), schema=PROGRESSION_SCHEMA)


def chords_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Chord, ...]:
    """Return the chords of ``chord_library`` rows, in the rows' order."""
    return tuple(
        Chord(
            key=Key(row["tonic"], row["mode"]), function=row["function"], roman=row["roman"], name=row["chord_name"],
            root_pc=row["root_pc"], quality=row["quality"], intervals=tuple(row["intervals"]),
            inversion=row["inversion"], voicing=tuple(row["voicing"]), category=row["category"], pack=row["pack"],
            source_file=row["source_file"],
        )
        for row in rows
    )
