"""`fusion_training_set` as a ledger step: a row per segment with its split, fold, targets and what it is made of.

It is an index: the vectors and rolls stay where they are, and are joined by key when a model is trained. A lyric, a
sound or music that another song has too is named, and hidden from training and test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from rainbow_assets import settings, taxonomy
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.corpus.split_step import SONG_SPLITS
from rainbow_assets.digests import digest
from rainbow_assets.fitness import folds, targets
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.segments.table import column
from rainbow_assets.storage.shard import Shard

VECTOR = pa.list_(pa.float64())
SCHEMA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("rainbow_color", pa.string(), "full color name"),
    column("split", pa.string(), "train, validation or test: what the shipped model learns from"),
    column("fold", pa.int32(), "fold of songs in which the row is held out by the evaluation"),
    column("song_group", pa.string(), "songs of one concept stand in one fold"),
    *(column(f"uses_{name}", pa.bool_(), f"False where the row has no {what}, or one that another song has too")
      for name, what in (("concept", "concept"), ("lyric", "lyric"), ("audio", "sound"), ("roll", "piano roll"))),
    column("reason", pa.string(), "what is hidden: what another song has too; or that the row has nothing"),
    *(column(kind, VECTOR, f"target over {', '.join(targets.CLASSES[kind])}; null where the color has no such mode")
      for kind in targets.KINDS),
    column("has_target", pa.bool_(), "False for Black and White"),
    *(column(f"{name}_digest", pa.string(), f"digest of the {what}, @, what made it; null where there is none")
      for name, what in (("concept", "concept"), ("lyric", "lyric"), ("audio", "sound"), ("roll", "piano roll"))),
])
SOURCES = {"concept": ("concept_embeddings", "input_digest", "spec_digest"),
           "lyric": ("lyric_embeddings", "input_digest", "spec_digest"),
           "audio": ("audio_embeddings", "input_digest", "spec_digest"),
           "roll": ("piano_rolls", "roll_digest", "step_ms")}
"""Modality -> the table, the column of its input's digest, and the column that says what it was made with."""
LACKING = "-"
"""Digest of what one of the tables has no row for (it was set aside there)."""
_INPUTS = {"piano_rolls": "roll", "concept_embeddings": "embedding", "lyric_embeddings": "embedding",
           "audio_embeddings": "embedding", "song_splits": "split"}
TABLES: dict[str, tuple[str, ...]] = {asset: () for asset in _INPUTS if asset != "song_splits"}
"""What is read beside the training set by key: its rows have the digests of these, so they say which rows move."""


def _modality(shard: Shard, name: str, color: str) -> pl.DataFrame:
    asset, known, made_with = SOURCES[name]
    both = pl.col(known) + "@" + pl.col(made_with).cast(pl.String)
    found = [pl.DataFrame(pl.from_arrow(table)).select(pl.col("segment_id").alias("key"), both.alias(name))
             for _, table in shard.store.shard(asset, color).tables(["segment_id", known, made_with])]
    return pl.concat([pl.DataFrame(schema={"key": pl.String, name: pl.String}), *found])


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List every segment that has a row in any of the four tables, with all that its row follows from."""
    colors = []
    for color in taxonomy.COLOR_NAMES:
        frame = _of_color(shard, color)
        if len(frame):
            colors.append(frame.with_columns(pl.lit(color).alias("color")))
    if not colors:
        return pl.DataFrame(schema=dict.fromkeys(["key", "part", *_columns()], pl.String))
    frame = pl.concat(colors)
    concepts: defaultdict[str, set[str]] = defaultdict(set)
    for song, concept in frame.select("part", "concept").unique().iter_rows():
        concepts[song].update([concept] if concept else ())
    group = folds.groups(concepts)
    fold = folds.folds(dict(frame.select("part", "color").unique().iter_rows()), group, rules.fitness.folds,
                       rules.fitness.seed)
    frame = frame.with_columns(
        pl.col("part").replace_strict(group, return_dtype=pl.String).alias("group"),
        pl.col("part").replace_strict(fold, return_dtype=pl.Int32).alias("fold"))
    frame = frame.hstack(folds.usable(frame)).with_columns(pl.col(_columns()).fill_null(LACKING))
    # What other songs decide about a row (its fold, what it shares) moves with the split's digest.
    moved = pl.struct("in:song_splits.split", "group", "fold", "reason").map_elements(
        lambda row: digest(*row.values()), return_dtype=pl.String)
    return frame.with_columns(moved.alias("in:song_splits.split")).sort("key")


def _columns() -> list[str]:
    return [f"in:{asset}.{name}" for asset, name in _INPUTS.items()]


def _of_color(shard: Shard, color: str) -> pl.DataFrame:
    """Join the four tables of one color by key; a segment that one of them lacks is kept, with null there."""
    frame = pl.DataFrame(schema={"key": pl.String})
    for asset, name in _INPUTS.items():
        if asset == "song_splits":
            continue
        rows = outputs(shard.store.shard(asset, color), asset, (name,)).drop("part")
        frame = frame.join(rows, on="key", how="full", coalesce=True, validate="1:1")
    splits = outputs(shard.store.shard("song_splits", color), "song_splits", ("split",)).drop("part")
    frame = frame.with_columns(song_of(pl.col("key")).alias("part")).join(
        splits, left_on="part", right_on="key", how="left", validate="m:1")
    for name in SOURCES:
        frame = frame.join(_modality(shard, name, color), on="key", how="left", validate="1:1")
    return frame


def compute(work: Work) -> Iterator[Batch]:
    """Write the asked rows, a part per song."""
    splits = {color: _splits(work.upstream("song_splits", color)) for color in work.rows["color"].unique()}
    for song, rows in work.parts():
        made = []
        for row in rows.iter_rows(named=True):
            vectors, mask = targets.vectors(row["color"])
            made.append({
                "segment_id": row["key"], "song_id": song, "rainbow_color": row["color"],
                "split": splits[row["color"]][song], "fold": row["fold"], "song_group": row["group"],
                "reason": row["reason"], "has_target": bool(mask.any()),
                **{f"uses_{name}": row[f"uses_{name}"] for name in SOURCES},
                **{kind: vectors[n].tolist() if mask[n] else None for n, kind in enumerate(targets.KINDS)},
                **{f"{name}_digest": row[name] for name in SOURCES},
            })
        yield Batch(song, pa.Table.from_pylist(made, schema=SCHEMA))


def _splits(shard: Shard) -> dict[str, str]:
    table = shard.table(SONG_SPLITS.schema, ["song_id", "split"])
    return dict(zip(table.column("song_id").to_pylist(), table.column("split").to_pylist(), strict=True))


FUSION_TRAINING_SET = Step(
    name="fusion_training_set",
    inputs={asset: (name,) for asset, name in _INPUTS.items()},
    compute=compute,
    schema=SCHEMA,
    fields={"row": tuple(name for name in SCHEMA.names if name != "segment_id")},
    settings=("fitness.folds", "fitness.seed"),
    candidates=candidates,
    colored=False,
    chosen_by=tuple(f"{asset}.{name}" for asset, name in _INPUTS.items()),
)
