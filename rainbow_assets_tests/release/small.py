"""A small release out of nothing: tones of three colors, cut into parts as the assets would offer them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rainbow_assets.release.bundle import Bundle, PartFile, ReleaseTable, write_bundle
from rainbow_assets.release.card import NAME as CARD
from rainbow_assets.release.card import AnomalyFacts, CardFacts, ColorFacts, VerdictFacts, config_facts, render_card
from rainbow_assets.release.features import PREVIEW_SCHEMA
from rainbow_assets.release.listen import NAME as LISTEN
from rainbow_assets.release.listen import make_clips, render_listen, write_clips
from rainbow_assets.release.manifest import Manifest, make_manifest, write_manifest
from rainbow_assets.release.versions import Version
from rainbow_assets.sound.flac import encode_flac
from rainbow_assets.storage.parquet import write_parquet
from rainbow_assets.taxonomy import by_name

RATE = 44100
SONGS = {"Green": ("05_01", "05_02"), "Red": ("02_01",), "Violet": ("08_01", "08_02")}
RANKED = PREVIEW_SCHEMA.append(pa.field("preview_rank", pa.int32()))
EVIL = "<script>alert('x')</script> & | *stars* `ticks` — Ξ"
TABLE = pa.schema([
    pa.field("segment_id", pa.string(), metadata={"doc": "key"}),
    pa.field("song_id", pa.string(), metadata={"doc": "song"}),
    pa.field("lyric_emb", pa.list_(pa.float32(), 4), metadata={"doc": "vector"}),
])


def tone(pitch: float, seconds: float, seed: int = 0) -> bytes:
    """FLAC of a plucked tone with a little noise: mono, 16 bit, 44.1 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.sin(2 * math.pi * pitch * time) * np.exp(-3 * (time % 0.5)) * 0.6
    wave += np.random.default_rng(seed).normal(0, 0.01, len(time))
    return encode_flac((wave * 32767).astype(np.int32), 16, RATE)


def preview_row(color: str, song: str, track: int, start_ms: int, rank: int, seconds: float = 0.5) -> dict[str, Any]:
    """One row of the preview's parts."""
    key = f"{song}_t{track:02d}_{start_ms:07d}"
    pitch = 110 * 2 ** ((by_name(color).number * 2 + track) / 12)
    return {
        "segment_id": key, "rainbow_color": color, "concept": f"A song about {color}. " + EVIL,
        "lyric_text": EVIL if track % 2 else "", "start_seconds": start_ms / 1000,
        "end_seconds": start_ms / 1000 + seconds, "duration_seconds": seconds, "bpm": 87.11,
        "key_signature_note": "Bb", "key_signature_mode": "minor", "key": "Bb minor", "song_id": song,
        "title": f"Song {song} {EVIL}", "track_description": "hi-hat", "track_group": None,
        "license": "collaborative-intelligence-license-v1.0", "attribution": "The Earthly Frames",
        "audio": {"bytes": tone(pitch, seconds, start_ms), "path": f"{key}.flac"}, "preview_rank": rank,
    }


def preview_parts(
    folder: Path, songs: dict[str, tuple[str, ...]] = SONGS, per_song: int = 3, seconds: float = 0.5
) -> dict[str, list[PartFile]]:
    """Write one part per song below ``folder`` and return them by color."""
    shards: dict[str, list[PartFile]] = {}
    for color, ids in songs.items():
        for place, song in enumerate(ids):
            rows = [preview_row(color, song, n + 1, n * 1000, place * per_song + n, seconds) for n in range(per_song)]
            shards.setdefault(color, []).append(part(folder / f"{song}.parquet", song, rows, RANKED, ("audio",)))
    return shards


def part(
    path: Path, song: str, rows: Sequence[dict[str, Any]], schema: pa.Schema, media: tuple[str, ...] = ()
) -> PartFile:
    """Write rows as one part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(path, [pa.Table.from_pylist(list(rows), schema=schema)], schema, media)
    return PartFile.at(song, path)


def preview_table(shards: dict[str, list[PartFile]], below: tuple[str, int] | None = None) -> ReleaseTable:
    """The preview as a release offers it."""
    return ReleaseTable("preview", shards, PREVIEW_SCHEMA, "Three rows per song.", ("audio",), True, below)


SPLITS = {"02_01": "train", "05_01": "test", "05_02": "train", "08_01": "validation", "08_02": "train"}
"""A split for each of ``SONGS``: Red has train alone."""


def split_table(shards: dict[str, list[PartFile]], splits: dict[str, str] = SPLITS) -> ReleaseTable:
    """The config `audio`, with the rows of a preview, in the files of its splits."""
    return ReleaseTable("audio", shards, PREVIEW_SCHEMA, "Sounds.", ("audio",), splits=splits)


def vector_table(folder: Path) -> ReleaseTable:
    """A second config, with vectors."""
    rows = [{"segment_id": f"05_01_t01_{n:07d}", "song_id": "05_01", "lyric_emb": [n, 0, 0, 1]} for n in range(10)]
    return ReleaseTable("embeddings", {"Green": [part(folder / "vectors.parquet", "05_01", rows, TABLE)]}, TABLE,
                        "Vectors.")


def stage(
    folder: Path, tables: Sequence[ReleaseTable], version: str = "0.3.0", repository: str | None = None
) -> tuple[Bundle, Manifest]:
    """Write a whole release into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    number = Version.parse(version)
    bundle = write_bundle(tables, folder)
    facts = CardFacts(
        number, config_facts(bundle),
        colors=tuple(ColorFacts(color, len(songs), 6, 6, 3, 2, 83.4) for color, songs in SONGS.items()),
        anomalies=(AnomalyFacts("hour_offset", "warning", 1, 1, EVIL),),
        verdicts=(VerdictFacts("segments", "unique_keys", 9, 9, "rows 30"),),
        gaps=(EVIL,), skipped=tuple(bundle.skipped.values()), lineage=("Made from 5 songs.",),
        **({"repository": repository} if repository else {}),
    )
    (folder / CARD).write_text(render_card(facts), "utf-8")
    shown = next((config for config in bundle.configs if config.table.media), None)
    if shown:
        clips = make_clips(folder, shown)
        (folder / LISTEN).write_text(render_listen(clips, number, "clips"), "utf-8")
        write_clips(folder, clips)
    provenance = {"shards": {"preview/Green": "abc"}, "libraries": {"pyarrow": "x"}}
    manifest = make_manifest(folder, number, bundle, provenance)
    write_manifest(folder, manifest)
    return bundle, manifest
