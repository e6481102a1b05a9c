"""The inputs of rows: concepts and lyrics as text, segments as FLAC; each distinct input once."""

from __future__ import annotations

from functools import partial

import polars as pl
import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.embeddings.engine import Unit
from rainbow_assets.embeddings.specs import EncoderSpec
from rainbow_assets.sound import waveform
from rainbow_assets.storage.shard import Part, Shard

Wanted = dict[str, set[str]]
"""Part -> keys."""
Rows = dict[str, list[dict[str, str | None]]]
"""Part -> rows with segment_id, song_id and input_digest (None without an input)."""


def text_digest(text: str | None) -> str | None:
    """Return the digest of a text, or None if it is missing or blank."""
    return digest(text) if text and text.strip() else None


def lyrics(shard: Shard, wanted: Wanted, spec: EncoderSpec) -> tuple[Rows, list[Unit]]:
    """Read the lyric of each wanted segment."""
    texts: dict[str, str] = {}
    rows: Rows = {}
    for part, table in _parts(shard.store.shard("segments", shard.partition), wanted,
                              ["segment_id", "song_id", "lyric_text"]):
        rows[part] = [_row(row["segment_id"], row["song_id"], row["lyric_text"], texts) for row in table.to_pylist()]
    return rows, _text_units(texts)


def concepts(shard: Shard, wanted: Wanted, spec: EncoderSpec) -> tuple[Rows, list[Unit]]:
    """Read the concept of each wanted segment's song; a song has one."""
    manifest = shard.store.shard("base_manifest", shard.partition)
    concept: dict[str, str | None] = {}
    for _, table in manifest.tables(["id", "concept"]):
        concept.update(zip(table.column("id").to_pylist(), table.column("concept").to_pylist(), strict=True))
    texts: dict[str, str] = {}
    rows: Rows = {}
    for part, table in _parts(shard.store.shard("segments", shard.partition), wanted, ["segment_id", "song_id"]):
        rows[part] = [_row(row["segment_id"], row["song_id"], concept.get(row["song_id"]), texts)
                      for row in table.to_pylist()]
    return rows, _text_units(texts)


def sounds(shard: Shard, wanted: Wanted, spec: EncoderSpec) -> tuple[Rows, list[Unit]]:
    """Read the digest and length of each wanted segment's audio; its FLAC is read only when it is embedded."""
    media = shard.store.shard("segment_media", shard.partition)
    reader = _FlacReader(media)
    songs = {key: song for song, keys in wanted.items() for key in keys}
    rows: Rows = {song: [] for song in wanted}
    units: dict[str, Unit] = {}
    for part in media.require_index().parts:
        if part.group.rsplit("_t", 1)[0] not in wanted:
            continue
        for row in media.read_part(part, ["segment_id", "audio_digest", "audio_frames", "song_id"]).to_pylist():
            key, found = row["segment_id"], row["audio_digest"]
            if key not in songs:
                continue
            rows[songs[key]].append({"segment_id": key, "song_id": row["song_id"], "input_digest": found})
            if found is not None and found not in units:
                size = waveform.window_count(row["audio_frames"], STORED_RATE, spec.window_ms)
                units[found] = Unit(found, size, partial(reader.flac, part, key))
    return rows, list(units.values())


STORED_RATE = 44100
"""Sample rate of the stored FLACs in Hz: windows are estimated from it, so that a plan decodes nothing."""


class _FlacReader:
    """Reads FLACs by key. The last part stays in memory, because inputs are requested in the order of parts."""

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.loaded: tuple[str, dict[str, int], pa.ChunkedArray] | None = None

    def flac(self, part: Part, key: str) -> bytes:
        """Return the FLAC file of the segment ``key``."""
        if self.loaded is None or self.loaded[0] != part.name:
            table = self.shard.read_part(part, ["segment_id", "audio"])
            places = {name: place for place, name in enumerate(table.column("segment_id").to_pylist())}
            self.loaded = (part.name, places, table.column("audio"))
        _, places, audio = self.loaded
        return bytes(audio[places[key]].as_py()["bytes"])


def _parts(shard: Shard, wanted: Wanted, columns: list[str]) -> list[tuple[str, pa.Table]]:
    found = []
    for part in shard.require_index().parts:
        if part.group in wanted:
            frame = pl.DataFrame(pl.from_arrow(shard.read_part(part, columns)))
            keys = pl.Series(sorted(wanted[part.group]), dtype=pl.String).implode()
            found.append((part.group, frame.filter(pl.col("segment_id").is_in(keys)).to_arrow()))
    return found


def _row(segment_id: str, song_id: str, text: str | None, texts: dict[str, str]) -> dict[str, str | None]:
    key = text_digest(text)
    if key is not None:
        texts[key] = str(text)
    return {"segment_id": segment_id, "song_id": song_id, "input_digest": key}


def _text_units(texts: dict[str, str]) -> list[Unit]:
    return [Unit(key, len(data), partial(bytes, data)) for key, text in sorted(texts.items())
            for data in (text.encode("utf-8"),)]
