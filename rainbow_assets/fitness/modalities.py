"""The columns of the training set, and the tables that it joins: one per modality, by key."""

from __future__ import annotations

import pyarrow as pa

from rainbow_assets.fitness import (
    targets,
)
from rainbow_assets.lineage.row_asset import column

SOURCES = {"concept": ("concept_embeddings", "input_digest", "spec_digest"),
           "lyric": ("lyric_embeddings", "input_digest", "spec_digest"),
           "audio": ("audio_embeddings", "input_digest", "spec_digest"),
           "roll": ("piano_rolls", "roll_digest", "step_ms")}
"""Modality -> table, the column with the digest of its input, and the column with its encoder spec or grid."""


INPUTS = {"piano_rolls": "roll", "concept_embeddings": "embedding", "lyric_embeddings": "embedding",
           "audio_embeddings": "embedding", "song_splits": "split"}


TABLES: dict[str, tuple[str, ...]] = {asset: () for asset in INPUTS if asset != "song_splits"}
"""Tables that a training reads besides the training set. They name no field: the rows of the training set have the
digests of their vectors and rolls, so a change here already changes those rows."""


VECTOR = pa.list_(pa.float64())


SCHEMA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("rainbow_color", pa.string(), "full color name"),
    column("split", pa.string(), "train, validation or test: the role of the song for the shipped model"),
    column("fold", pa.int32(), "fold of songs in which the evaluation tests with the row"),
    column("song_group", pa.string(), "first of the songs with the same concept; a group is in one fold"),
    *(column(f"uses_{name}", pa.bool_(), f"False if the row has no {what}, or one that another song has too")
      for name, what in (("concept", "concept"), ("lyric", "lyric"), ("audio", "sound"), ("roll", "piano roll"))),
    column("reason", pa.string(), "inputs that are hidden because another song has them too, or no_input; or null"),
    *(column(kind, VECTOR, f"target over {', '.join(targets.CLASSES[kind])}; null if the color has no such mode")
      for kind in targets.KINDS),
    column("has_target", pa.bool_(), "False for Black and White"),
    *(column(f"{name}_digest", pa.string(), f"digest of the {what}, @, and its encoder spec or grid; null if missing")
      for name, what in (("concept", "concept"), ("lyric", "lyric"), ("audio", "sound"), ("roll", "piano roll"))),
])
