"""`segments`: every stem x slice of a song is a candidate; the audible ones become rows.

A stem is read once for all of its windows. A candidate that gets no row is quarantined with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus.ids import MIX_TRACK, stem_id, stem_of
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.digests import digest
from rainbow_assets.ingest.unmoved import unmoved
from rainbow_assets.lineage.checks import relative_paths, unique_keys
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.music.midi_window import MidiSong, UnreadableMidi, midi_digest
from rainbow_assets.segments import table
from rainbow_assets.segments.ids import segment_id
from rainbow_assets.segments.slice_row import slice_values
from rainbow_assets.segments.slicing import REASONS, Slice
from rainbow_assets.segments.song_rows import SongRows, StemSource, slice_digest, songs, words_digest
from rainbow_assets.segments.stem_audio import WindowAudio, stem_audio
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

MOST_REMARKS = 12
"""Remarks on a MIDI file that a row keeps; a damaged file can have thousands."""


def quarantine_key(song_id: str, start_ms: int, number: int) -> str:
    """Return the ledger key of a slice that the rules quarantine, so that no window of it exists."""
    return f"{song_id}_slice_{start_ms:07d}_{number:02d}"


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List every stem x slice of the color's songs, and every slice that the rules quarantine."""
    manifest = shard.store.shard("base_manifest", shard.partition)
    rows: list[tuple[str | None, ...]] = []
    for song_id, song in songs(manifest, rules.slices).items():
        digests = [(slice_digest(slice_), words_digest(slice_)) for slice_ in song.plan.slices]
        tempo = digest(song.bpm)
        for source in song.sources:
            for slice_, own in zip(song.plan.slices, digests, strict=True):
                rows.append((segment_id(song_id, source.track, slice_.start_ms), song_id, *own, source.digest,
                             source.audio_sha256, source.midi_sha256, tempo if source.midi_file else None))
        for number, quarantined in enumerate(song.plan.quarantined):
            rows.append((quarantine_key(song_id, quarantined.start_ms, number), song_id,
                         digest(quarantined.reason, quarantined.text, quarantined.end_ms), *[None] * 5))
    schema = dict.fromkeys(["key", "part", *SEGMENTS.input_columns], pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass(frozen=True, slots=True)
class _Midi:
    """One stem's MIDI file, or the reason why it could not be read; neither if it has none. ``remarks`` explain it."""

    song: MidiSong | None
    problem: str | None
    remarks: str | None = None


def _read_midi(path: Path | None, sha256: str | None, bpm: float) -> _Midi:
    if path is None:
        return _Midi(None, None)
    data = unmoved(path, sha256)
    if data is None:
        return _Midi(None, "missing_midi", f"{path.name} does not exist")
    try:
        song = MidiSong.load(data, bpm, path.name)
    except UnreadableMidi as error:
        return _Midi(None, "unreadable_midi", str(error))
    return _Midi(song, None, some(song.repairs, MOST_REMARKS, " | ") or None)


def compute(work: Work) -> Iterator[Batch]:
    """Measure the requested windows, stem by stem, and keep those in which something sounds."""
    root = corpus_root()
    manifest = work.upstream("base_manifest")
    known = songs(manifest, work.rules.slices)
    for song_id, asked in work.parts():
        yield work.guarded(song_id, asked, partial(_of_song, root, known[song_id], set(asked["key"]), work.rules))


def _of_song(root: Path, song: SongRows, keys: set[str], rules: settings.Rules) -> Batch:
    rows: list[dict[str, Any]] = []
    out = {quarantine_key(song.song_id, quarantined.start_ms, number): quarantined.reason
           for number, quarantined in enumerate(song.plan.quarantined)}
    out = {key: reason for key, reason in out.items() if key in keys}
    sentences: dict[str, str] = {}
    for source in song.sources:
        wanted = [slice_ for slice_ in song.plan.slices
                  if segment_id(song.song_id, source.track, slice_.start_ms) in keys]
        if wanted:
            kept, dropped = measure(root, song, source, wanted, rules)
            rows += kept
            out.update({key: reason for key, (reason, _) in dropped.items()})
            sentences.update({key: sentence for key, (_, sentence) in dropped.items() if sentence})
    return Batch(song.song_id, pa.Table.from_pylist(rows, schema=table.SCHEMA), out, sentences=sentences)


def measure(
    root: Path, song: SongRows, source: StemSource, wanted: list[Slice], rules: settings.Rules
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, str | None]]]:
    """Return the rows of one stem's windows in which something sounds, and {key: (reason, sentence)} of the others."""
    sounds = stem_audio(song.path(root, source.audio_file) if source.audio_file else None, source.audio_sha256, wanted,
                        rules.audio)
    midi = _read_midi(song.path(root, source.midi_file) if source.midi_file else None, source.midi_sha256, song.bpm)
    rows, dropped = [], {}
    for slice_, audio in zip(wanted, sounds, strict=True):
        row = slice_values(song.song_id, source.track, slice_)
        events = midi_digest(midi.song, slice_.start_ms, slice_.end_ms, rules.midi.sliver_ms) if midi.song else None
        if not audio.kept and events is None:
            dropped[row["segment_id"]] = _reason(source, audio, midi)
            continue
        row.update({
            "rainbow_color": song.rainbow_color, "track_description": source.description,
            "track_group": source.group, "track_player": source.player, "source_audio_file": source.audio_file,
            "midi_file": source.midi_file, "has_audio": audio.kept, "has_midi": events is not None,
            "content_type": _content(audio.kept, events is not None), "midi_problem": midi.problem,
            "midi_digest": events, "midi_remarks": midi.remarks,
            "midi_default_bpm": midi.song.assumed_bpm if midi.song else None, **audio.values,
        })
        rows.append(row)
    return rows, dropped


def _content(audio: bool, midi: bool) -> str:
    return "audio_midi" if audio and midi else "audio_only" if audio else "midi_only"


def _reason(source: StemSource, audio: WindowAudio, midi: _Midi) -> tuple[str, str | None]:
    """Return why a window has no row, and the reader's sentence if a file cannot be read."""
    if audio.reason:
        return audio.reason, audio.sentence
    if midi.problem:
        return midi.problem, midi.remarks
    return "no_notes" if source.midi_file else "no_media", None


@check("Candidates = rows + quarantined candidates.")
def slices_expected(shard: Shard) -> Finding:
    """Check that every stem x slice of the manifests is a row or a quarantined candidate of the ledger."""
    rules = settings.default_rules()
    manifest = shard.store.shard("base_manifest", shard.partition)
    known = songs(manifest, rules.slices)
    expected = {name: len(song.sources) * len(song.plan.slices) + len(song.plan.quarantined)
                for name, song in known.items()}
    ledger = ledger_frame(shard, ["part", "status", "reason"])
    assert ledger is not None
    counts = {str(part): int(n) for part, n in ledger.group_by("part").len().iter_rows()}
    wrong = sorted(name for name in expected.keys() | counts.keys() if expected.get(name, 0) != counts.get(name, 0))
    reasons = ledger.filter(pl.col("status") != "ok").group_by("reason").len().sort("reason")
    rows = int((ledger["status"] == "ok").sum())
    numbers: dict[str, Any] = {"songs": len(known), "candidates": sum(expected.values()), "rows": rows,
                               "reasons": {str(reason): int(n) for reason, n in reasons.iter_rows()}}
    if wrong:
        return Finding(False, f"candidates and ledger differ for {some(wrong)}; materialize segments again", numbers)
    return Finding(True, f"{sum(expected.values())} candidates = {rows} rows + {sum(expected.values()) - rows} "
                         "quarantined", numbers)


@check("Rows and quarantined windows cover each song.")
def time_covered(shard: Shard) -> Finding:
    """Check that each stem's rows and quarantined windows cover its song from start to end (coverage 'full')."""
    rules = settings.default_rules()
    manifest = shard.store.shard("base_manifest", shard.partition)
    ledger = ledger_frame(shard, ["key", "status"])
    assert ledger is not None
    quarantined = set(ledger.filter(pl.col("status") != "ok")["key"])
    rows = shard.rows("stem_id", "start_ms", "end_ms")
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        spans.setdefault(row["stem_id"], []).append((row["start_ms"], row["end_ms"]))
    total = covered = 0
    wrong = []
    for name, song in songs(manifest, rules.slices).items():
        for source in song.sources:
            stem = stem_id(name, source.track)
            known = [(slice_.start_ms, slice_.end_ms) for slice_ in song.plan.slices
                     if segment_id(name, source.track, slice_.start_ms) in quarantined]
            inside = _union([*known, *spans.get(stem, [])], song.end_ms)
            total += song.end_ms
            covered += inside
            # A song shorter than the shortest slice has no window; the ledger has the reason.
            if inside != song.end_ms >= rules.slices.min_ms and rules.slices.coverage == "full":
                wrong.append(f"{stem} ({inside} of {song.end_ms} ms)")
    share = round(100 * covered / total, 3) if total else 100.0
    numbers = {"covered_ms": covered, "total_ms": total, "coverage_pct": share}
    if wrong:
        return Finding(False, f"some time is neither in a row nor in a quarantined window: {some(wrong)}; materialize "
                              "segments again", numbers)
    return Finding(True, f"{share} % of the stems' time is in a row or in a quarantined window", numbers)


def _union(spans: list[tuple[int, int]], end_ms: int) -> int:
    """Return how many milliseconds of 0..``end_ms`` the spans cover."""
    reached = found = 0
    for start, end in sorted(spans):
        found += max(0, min(end, end_ms) - max(reached, start))
        reached = max(reached, min(end, end_ms))
    return found


@check("Each row is inside its song.")
def rows_inside(shard: Shard) -> Finding:
    """Check that each row's span is inside its song and at least as long as the rules require."""
    shortest = settings.default_rules().slices.min_ms
    manifest = shard.store.shard("base_manifest", shard.partition)
    ends = {row["id"]: row["end_ms"] for row in manifest.rows("id", "end_ms")}
    rows = shard.rows("segment_id", "song_id", "start_ms", "end_ms", "track_number", "is_mix")
    wrong = []
    for row in rows:
        end = ends.get(row["song_id"], -1)
        short = row["end_ms"] - row["start_ms"] < min(shortest, end)
        if row["start_ms"] < 0 or row["end_ms"] > end or short or row["is_mix"] != (row["track_number"] == MIX_TRACK):
            wrong.append(row["segment_id"])
    numbers = {"rows": len(rows), "outside": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} rows are outside their song or too short: {some(wrong)}", numbers)
    return Finding(True, f"{len(rows)} rows inside their songs", numbers)


SEGMENTS = RowAsset(
    name="segments",
    group="segments",
    kinds={"wav", "parquet"},
    description=(
        "One row per stem and time slice in which something sounds, with levels and digests of samples "
        "and notes."),
    reads={"base_manifest": ("slice", "words", "stem", "audio", "midi", "tempo")},
    compute=compute,
    columns=table.SCHEMA,
    fields=table.GROUPS,
    settings=("slices", "audio", "midi"),
    libraries=("soxr",),
    candidates=candidates,
    joins={"base_manifest": stem_of(pl.col("key"))},
    identity=("song_id", "stem_id", "track_number", "is_mix", "start_ms", "rainbow_color"),
    through={"base_manifest": ("mix",)},
    row_by_row=True,
    reasons=REASONS,
    flows={
        "window": ("base_manifest.slice", "base_manifest.stem"), "slice": ("base_manifest.slice",),
        "stem": ("base_manifest.stem",), "lyric_text": ("base_manifest.words",),
        "audio": ("base_manifest.slice", "base_manifest.audio"),
        "levels": ("base_manifest.slice", "base_manifest.audio"),
        "midi": ("base_manifest.slice", "base_manifest.midi", "base_manifest.tempo"),
        "midi_file": ("base_manifest.midi",),
        "content": ("base_manifest.slice", "base_manifest.audio", "base_manifest.midi", "base_manifest.tempo"),
        "key": ("base_manifest.slice", "base_manifest.audio", "base_manifest.midi", "base_manifest.tempo"),
    },
    checks=[unique_keys, relative_paths, slices_expected, time_covered, rows_inside],
)
