"""The columns of the three embedding tables: a row per segment, with a vector or null, and its encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from rainbow_assets.embeddings.cache import VectorCache
from rainbow_assets.lineage.row_asset import column

CONCEPT, LYRIC, SOUND = "concept_emb", "lyric_emb", "audio_emb"
HAS = {CONCEPT: "has_concept_embedding", LYRIC: "has_lyric_embedding", SOUND: "has_audio_embedding"}
WHAT = {CONCEPT: "the song's concept", LYRIC: "the lyric of the slice", SOUND: "the sound of the segment"}


def schema(vector: str) -> pa.Schema:
    """Return the schema of the table whose vectors are in the column ``vector``."""
    what = WHAT[vector]
    return pa.schema([
        column("segment_id", pa.string(), "key"),
        column("song_id", pa.string(), "song"),
        column(HAS[vector], pa.bool_(), f"False if there is no input: {what} is empty, and the vector is null"),
        column("input_digest", pa.string(), f"digest of {what}; equal inputs have equal vectors"),
        column("profile", pa.string(), "embedded (offline, no torch) or production (the published checkpoints)"),
        column("encoder", pa.string(), "checkpoint@revision"),
        column("spec_digest", pa.string(), "digest of everything that determines the vector except the input"),
        column(vector, pa.list_(pa.float32()), f"vector of {what}; null if there is none, never zeros"),
    ])


FIELDS = ("input_digest", "profile", "encoder", "spec_digest")


def fields(vector: str) -> dict[str, tuple[str, ...]]:
    """Return the output fields. A vector is identified by its input and spec: its last bits differ between machines."""
    return {"embedding": (HAS[vector], *FIELDS)}


def rows(
    vector: str, asked: Sequence[Mapping[str, Any]], cache: VectorCache, failed: Mapping[str, str]
) -> tuple[pa.Table, dict[str, str]]:
    """Return the rows ``asked`` (segment_id, song_id, input_digest or None) with their vectors.

    Also returns {segment_id: reason} of the rows whose input cannot be embedded.
    """
    spec, made, quarantined = cache.spec, [], {}
    for row in asked:
        key = row["input_digest"]
        if key is not None and key in failed:
            quarantined[row["segment_id"]] = failed[key]
            continue
        made.append({
            "segment_id": row["segment_id"], "song_id": row["song_id"], HAS[vector]: key is not None,
            "input_digest": key, "profile": spec.profile, "encoder": f"{spec.checkpoint}@{spec.revision}",
            "spec_digest": spec.digest, vector: None if key is None else cache.require(key),
        })
    return pa.Table.from_pylist(made, schema=schema(vector)), quarantined
