"""Segment media as a ledger step: FLAC and MIDI of every window, a part per stem, so that memory is one stem's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets.corpus.ids import stem_of
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.music.midi_window import MidiSong, midi_digest, midi_window
from rainbow_assets.segments.table import column
from rainbow_assets.sound.flac import encode_checked
from rainbow_assets.sound.levels import window_digest
from rainbow_assets.sound.stems import Stem, read_stem
from rainbow_assets.sound.windows import cut
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.parquet import rows_of
from rainbow_assets.storage.shard import Shard

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("is_mix", pa.bool_(), "True for the main mix"),
    column("audio", AUDIO, "FLAC of the window, mono, 44.1 kHz; null where has_audio is false"),
    column("audio_frames", pa.int64(), "samples of the window"),
    column("bits", pa.int32(), "bits per sample, 16 or 24"),
    column("audio_digest", pa.string(), "sha256 of the window's samples"),
    column("flac_sha256", pa.string(), "sha256 of the FLAC: what copies it moves with its bytes"),
    column("midi_binary", pa.binary(), "standalone MIDI file of the window; null where has_midi is false"),
    column("midi_digest", pa.string(), "digest of the window's MIDI events"),
])
WANTED = ["segment_id", "song_id", "is_mix", "start_ms", "end_ms", "source_audio_file", "midi_file", "has_audio",
          "audio_digest", "midi_digest"]


def compute(work: Work) -> Iterator[Batch]:
    """Encode the asked windows; every FLAC is decoded back and compared before it is kept."""
    root, rate = corpus_root(), work.rules.audio.sample_rate
    shard = work.upstream("segments")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for stem, asked in work.parts():
            rows = _rows(shard, stem.rsplit("_t", 1)[0], set(asked["key"]))
            yield Batch(stem, encode(root, rate, rows, pool))


def _rows(shard: Shard, song_id: str, keys: set[str]) -> list[dict[str, Any]]:
    part = next(part for part in shard.require_index().parts if part.group == song_id)
    found = shard.read_part(part, WANTED)
    return rows_of(found, "segment_id", keys).to_pylist()


def encode(root: Path, rate: int, rows: list[dict[str, Any]], pool: ThreadPoolExecutor) -> pa.Table:
    """Return the media of the windows of one stem; the stem is decoded once, its windows are encoded in parallel."""
    folder = root / rows[0]["song_id"]
    audible = [row for row in rows if row["has_audio"]]
    stem = read_stem(folder / audible[0]["source_audio_file"], rate) if audible else None
    midi = MidiSong.load(folder / rows[0]["midi_file"]) if any(row["midi_digest"] for row in rows) else None
    encoded = dict(pool.map(lambda row: (row["segment_id"], _flac(stem, row)), audible)) if stem else {}
    made = []
    for row in rows:
        data, frames, bits = encoded.get(row["segment_id"], (None, None, None))
        made.append({
            "segment_id": row["segment_id"], "song_id": row["song_id"], "is_mix": row["is_mix"],
            "audio": None if data is None else {"bytes": data, "path": f"{row['segment_id']}.flac"},
            "audio_frames": frames, "bits": bits, "audio_digest": row["audio_digest"],
            "flac_sha256": None if data is None else sha256_bytes(data),
            "midi_binary": _midi(midi, row) if midi and row["midi_digest"] else None,
            "midi_digest": row["midi_digest"],
        })
    return pa.Table.from_pylist(made, schema=SCHEMA)


def _midi(midi: MidiSong, row: dict[str, Any]) -> bytes | None:
    if midi_digest(midi, row["start_ms"], row["end_ms"]) != row["midi_digest"]:
        raise SourceMoved(f"{row['song_id']}/{row['midi_file']}")
    return midi_window(midi, row["start_ms"], row["end_ms"])


def _flac(stem: Stem, row: dict[str, Any]) -> tuple[bytes, int, int]:
    window = cut(stem, row["start_ms"], row["end_ms"])
    if window_digest(window.samples, stem.bits, stem.sample_rate) != row["audio_digest"]:
        raise SourceMoved(f"{row['song_id']}/{row['source_audio_file']}")
    return encode_checked(window.samples, stem.bits, stem.sample_rate), len(window.samples), stem.bits


SEGMENT_MEDIA = Step(
    name="segment_media",
    inputs={"segments": ("window", "audio", "midi")},
    compute=compute,
    schema=SCHEMA,
    fields={"audio": ("audio_digest", "audio_frames", "bits"), "midi": ("midi_digest",), "flac": ("flac_sha256",)},
    settings=("audio.sample_rate",),
    libraries=("soxr",),
    parts=stem_of(pl.col("key")),
    media=("audio", "midi_binary"),
    flows={"audio": ("segments.window", "segments.audio"), "midi": ("segments.window", "segments.midi"),
           "flac": ("segments.window", "segments.audio")},
)
