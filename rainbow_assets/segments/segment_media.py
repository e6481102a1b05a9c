"""`segment_media`: FLAC and MIDI of every window; one part per stem, so that only one stem is in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.corpus.ids import stem_of
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.checks import rows_match, unique_keys
from rainbow_assets.lineage.row_asset import Batch, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.music.midi_window import MidiSong, UnreadableMidi, midi_digest, midi_window
from rainbow_assets.segments import table
from rainbow_assets.sound.channels import mono_channel
from rainbow_assets.sound.flac import FlacMismatch, decode_flac, encode_checked
from rainbow_assets.sound.levels import rms_db, span_frames, window_digest
from rainbow_assets.sound.stems import Stem, read_stem
from rainbow_assets.sound.windows import window_of
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some

WANTED = ["segment_id", "song_id", "is_mix", "start_ms", "end_ms", "source_audio_file", "mono", "midi_file",
          "has_audio", "audio_digest", "midi_digest", "midi_default_bpm"]


def compute(work: Work) -> Iterator[Batch]:
    """Encode the requested windows; every FLAC is decoded again and compared before it is kept."""
    root = corpus_root()
    shard = work.upstream("segments")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for stem, asked in work.parts():
            rows = _rows(shard, stem.rsplit("_t", 1)[0], set(asked["key"]))
            yield Batch(stem, encode(root, work.rules, rows, pool))


def _rows(shard: Shard, song_id: str, keys: set[str]) -> list[dict[str, Any]]:
    part = next(part for part in shard.require_index().parts if part.group == song_id)
    found = shard.read_part(part, WANTED)
    return rows_of(found, "segment_id", keys).to_pylist()


def encode(root: Path, rules: settings.Rules, rows: list[dict[str, Any]], pool: ThreadPoolExecutor) -> pa.Table:
    """Return the media of the windows of one stem; it is decoded once for each mono that its windows have."""
    folder = root / rows[0]["song_id"]
    noted = next((row for row in rows if row["midi_digest"]), None)
    midi = MidiSong.load(folder / noted["midi_file"], noted["midi_default_bpm"]) if noted else None
    encoded: dict[str, tuple[bytes, int, int]] = {}
    for mono in sorted({row["mono"] for row in rows if row["has_audio"]}):
        encoded.update(_encoded(folder, rules.audio.sample_rate, mono, rows, pool))
    made = []
    for row in rows:
        data, frames, bits = encoded.get(row["segment_id"], (None, None, None))
        made.append({
            "segment_id": row["segment_id"], "song_id": row["song_id"], "is_mix": row["is_mix"],
            "audio": None if data is None else {"bytes": data, "path": f"{row['segment_id']}.flac"},
            "audio_frames": frames, "bits": bits, "audio_digest": row["audio_digest"],
            "flac_sha256": None if data is None else sha256_bytes(data),
            "midi_binary": _midi(midi, row, rules.midi.sliver_ms) if midi and row["midi_digest"] else None,
            "midi_digest": row["midi_digest"],
        })
    return pa.Table.from_pylist(made, schema=table.MEDIA)


def _encoded(
    folder: Path, rate: int, mono: str, rows: list[dict[str, Any]], pool: ThreadPoolExecutor
) -> dict[str, tuple[bytes, int, int]]:
    """Return {segment_id: (FLAC, frames, bits)} of the rows that keep ``mono``."""
    own = [row for row in rows if row["has_audio"] and row["mono"] == mono]
    stem = read_stem(folder / own[0]["source_audio_file"], rate, channel=mono_channel(mono))
    return dict(pool.map(lambda row: (row["segment_id"], _flac(stem, row)), own))


# `_midi` and `_flac` compare with the digest that `segments` recorded, because the file may have changed since.
def _midi(midi: MidiSong, row: dict[str, Any], sliver_ms: int) -> bytes | None:
    if midi_digest(midi, row["start_ms"], row["end_ms"], sliver_ms) != row["midi_digest"]:
        raise SourceMoved(f"{row['song_id']}/{row['midi_file']}")
    return midi_window(midi, row["start_ms"], row["end_ms"], sliver_ms)


def _flac(stem: Stem, row: dict[str, Any]) -> tuple[bytes, int, int]:
    window = window_of(stem, row["start_ms"], row["end_ms"])
    if window_digest(window.samples, stem.bits, stem.sample_rate) != row["audio_digest"]:
        raise SourceMoved(f"{row['song_id']}/{row['source_audio_file']}")
    return encode_checked(window.samples, stem.bits, stem.sample_rate), len(window.samples), stem.bits


CLIPPED_RUN = 16
"""This many consecutive samples at full scale count as clipping; a single peak at full scale does not."""
MIDI_TOLERANCE_MS = 20.0
"""A window ends on a tick; at 10 BPM and 480 ticks per beat a tick is 12.5 ms."""


@check("has_audio and has_midi agree with the media.")
def media_present(shard: Shard) -> Finding:
    """Check that `has_audio` and `has_midi` agree with the media table."""
    segments = shard.store.shard("segments", shard.partition)
    flags = {row["segment_id"]: row for row in segments.rows("segment_id", "has_audio", "has_midi")}
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
        return Finding(False, f"the flags of {len(wrong)} rows do not agree with their media: {some(wrong)}; "
                              "materialize segment_media again", numbers)
    return Finding(True, f"{audio} rows with audio and {midi} with MIDI, as flagged", numbers)


@check("Each FLAC decodes, has the right rate and length, is not silent, and is clipped only if its source is.")
def audio_playable(shard: Shard) -> Finding:
    """Check that every FLAC decodes to its end at the right rate and length, and is neither silent nor clipped by us.

    A file that was clipped before it came here is no fault of a build: `clipped_runs` of its row reports it.
    """
    rules = settings.default_rules().audio
    segments = shard.store.shard("segments", shard.partition)
    spans = {row["segment_id"]: row for row in segments.rows("segment_id", "start_ms", "end_ms", "clipped_runs")}
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
        details = "; ".join(f"{name}: {some(keys)}" for name, keys in sorted(problems.items()))
        return Finding(False, f"some audio cannot be played correctly: {details}", numbers)
    return Finding(True, f"{rows} FLACs decode, {seconds / 60:.1f} minutes", numbers)


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
    source_clipped = span is not None and span["clipped_runs"]
    return ("clipped" if not source_clipped and _clipped(samples, bits) else ""), length


def _clipped(samples: np.ndarray[Any, np.dtype[np.int32]], bits: int) -> bool:
    top = 2 ** (bits - 1)
    at_top = (samples >= top - 1) | (samples <= -top)
    if int(at_top.sum()) < CLIPPED_RUN:
        return False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_top.astype(np.int8), [0]])))
    starts, ends = edges[::2], edges[1::2]
    # A run at the first sample began before the window; the row of the window before counts it.
    return bool((ends - starts)[starts > 0].max(initial=0) >= CLIPPED_RUN)


@check("Each MIDI window opens, has a note and is as long as its slice.")
def midi_fits(shard: Shard) -> Finding:
    """Check that every MIDI window opens, has a note, and is as long as its slice."""
    spans = {row["segment_id"]: row["end_ms"] - row["start_ms"] for row in shard.store.shard(
        "segments", shard.partition).rows("segment_id", "start_ms", "end_ms")}
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
        return Finding(False, f"{len(wrong)} MIDI windows do not open or do not fit: {some(wrong)}", numbers)
    return Finding(True, f"{rows} MIDI windows open and fit their slices", numbers)


SEGMENT_MEDIA = RowAsset(
    name="segment_media",
    group="segments",
    kinds={"flac", "midi", "parquet"},
    description="The audio and the notes of each segment: lossless FLAC, and a standalone MIDI file with its tempo.",
    reads={"segments": ("window", "audio", "midi")},
    compute=compute,
    columns=table.MEDIA,
    fields={"audio": ("audio_digest", "audio_frames", "bits"), "midi": ("midi_digest",), "flac": ("flac_sha256",)},
    settings=("audio.sample_rate", "midi"),
    libraries=("soxr",),
    parts=stem_of(pl.col("key")),
    media=("audio", "midi_binary"),
    flows={"audio": ("segments.window", "segments.audio"), "midi": ("segments.window", "segments.midi"),
           "flac": ("segments.window", "segments.audio")},
    checks=[unique_keys, rows_match("segments"), media_present, audio_playable, midi_fits],
)
