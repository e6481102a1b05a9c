"""Foreseen shards: the rows that a shard will have, before their values are computed.

A foreseen shard has ``UNKNOWN`` in each output field that may change. The candidate functions of assets downstream run
on it as they run on a real shard, so that a plan follows new rows through assets that make their own keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from rainbow_assets import settings
from rainbow_assets.lineage import ledger
from rainbow_assets.lineage.ledger import STATUS_OK, Delta
from rainbow_assets.lineage.row_asset import VERSIONS, RowAsset
from rainbow_assets.storage.shard import Shard, ShardIndex

UNKNOWN = "?"
"""Used instead of a digest that is not known yet; it differs from every real digest."""
ROWS = "key"
"""In ``RowAsset.flows``, the inputs that decide if a row is quarantined. It is not an output field."""


@dataclass(frozen=True)
class ForeseenShard(Shard):
    """A shard as it will be. Its tables are still the stored ones, and are out of date for rows that change.

    ``listed`` is its future ledger. ``moves``: output field -> the keys for which it may change. ``maybe``: keys that
    may or may not exist. ``other``: keys that are certainly added or removed. ``more``: rows may be added whose keys
    are not known yet. ``opens``: the rows are known, but assets that follow row by row may get more rows than before.
    ``reshaped``: its columns or fields are others than those of the stored shard.
    """

    listed: pl.DataFrame = field(default_factory=pl.DataFrame)
    live: ShardIndex | None = None
    moves: Mapping[str, frozenset[str]] = field(default_factory=dict)
    maybe: frozenset[str] = frozenset()
    other: frozenset[str] = frozenset()
    more: bool = False
    opens: bool = False
    reshaped: bool = False

    @property
    def sure(self) -> bool:
        """True if nothing about the shard is unknown."""
        return not (self.more or self.opens or self.maybe or any(self.moves.values()))

    def index(self) -> ShardIndex:
        """Return an index with the stored parts and a data version that no shard was built from."""
        parts = self.live.parts if self.live else ()
        return ShardIndex(self.asset, self.partition, UNKNOWN, parts, "", "", self.live.inputs if self.live else {})

    def ledger(self, columns: list[str] | None = None, sections: Collection[int] | None = None) -> pl.DataFrame:
        """Return the ledger of the rows that the shard will have; it has no sections."""
        return self.listed if columns is None else self.listed.select(n for n in columns if n in self.listed.columns)


def foreseen(step: RowAsset, shard: Shard) -> dict[str, list[ForeseenShard]]:
    """Return {asset: the foreseen shards of it that ``shard`` reads}."""
    found = {}
    for asset in step.reads:
        shards = [shard.store.shard(asset, other) for other in step.read_partitions(asset, shard.partition)]
        only = [item for item in shards if isinstance(item, ForeseenShard)]
        if only:
            found[asset] = only
    return found


def candidates(step: RowAsset, shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """Return the rows that should exist, with ``UNKNOWN`` for each input that may change."""
    # Candidate functions that read tables instead of ledgers see the stored values, so UNKNOWN is put in here.
    frame = ledger.candidates(step, shard, rules)
    for asset, shards in foreseen(step, shard).items():
        for name in step.reads[asset]:
            keys = set[str]().union(*(item.moves.get(name, ()) for item in shards))
            if keys:
                column = f"in:{asset}.{name}"
                frame = frame.with_columns(pl.when(follows(step, asset, shards, keys, frame))
                                           .then(pl.lit(UNKNOWN)).otherwise(pl.col(column)).alias(column))
    return frame


def follows(
    step: RowAsset, asset: str, shards: list[ForeseenShard], keys: Collection[str], frame: pl.DataFrame
) -> pl.Series:
    """Return a mask of the rows of ``frame`` (``key``, ``part``) that read one of ``keys`` of ``asset``.

    A row without a counterpart in ``asset``, such as a slice of a mix, is taken to read all rows of its part.
    """
    above = pl.concat(item.listed.select("key", "part") for item in shards)
    parts = above.filter(pl.col("key").is_in(list(keys)))["part"].unique()
    on = frame.select(step.joins.get(asset, pl.col("key")).alias("on"), pl.col("part"))
    alone = ~pl.col("on").is_in(above["key"].implode()) & pl.col("part").is_in(parts.implode())
    return on.select(pl.col("on").is_in(list(keys)) | alone).to_series().fill_null(False)


def choice_may_change(step: RowAsset, shard: Shard) -> bool:
    """Return True if any row may be added, removed or changed, because the values that choose the rows may change.

    An asset with its own candidates may use all upstream rows for each of them, unless it is ``row_by_row``.
    """
    if step.candidates is None:
        return False
    for asset, shards in foreseen(step, shard).items():
        chosen = [name.partition(".")[2] for name in step.chosen_by if name.partition(".")[0] == asset]
        for item in shards:
            unlisted = bool(item.more or item.maybe)
            if item.reshaped or (unlisted and not step.row_by_row):
                return True
            if chosen and (unlisted or item.other or any(item.moves.get(name) for name in chosen)):
                return True
    return False


def may_come(step: RowAsset, unsure: Collection[ForeseenShard]) -> bool:
    """Return True if there may be new rows whose keys are not known yet."""
    by_row = step.candidates is None or step.row_by_row
    return any(item.more or (item.opens and by_row) for item in unsure)


def may_go(step: RowAsset, shard: Shard, frame: pl.DataFrame) -> set[str]:
    """Return the keys of ``frame`` that depend on upstream rows that may not exist after the build."""
    found: set[str] = set()
    for asset, shards in foreseen(step, shard).items():
        maybe = set[str]().union(*(item.maybe for item in shards))
        if maybe and asset == next(iter(step.reads)):
            found |= set(frame["key"].filter(follows(step, asset, shards, maybe, frame)))
    return found


def of_delta(delta: Delta, moved: Mapping[str, set[str]], maybe: set[str], more: bool) -> ForeseenShard:
    """Return the shard as it is after a build of ``delta``.

    ``moved``: input -> keys for which it changed; under "", keys of which every field is computed again.
    """
    step, shard = delta.step, delta.shard
    whole = moved.get("", set()) | set(delta.new)
    moves = {name: whole.union(*(moved.get(source, ()) for source in step.reached_by(name))) for name in step.fields}
    deciding = step.flows.get(ROWS) or [name.removeprefix("in:") for name in step.input_columns]
    if step.reasons:
        maybe = maybe | whole.union(*(moved.get(source, ()) for source in deciding))
    computed = [*delta.new, *delta.changed]
    known = delta.ledger()
    old = known.select("key", "status", "reason", *(name for name in step.output_columns if name in known.columns))
    rows = delta.candidates.select("key", "part", *step.input_columns, *VERSIONS).join(
        old, on="key", how="left", maintain_order="left")
    if delta.untouched:  # rows of equal sections are not among the candidates
        listed = pl.concat([rows["key"], pl.Series(delta.gone, dtype=pl.String)])
        rows = pl.concat([rows, known.filter(~pl.col("key").is_in(listed.implode()))], how="diagonal_relaxed").select(
            rows.columns)
    runs = pl.col("key").is_in(computed)
    # A row that was quarantined, or is new, has no old output that could stay.
    unmade = runs & (pl.col("status") != STATUS_OK).fill_null(True)
    columns = [pl.when(unmade | pl.col("key").is_in(list(keys))).then(pl.lit(UNKNOWN)).otherwise(
        pl.col(f"out:{name}") if f"out:{name}" in rows.columns else pl.lit(None, pl.String)).alias(f"out:{name}")
        for name, keys in moves.items()]
    # A quarantined row that is computed again may become good, or may not.
    quarantined = set(old.filter(pl.col("status") != STATUS_OK)["key"]) & set(computed)
    rows = rows.with_columns(
        *columns, pl.when(runs).then(pl.lit(STATUS_OK)).otherwise(pl.col("status")).alias("status"),
        pl.when(runs).then(None).otherwise(pl.col("reason")).alias("reason"))
    return ForeseenShard(
        shard.asset, shard.partition, shard.files, shard.store, rows.sort("key"), delta.index,
        {name: frozenset(keys | quarantined) for name, keys in moves.items()}, frozenset(maybe | quarantined),
        frozenset([*delta.new, *delta.gone]), more=more, reshaped=delta.reshaped)


def all_rows(step: RowAsset, shard: Shard) -> ForeseenShard:
    """Return ``shard`` as foreseen if its future rows are unknown: each stored row may change or be removed."""
    rows = shard.ledger()
    rows = rows if rows is not None else ledger.empty_ledger(step)
    keys = frozenset(rows["key"])
    unknown = [pl.lit(UNKNOWN).alias(f"out:{name}") for name in step.fields]
    return ForeseenShard(shard.asset, shard.partition, shard.files, shard.store, rows.with_columns(*unknown),
                         shard.index(), dict.fromkeys(step.fields, keys), keys, more=True)


def edited(shard: Shard, keys: Collection[str], fields: Collection[str], opens: bool = False) -> ForeseenShard:
    """Return ``shard`` as it is after ``fields`` of the rows ``keys`` change to unknown values."""
    rows = shard.ledger()
    assert rows is not None
    hit = pl.col("key").is_in(list(keys))
    rows = rows.with_columns(pl.when(hit).then(pl.lit(UNKNOWN)).otherwise(pl.col(f"out:{name}")).alias(f"out:{name}")
                             for name in fields)
    return ForeseenShard(shard.asset, shard.partition, shard.files, shard.store, rows, shard.index(),
                         dict.fromkeys(fields, frozenset(keys)), opens=opens)
