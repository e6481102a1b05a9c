"""The published `embeddings` config: the three tables joined by key, with a fixed-size list per kind of vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from rainbow_assets.embeddings import health, tables
from rainbow_assets.embeddings.embeddings import ASSETS
from rainbow_assets.embeddings.specs import SPECS, EncoderSpec
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.row_asset import column
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

CONFIG = "embeddings"


class MixedEncoders(RainbowError):
    """Colors, or text and sound, were embedded by different profiles or revisions."""


def chosen(store: ShardStore) -> dict[str, EncoderSpec]:
    """Return the one spec of each vector column over all colors; raise ``MixedEncoders``."""
    found: dict[str, EncoderSpec] = {}
    for step in ASSETS:
        digests: dict[str, str] = {}
        for color in COLOR_NAMES:
            for _, table in store.shard(step.name, color).tables(["spec_digest"]):
                digests.update(dict.fromkeys(table.column("spec_digest").to_pylist(), color))
        specs = [spec for spec in SPECS.values() if spec.digest in digests]
        if len(digests) > 1 or len(specs) != len(digests):
            raise MixedEncoders(f"{step.name} has vectors of {len(digests)} encoders, or of one that is no longer "
                                f"known ({', '.join(sorted(set(digests.values())))}); materialize {step.name} again "
                                "for all colors")
        if specs:
            found[step.vector] = specs[0]
    if len({spec.profile for spec in found.values()}) > 1:
        raise MixedEncoders("text and sound were embedded with different profiles; materialize concept_embeddings, "
                            "lyric_embeddings and audio_embeddings again for all colors")
    return found


def schema(specs: Mapping[str, EncoderSpec]) -> pa.Schema:
    """Return the published columns; vector columns have ``emb`` in their names, so that no viewer plots them."""
    vectors = []
    for step in ASSETS:
        spec = specs.get(step.vector)
        vectors += [column(tables.HAS[step.vector], pa.bool_(), "False if there is no input; the vector is null")]
        if spec is not None:
            vectors.append(column(step.vector, pa.list_(pa.float32(), spec.dims),
                                  f"vector of {tables.WHAT[step.vector]}: {spec.label}"))
    return pa.schema([
        column("segment_id", pa.string(), "key, as in training_segments and training_full"),
        column("song_id", pa.string(), "song"),
        column("rainbow_color", pa.string(), "full color name"),
        column("split", pa.string(), "train, validation or test; the same for all rows of a song"),
        column("profile", pa.string(), "embedded (made offline, for trying out) or production"),
        *vectors,
    ])


def section(specs: Mapping[str, EncoderSpec]) -> str:
    """Return the card's text about the vectors."""
    lines = [f"- `{vector}`: {spec.label}; profile {spec.profile}, spec {spec.digest}."
             for vector, spec in specs.items()]
    return "\n".join(["One row per stem segment, joined to the other tables by `segment_id`. Equal inputs have equal "
                      "vectors. Without an input, the vector is null and its flag is False.", "", *lines])


def joined(store: ShardStore, color: str, song: str, specs: Mapping[str, EncoderSpec]) -> pa.Table:
    """Return the published rows of one song, in order of key; a quarantined row has a null vector."""
    wanted = schema(specs)
    segments = _part(store, "training_segments", color, song, ["segment_id"])
    keys = sorted(segments.column("segment_id").to_pylist()) if segments is not None else []
    splits = store.shard("song_splits", color).rows("song_id", "split")
    split = {row["song_id"]: row["split"] for row in splits}
    if keys and song not in split:
        raise RainbowError(f"{song} has no split; materialize song_splits for {color}")
    constant = {"song_id": song, "rainbow_color": color, "split": split.get(song),
                "profile": next((spec.profile for spec in specs.values()), None)}
    columns: dict[str, Any] = {"segment_id": pa.array(keys, pa.string())}
    columns.update({name: pa.array([value] * len(keys), pa.string()) for name, value in constant.items()})
    for step in ASSETS:
        found = _part(store, step.name, color, song, ["segment_id", step.vector])
        by_key = dict(zip(found.column("segment_id").to_pylist(), health.arrays(found.column(step.vector)), strict=True)
                      ) if found is not None else {}
        vectors = [by_key.get(key) for key in keys]
        columns[tables.HAS[step.vector]] = pa.array([vector is not None for vector in vectors], pa.bool_())
        if step.vector in specs:
            columns[step.vector] = pa.array(vectors, wanted.field(step.vector).type)
    return pa.table(columns, schema=wanted)


def _part(store: ShardStore, asset: str, color: str, song: str, names: list[str]) -> pa.Table | None:
    shard = store.shard(asset, color)
    part = next((part for part in shard.require_index().parts if part.group == song), None)
    return None if part is None else shard.read_part(part, names)
