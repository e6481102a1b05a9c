"""`fusion_training_set`: a row per segment with its split, fold, targets and the digests of its inputs.

It is an index: the vectors and rolls stay in their own tables and are joined by key when a model is trained. A lyric,
sound or piece of music that another song has too is hidden from training and test, and the row has the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings, taxonomy
from rainbow_assets.corpus.ids import song_of
from rainbow_assets.corpus.splits import splits_of
from rainbow_assets.digests import digest
from rainbow_assets.fitness import (
    folds,
    targets,
)
from rainbow_assets.fitness.modalities import INPUTS, SCHEMA, SOURCES
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import ledger_frame, outputs
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Finding, check
from rainbow_assets.storage.shard import Shard
from rainbow_assets.taxonomy import COLOR_NAMES
from rainbow_assets.text import some

LACKING = "-"
"""Digest of an input that a table has no row for (the segment was quarantined there)."""


def _modality(shard: Shard, name: str, color: str) -> pl.DataFrame:
    asset, known, made_with = SOURCES[name]
    both = pl.col(known) + "@" + pl.col(made_with).cast(pl.String)
    found = [pl.DataFrame(pl.from_arrow(table)).select(pl.col("segment_id").alias("key"), both.alias(name))
             for _, table in shard.store.shard(asset, color).tables(["segment_id", known, made_with])]
    return pl.concat([pl.DataFrame(schema={"key": pl.String, name: pl.String}), *found])


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return every segment that has a row in any of the four tables, with the digests of all of its inputs."""
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
    # Other songs decide a row's fold and what is hidden of it, so these are part of the digest of its split.
    moved = pl.struct("in:song_splits.split", "group", "fold", "reason").map_elements(
        lambda row: digest(*row.values()), return_dtype=pl.String)
    return frame.with_columns(moved.alias("in:song_splits.split")).sort("key")


def _columns() -> list[str]:
    return [f"in:{asset}.{name}" for asset, name in INPUTS.items()]


def _of_color(shard: Shard, color: str) -> pl.DataFrame:
    """Return the four tables of one color joined by key; a segment that one of them lacks is kept, with nulls."""
    frame = pl.DataFrame(schema={"key": pl.String})
    for asset, name in INPUTS.items():
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
    """Yield the requested rows, a part per song."""
    splits = {color: splits_of(work.upstream("song_splits", color)) for color in work.asked["color"].unique()}
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




@check("No song, and no input that is used, is in two folds or splits.")
def nothing_leaks(shard: Shard) -> Finding:
    """Check that no song, and no concept, lyric, sound or roll that is used, is in two folds or splits."""
    rows = shard.frame(SCHEMA)
    leaks: dict[str, int] = {}
    for what, name, sides, used in (
            ("song", "song_id", ("fold", "split"), pl.lit(True)),
            ("concept", "concept_digest", ("fold",), pl.col("uses_concept")),
            *((source, f"{source}_digest", ("fold", "split"), pl.col(f"uses_{source}"))
              for source in ("lyric", "audio", "roll"))):
        for side in sides:
            several = rows.filter(used).group_by(name).agg(pl.col(side).n_unique())
            leaks[f"{what}_in_two_{side}s"] = int((several[side] > 1).sum())
    numbers = {"rows": len(rows), **leaks}
    found = [f"{count} x {name.replace('_', ' ')}" for name, count in leaks.items() if count]
    if found:
        return Finding(False, f"models would be tested on what they were trained on: {', '.join(found)}", numbers)
    return Finding(True, f"{len(rows)} rows, no song or used input is in two folds or splits", numbers)


@check("Targets are the taxonomy's.")
def targets_as_taxonomy(shard: Shard) -> Finding:
    """Check that every row has its color's target in the Rainbow Table, null if the color has no such mode."""
    wrong, rows = [], shard.frame(SCHEMA, ["segment_id", "rainbow_color", "has_target", *targets.KINDS])
    for row in rows.iter_rows(named=True):
        vectors, mask = targets.vectors(row["rainbow_color"])
        for number, kind in enumerate(targets.KINDS):
            wanted = vectors[number].tolist() if mask[number] else None
            if row[kind] != wanted or row["has_target"] != bool(mask.any()):
                wrong.append(row["segment_id"])
                break
    numbers = {"rows": len(rows), "wrong": len(wrong)}
    if wrong:
        return Finding(False, f"{len(wrong)} rows have other targets than their color: {some(wrong)}; materialize "
                              "fusion_training_set again", numbers)
    return Finding(True, f"{len(rows)} rows have the targets of the taxonomy", numbers)


@check("Every segment has one row, and a reason if an input is hidden.")
def all_segments(shard: Shard) -> Finding:
    """Check that every segment with a piano-roll row is in the training set, and that hidden inputs have a reason."""
    own = shard.frame(SCHEMA)
    wanted: set[str] = set()
    for color in COLOR_NAMES:
        ledger = ledger_frame(shard.store.shard("piano_rolls", color), ["key", "status"])
        wanted |= set(ledger.filter(pl.col("status") == "ok")["key"]) if ledger is not None else set()
    missing = sorted(wanted - set(own["segment_id"]))
    hidden = pl.any_horizontal(pl.col(f"{name}_digest").is_not_null() & ~pl.col(f"uses_{name}")
                               for name in SOURCES)
    silent = own.filter(hidden & pl.col("reason").is_null())["segment_id"].to_list()
    counts = own["reason"].drop_nulls().value_counts().sort("reason")
    numbers = {"rows": len(own), "missing": len(missing), "unexplained": len(silent),
               **{f"uses_{name}": int(own[f"uses_{name}"].sum()) for name in SOURCES},
               **{str(reason): count for reason, count in counts.iter_rows()}}
    if missing or silent:
        return Finding(False, f"{len(missing)} segments are missing ({some(missing)}), and {len(silent)} have a hidden "
                              f"input without a reason ({some(silent)})", numbers)
    return Finding(True, f"{len(own)} segments, {int(own['reason'].is_null().sum())} of them with nothing hidden",
                   numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return the songs, segments and modalities by color."""
    from rainbow_assets.fitness import summaries

    frames = [shard.frame(SCHEMA) for shard in built.shards()]
    return {"balance": summaries.balance(pl.concat(frames))} if frames else {}


FUSION_TRAINING_SET = RowAsset(
    name="fusion_training_set",
    group="fitness",
    kinds={"parquet"},
    description="A row per segment with its split, fold and targets; inputs that another song has too are hidden.",
    reads={asset: (name,) for asset, name in INPUTS.items()},
    compute=compute,
    columns=SCHEMA,
    fields={"row": tuple(name for name in SCHEMA.names if name != "segment_id")},
    settings=("fitness.folds", "fitness.seed"),
    candidates=candidates,
    colored=False,
    chosen_by=tuple(f"{asset}.{name}" for asset, name in INPUTS.items()),
    checks=[unique_keys, all_segments, nothing_leaks, targets_as_taxonomy],
    shows=[shown],
)
