"""`concept_embeddings`, `lyric_embeddings`, `audio_embeddings`: ledger steps, 1:1 with `segments`.

Each reads only the field that it embeds: an edited lyric embeds one text and no sound.
"""

from __future__ import annotations

import polars as pl

from rainbow_assets import settings
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.embeddings import inputs, specs, tables
from rainbow_assets.embeddings.runner import REASONS
from rainbow_assets.embeddings.step import EmbeddingStep, Read
from rainbow_assets.lineage.ledger import ledger_frame
from rainbow_assets.storage.shard import Shard


def concept_candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List the color's segments with the digest of their song's concept (the mix has no manifest row of its own)."""
    segments = ledger_frame(shard.store.shard("segments", shard.partition), ["key", "part", "status"])
    manifest = ledger_frame(shard.store.shard("base_manifest", shard.partition), ["part", "status", "out:concept"])
    assert segments is not None and manifest is not None
    songs = manifest.filter(pl.col("status") == "ok").unique("part", keep="first", maintain_order=True)
    return segments.filter(pl.col("status") == "ok").drop("status").join(
        songs.select("part", pl.col("out:concept").alias("in:base_manifest.concept")), on="part", how="left",
        maintain_order="left")


def _step(name: str, vector: str, modality: str, read: Read, given: dict[str, tuple[str, ...]]) -> EmbeddingStep:
    return EmbeddingStep(
        name=name, inputs=given, schema=tables.schema(vector), fields=tables.fields(vector), reasons=REASONS,
        modality=modality, vector=vector, read=read, parts=song_of(pl.col("key")),
        candidates=concept_candidates if vector == tables.CONCEPT else None,
        row_by_row=True,
    )


CONCEPT_EMBEDDINGS = _step("concept_embeddings", tables.CONCEPT, specs.TEXT, inputs.concepts,
                           {"segments": (), "base_manifest": ("concept",)})
LYRIC_EMBEDDINGS = _step("lyric_embeddings", tables.LYRIC, specs.TEXT, inputs.lyrics, {"segments": ("lyric_text",)})
AUDIO_EMBEDDINGS = _step("audio_embeddings", tables.SOUND, specs.AUDIO, inputs.sounds, {"segment_media": ("audio",)})
STEPS = (CONCEPT_EMBEDDINGS, LYRIC_EMBEDDINGS, AUDIO_EMBEDDINGS)
