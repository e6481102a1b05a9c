"""What must hold of the segment tables before anything is built on them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl

from rainbow_assets import settings
from rainbow_assets.corpus.ids import MIX_TRACK, stem_id
from rainbow_assets.corpus.quality import splits_kept
from rainbow_assets.corpus.steps import BASE_MANIFEST
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.lineage.questions import names, relative_paths, rows_match, unique_keys
from rainbow_assets.lineage.verdicts import Check, Outcome
from rainbow_assets.music.midi_window import MidiSong, UnreadableMidi
from rainbow_assets.segments.extract_step import SEGMENTS
from rainbow_assets.segments.ids import segment_id
from rainbow_assets.segments.media_step import SEGMENT_MEDIA
from rainbow_assets.segments.song_rows import COLUMNS, songs
from rainbow_assets.segments.training_step import TRAINING_FULL, TRAINING_SEGMENTS
from rainbow_assets.sound.flac import FlacMismatch, decode_flac
from rainbow_assets.sound.levels import rms_db, span_frames
from rainbow_assets.storage.shard import Shard

CLIPPED_RUN = 16
"""Consecutive samples at full scale that count as clipping (a lone peak at full scale is not)."""


def slices_expected(shard: Shard) -> Outcome:
    """Every stem x slice that the manifests give is a row or a quarantined candidate of the ledger."""
    rules = settings.default_rules()
    manifest = shard.store.shard("base_manifest", shard.partition).table(BASE_MANIFEST.schema, COLUMNS)
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
        return Outcome(False, f"candidates and ledger differ for {names(wrong)}; materialize segments again", numbers)
    return Outcome(True, f"{sum(expected.values())} candidates = {rows} rows + {sum(expected.values()) - rows} "
                         "with a reason", numbers)


def time_covered(shard: Shard) -> Outcome:
    """Each stem's rows and its windows with a reason cover its song from start to end (coverage 'full')."""
    rules = settings.default_rules()
    manifest = shard.store.shard("base_manifest", shard.partition).table(BASE_MANIFEST.schema, COLUMNS)
    ledger = ledger_frame(shard, ["key", "status"])
    assert ledger is not None
    aside = set(ledger.filter(pl.col("status") != "ok")["key"])
    rows = shard.table(SEGMENTS.schema, ["stem_id", "start_ms", "end_ms"]).to_pylist()
    spans: dict[str, list[tuple[int, int]]] = {}
    for row in rows:
        spans.setdefault(row["stem_id"], []).append((row["start_ms"], row["end_ms"]))
    total = covered = 0
    wrong = []
    for name, song in songs(manifest, rules.slices).items():
        for source in song.sources:
            stem = stem_id(name, source.track)
            known = [(piece.start_ms, piece.end_ms) for piece in song.plan.slices
                     if segment_id(name, source.track, piece.start_ms) in aside]
            inside = _union([*known, *spans.get(stem, [])], song.end_ms)
            total += song.end_ms
            covered += inside
            # A song shorter than the shortest slice has none; the ledger says so.
            if inside != song.end_ms >= rules.slices.min_ms and rules.slices.coverage == "full":
                wrong.append(f"{stem} ({inside} of {song.end_ms} ms)")
    share = round(100 * covered / total, 3) if total else 100.0
    numbers = {"covered_ms": covered, "total_ms": total, "coverage_pct": share}
    if wrong:
        return Outcome(False, f"time is neither in a row nor set aside with a reason: {names(wrong)}; materialize "
                              "segments again", numbers)
    return Outcome(True, f"{share} % of the stems' time is in a row or has a reason", numbers)


def _union(spans: list[tuple[int, int]], end_ms: int) -> int:
    """Return how many milliseconds of 0..``end_ms`` the spans cover."""
    reached = found = 0
    for start, end in sorted(spans):
        found += max(0, min(end, end_ms) - max(reached, start))
        reached = max(reached, min(end, end_ms))
    return found


def rows_inside(shard: Shard) -> Outcome:
    """Each row's span lies inside its song, and it is at least as long as the rules allow."""
    shortest = settings.default_rules().slices.min_ms
    manifest = shard.store.shard("base_manifest", shard.partition).table(BASE_MANIFEST.schema, ["id", "end_ms"])
    ends = dict(zip(manifest.column("id").to_pylist(), manifest.column("end_ms").to_pylist(), strict=True))
    rows = shard.table(SEGMENTS.schema, ["segment_id", "song_id", "start_ms", "end_ms", "track_number", "is_mix"])
    wrong = []
    for row in rows.to_pylist():
        end = ends.get(row["song_id"], -1)
        short = row["end_ms"] - row["start_ms"] < min(shortest, end)
        if row["start_ms"] < 0 or row["end_ms"] > end or short or row["is_mix"] != (row["track_number"] == MIX_TRACK):
            wrong.append(row["segment_id"])
    numbers = {"rows": rows.num_rows, "outside": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} rows lie outside their song or are too short: {names(wrong)}", numbers)
    return Outcome(True, f"{rows.num_rows} rows inside their songs", numbers)


def media_present(shard: Shard) -> Outcome:
    """`has_audio` and `has_midi` say what the media table really holds."""
    flags = {row["segment_id"]: row for row in shard.store.shard("segments", shard.partition).table(
        SEGMENTS.schema, ["segment_id", "has_audio", "has_midi"]).to_pylist()}
    wrong, audio, midi = [], 0, 0
    for _, part in shard.tables(["segment_id", "audio", "midi_binary"]):
        for key, sound, notes in zip(part.column("segment_id").to_pylist(), part.column("audio").is_valid().to_pylist(),
                                     part.column("midi_binary").is_valid().to_pylist(), strict=True):
            row = flags.get(key)
            audio, midi = audio + sound, midi + notes
            if row is None or (row["has_audio"], row["has_midi"]) != (sound, notes):
                wrong.append(key)
    numbers = {"rows": len(flags), "audio": audio, "midi": midi, "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} rows say they have media that is not there, or the other way round: "
                              f"{names(wrong)}", numbers)
    return Outcome(True, f"{audio} rows with audio and {midi} with MIDI, as flagged", numbers)


def audio_playable(shard: Shard) -> Outcome:
    """Every FLAC decodes to the end, at the right rate and length, is not silent and not clipped."""
    rules = settings.default_rules().audio
    spans = {row["segment_id"]: row for row in shard.store.shard("segments", shard.partition).table(
        SEGMENTS.schema, ["segment_id", "start_ms", "end_ms"]).to_pylist()}
    problems: dict[str, list[str]] = {}
    rows, seconds = 0, 0.0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _, part in shard.tables(["segment_id", "audio", "bits"]):
            found = [row for row in part.to_pylist() if row["audio"] is not None]
            rows += len(found)
            answers = pool.map(lambda row: _audio_problem(row, spans.get(row["segment_id"]), rules), found)
            for row, (problem, length) in zip(found, answers, strict=True):
                seconds += length
                if problem:
                    problems.setdefault(problem, []).append(row["segment_id"])
    numbers = {"rows": rows, "seconds": round(seconds, 1), **{name: len(keys) for name, keys in problems.items()}}
    if problems:
        said = "; ".join(f"{name}: {names(keys)}" for name, keys in sorted(problems.items()))
        return Outcome(False, f"audio does not play as it should. {said}", numbers)
    return Outcome(True, f"{rows} FLACs decode, {seconds / 60:.1f} minutes", numbers)


def _audio_problem(row: dict[str, Any], span: dict[str, Any] | None, rules: settings.AudioRules) -> tuple[str, float]:
    try:
        samples, bits, rate = decode_flac(row["audio"]["bytes"])
    except (FlacMismatch, RuntimeError, ValueError):
        return "does not decode", 0.0
    length = len(samples) / rate
    if rate != rules.sample_rate or bits != row["bits"]:
        return "wrong rate or bits", length
    first, last = span_frames(span["start_ms"], span["end_ms"], rate) if span else (0, 0)
    if abs(len(samples) - (last - first)) > 1:
        return "wrong length", length
    if rms_db(samples, bits) < rules.silence_db - 0.01:
        return "silent", length
    return ("clipped" if _clipped(samples, bits) else ""), length


def _clipped(samples: np.ndarray[Any, np.dtype[np.int32]], bits: int) -> bool:
    top = 2 ** (bits - 1)
    at_top = (samples >= top - 1) | (samples <= -top)
    if int(at_top.sum()) < CLIPPED_RUN:
        return False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_top.astype(np.int8), [0]])))
    return bool((edges[1::2] - edges[::2]).max() >= CLIPPED_RUN)


def midi_fits(shard: Shard) -> Outcome:
    """Every MIDI window opens, has a note, and lasts as long as its slice."""
    spans = {row["segment_id"]: row["end_ms"] - row["start_ms"] for row in shard.store.shard(
        "segments", shard.partition).table(SEGMENTS.schema, ["segment_id", "start_ms", "end_ms"]).to_pylist()}
    wrong, rows = [], 0
    for _, part in shard.tables(["segment_id", "midi_binary"]):
        for row in part.to_pylist():
            if row["midi_binary"] is None:
                continue
            rows += 1
            try:
                song = MidiSong.load(row["midi_binary"])
            except UnreadableMidi:
                wrong.append(row["segment_id"])
                continue
            if not song.notes or abs(song.length_ms - spans.get(row["segment_id"], -1)) > MIDI_TOLERANCE_MS:
                wrong.append(row["segment_id"])
    numbers = {"rows": rows, "wrong": len(wrong)}
    if wrong:
        return Outcome(False, f"{len(wrong)} MIDI windows do not open or do not fit: {names(wrong)}", numbers)
    return Outcome(True, f"{rows} MIDI windows open and fit their slices", numbers)


MIDI_TOLERANCE_MS = 20.0
"""A window's end lies on a tick; at 10 BPM and 480 ticks per beat a tick is 12.5 ms."""


def segments_checks() -> tuple[Check, ...]:
    """Return the checks of `segments`."""
    return (
        unique_keys(SEGMENTS), relative_paths(SEGMENTS),
        Check("slices_expected", "segments", slices_expected, "Candidates = rows + candidates with a reason."),
        Check("time_covered", "segments", time_covered, "Rows and windows with a reason cover each song."),
        Check("rows_inside", "segments", rows_inside, "Each row lies inside its song."),
    )


def segment_media_checks() -> tuple[Check, ...]:
    """Return the checks of `segment_media`."""
    return (
        unique_keys(SEGMENT_MEDIA), rows_match(SEGMENT_MEDIA, SEGMENTS),
        Check("media_present", "segment_media", media_present, "has_audio and has_midi equal the media there."),
        Check("audio_playable", "segment_media", audio_playable,
              "Each FLAC decodes, has the right rate and length, is not silent and not clipped."),
        Check("midi_fits", "segment_media", midi_fits, "Each MIDI window opens and lasts as long as its slice."),
    )


def stems_only(shard: Shard) -> Outcome:
    """The training rows are exactly the rows of `segments` that are not the mix."""
    own = set(shard.table(TRAINING_SEGMENTS.schema, ["segment_id"]).column("segment_id").to_pylist())
    rows = shard.store.shard("segments", shard.partition).table(SEGMENTS.schema, ["segment_id", "is_mix"])
    stems = {row["segment_id"] for row in rows.to_pylist() if not row["is_mix"]}
    lost, extra = sorted(stems - own), sorted(own - stems)
    numbers = {"rows": len(own), "mix_rows_left_out": rows.num_rows - len(stems), "lost": len(lost)}
    if lost or extra:
        return Outcome(False, f"{len(lost)} stem rows are missing ({names(lost)}), {len(extra)} are not stems "
                              f"({names(extra)})", numbers)
    return Outcome(True, f"{len(own)} rows, 1:1 with the stem rows of segments", numbers)


def training_segments_checks() -> tuple[Check, ...]:
    """Return the checks of `training_segments`."""
    own = Check("stems_only", "training_segments", stems_only, "Rows are 1:1 the stem rows of segments.")
    return (unique_keys(TRAINING_SEGMENTS), relative_paths(TRAINING_SEGMENTS), own)


def training_full_checks() -> tuple[Check, ...]:
    """Return the checks of `training_full`."""
    return (unique_keys(TRAINING_FULL), relative_paths(TRAINING_FULL), rows_match(TRAINING_FULL, TRAINING_SEGMENTS),
            splits_kept(TRAINING_FULL))
