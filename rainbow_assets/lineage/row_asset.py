"""Row assets: the declaration of an asset that makes rows, and the batches that its function yields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG, RainbowError, UsageError, bug
from rainbow_assets.lineage.codeversion import Used, library_versions, used_by
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import WHOLE, ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

if TYPE_CHECKING:
    from rainbow_assets.lineage.ledger import Delta
    from rainbow_assets.lineage.verdicts import Check


class UnknownAsset(UsageError):
    """The graph has no asset of that name."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All newly computed rows of one part, which are written together and computed again together after a crash.

    ``table`` has rows with the asset's columns, in any order. ``quarantined``: the keys that got no row, each with a
    reason from the asset's closed list; ``sentences``: the reader's own words on some of them, by key. ``facts`` are
    plain JSON values about the part.
    """

    part: str
    table: pa.Table
    quarantined: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """The argument of an asset's function: its shard, and the rows to compute.

    ``asked`` has ``key``, ``part`` and the other columns of the candidates, sorted by part and key.
    """

    shard: Shard
    asked: pl.DataFrame
    rules: settings.Rules
    above: Mapping[str, RowAsset] = field(default_factory=dict, repr=False)
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]), repr=False)

    def parts(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield (part, its rows) in order."""
        for (part,), rows in self.asked.group_by("part", maintain_order=True):
            yield str(part), rows

    def guarded(self, part: str, asked: pl.DataFrame, make: Callable[[], Batch]) -> Batch:
        """Return what ``make`` returns, or if it meets a bug, a batch that quarantines the part, so that others go on.

        The bug is logged with its traceback. Raises what a person can fix (``RainbowError``, ``OSError``).
        """
        try:
            return make()
        except (RainbowError, OSError):
            raise
        except MemoryError as error:
            what = f" ({error})" if str(error) else ""
            raise RainbowError(f"{self.shard.where}: there is too little memory for {part}{what}; close other "
                               "programs, or shorten its files") from None
        except Exception as error:
            keys = asked["key"].to_list()
            sentence = bug(error, f"{self.shard.where}, {part}")
            return Batch(part, self.schema.empty_table(), dict.fromkeys(keys, BUG), {}, dict.fromkeys(keys, sentence))

    def upstream(self, asset: str, partition: str | None = None) -> Shard:
        """Return the shard of ``asset`` in ``partition`` (default: the same as this one's)."""
        return self.shard.store.shard(asset, partition or self.shard.partition)

    def rows(self, asset: str, columns: Iterable[str], partition: str | None = None) -> dict[str, dict[str, Any]]:
        """Return {key: row} of ``asset``, each row with ``columns``.

        The rows are those of ``partition`` (default: this shard's, or the one for all if ``asset`` has no colors).
        Raises ``UndeclaredRead`` for an asset or a column that is not declared as an input.
        """
        if asset not in self.above:
            self.upstream(asset)  # raises
        upstream, wanted = self.above[asset], list(columns)
        shard = self.upstream(asset, partition or (None if upstream.colored else WHOLE))
        table = shard.table(upstream.schema, list(dict.fromkeys((upstream.key, *wanted))))
        return dict(zip(table.column(upstream.key).to_pylist(), table.select(wanted).to_pylist(), strict=True))

    def batch(
        self, part: str, rows: Iterable[Mapping[str, Any]], quarantined: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None, sentences: Mapping[str, str] | None = None,
    ) -> Batch:
        """Return the batch of ``part`` with ``rows``, mappings with a value for each column.

        Raises ``ValueError`` if a row lacks a column, or has one that the asset does not declare.
        """
        found = [dict(row) for row in rows]
        wrong = next((row for row in found if row.keys() != set(self.schema.names)), None)
        if wrong is not None:
            raise ValueError(f"a row of {self.shard.where} has the columns {', '.join(wrong)}; declared are "
                             f"{', '.join(self.schema.names)}")
        return Batch(part, pa.Table.from_pylist(found, schema=self.schema), quarantined or {}, facts or {},
                     sentences or {})


@dataclass(frozen=True, slots=True)
class Built:
    """What a run built: the shards of ``asset`` in ``partitions`` of ``store``. See ``RowAsset.shows``."""

    asset: RowAsset
    store: ShardStore
    partitions: tuple[str, ...]

    def shards(self) -> list[Shard]:
        """Return the shards that exist."""
        found = [self.store.shard(self.asset.name, partition) for partition in self.partitions]
        return [shard for shard in found if shard.index() is not None]


def column(name: str, kind: type | pa.DataType, doc: str) -> pa.Field:
    """Return a column of a table: its name, its type (a Python type, or Arrow's), and its description."""
    return pa.field(name, kind if isinstance(kind, pa.DataType) else _KINDS[kind], metadata={"doc": doc})


_KINDS: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
VERSIONS = ("settings", "code", "libraries")
"""Ledger columns that are the same for every candidate of an asset: see :meth:`RowAsset.versions`."""
Compute = Callable[[Work], Iterator[Batch]]
Candidates = Callable[[Shard, settings.Rules], pl.DataFrame]
Show = Callable[[Built], Mapping[str, Any]]
Export = Callable[[Shard], object]
Explain = Callable[["Delta"], list[str]]
Unusable = Callable[[Shard], Mapping[str, str]]


@dataclass(frozen=True)
class RowAsset:
    """The declaration of an asset that makes rows. Its Dagster asset, checks and metadata are made from it.

    An *input* below is an output field of an upstream asset, written ``asset.field``.
    """

    name: str
    reads: Mapping[str, Sequence[str]]
    """Upstream asset -> the output fields of it that are read."""
    compute: Compute
    """Yields the batches of the rows that are asked for."""
    columns: Sequence[pa.Field] | pa.Schema
    """The table's columns in order; the key is put first if it is not among them."""
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Output field -> its columns; by default each column but the key is a field. Columns in no field, such as encoded
    media, are not digested: another field has the digest of their logical value."""
    key: str = "segment_id"
    group: str = ""
    kinds: Collection[str] = ()
    description: str = ""
    checks: Any = ()
    """Each a :class:`~rainbow_assets.lineage.verdicts.Check`, or a function that makes one for the asset."""
    shows: Sequence[Show] = ()
    """Functions that return metadata by name for Dagster's UI, from what a run built."""
    exports: Sequence[Export] = ()
    """Functions that write files beside the shard after each commit, and nothing if the files are right already."""
    explain: Explain | None = None
    """Names the raw files and fields that changed."""
    settings: tuple[str, ...] = ()
    """Names of the settings that shape rows; a change makes all rows stale."""
    libraries: tuple[str, ...] = ()
    """Names of the libraries that shape rows; another version makes all rows stale."""
    candidates: Candidates | None = None
    """Lists the rows that should exist: a frame of ``key``, ``part`` and one digest column ``in:<asset>.<field>`` per
    input. Without it the rows are those of the first input, joined to the others through ``joins``."""
    joins: Mapping[str, pl.Expr] = field(default_factory=dict)
    """Upstream asset -> expression over ``key`` that gives the key to join."""
    parts: pl.Expr | None = None
    source: Callable[[Shard], str] | None = None
    """Returns a token for the state of inputs outside the store."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """The closed list of quarantine reasons."""
    media: tuple[str, ...] = ()
    """Columns of encoded bytes."""
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Output field -> the inputs that it depends on, by default all. ``key`` -> those that decide about quarantine."""
    cheap: bool = False
    """It reads no media, so a plan builds it for real, in memory, and is exact beyond it."""
    unit: str = "song"
    """What a part has the rows of."""
    colored: bool = True
    """True: one shard per color; False: one shard for all."""
    carries: tuple[str, ...] = ()
    """Upstream assets, in order of preference, that columns of the same name are copied from. For display only."""
    on_request: bool = False
    """Built only when named; after the first build it is part of every plan."""
    optional: tuple[str, ...] = ()
    """Upstream assets that may be missing; once they have been built, their gates count as any other's."""
    identity: tuple[str, ...] = ()
    """Columns that follow from the key and the partition, which readers need not declare."""
    through: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Further output fields of upstream assets that ``candidates`` puts into the digests of declared inputs."""
    material: Mapping[str, str] = field(default_factory=dict)
    """Input columns that are digests of files -> what such a file is called. If many disappear at once, the build
    stops."""
    unusable: Unusable | None = None
    """Returns {part: why it has no row}. If many that had rows become unusable at once, the build stops."""
    row_by_row: bool = False
    """Each of its own candidates depends only on its own upstream rows."""
    chosen_by: tuple[str, ...] = ()
    """The inputs by which it chooses its rows among all: one changed upstream row may add and remove other rows."""
    ceiling: Callable[[settings.Rules], int] | None = None
    """The largest number of rows that ``chosen_by`` may choose."""
    above: Mapping[str, RowAsset] = field(default_factory=dict, repr=False, compare=False)
    """The declarations of the assets that it reads; the :class:`~rainbow_assets.lineage.graph.Graph` sets it."""

    def __post_init__(self) -> None:
        """Add the key's column, the default fields, and the asset's name in its checks."""
        columns: pa.Schema = self.columns if isinstance(self.columns, pa.Schema) else pa.schema(list(self.columns))
        if self.key not in columns.names:
            columns = columns.insert(0, column(self.key, str, "key"))
        object.__setattr__(self, "columns", columns)
        if not self.fields:
            object.__setattr__(self, "fields", {name: (name,) for name in columns.names if name != self.key})
        made = [cast("Check", item(self) if callable(item) else item) for item in self.checks]
        object.__setattr__(self, "checks", tuple(replace(item, asset=self.name) for item in made))

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow's schema."""
        assert isinstance(self.columns, pa.Schema)
        return self.columns

    @property
    def partitions(self) -> tuple[str, ...]:
        """The colors, or the single partition for all."""
        return COLOR_NAMES if self.colored else (WHOLE,)

    def read_partitions(self, asset: str, partition: str) -> tuple[str, ...]:
        """Return the partitions of ``asset`` that ``partition`` of this asset reads.

        They are the same partition if both assets have colors or neither has, else all partitions of ``asset``. Inputs
        outside the store (the raw songs) have none.
        """
        if asset not in self.above and self.source is not None:
            return ()
        upstream = self.upstream(asset)
        return (partition,) if upstream.colored == self.colored else upstream.partitions

    def upstream(self, asset: str) -> RowAsset:
        """Return the declaration of ``asset``, which this asset reads."""
        try:
            return self.above[asset]
        except KeyError:
            raise LookupError(f"{self.name} reads {asset}, which is not in the graph before it; put both into a "
                              "Graph, upstream first, and take the asset from there") from None

    def price(self, shard: Shard, rules: settings.Rules, keys: set[str]) -> dict[str, Any] | None:
        """Return the costs of computing ``keys`` if they are more than time (a paid engine), else None."""
        return None

    def reached_by(self, output: str) -> tuple[str, ...]:
        """Return the inputs (``asset.field``) that the output field ``output`` may depend on."""
        return self.flows.get(output) or tuple(f"{asset}.{name}" for asset, names in self.reads.items()
                                               for name in names)

    @property
    def code(self) -> Used:
        """The code that shapes rows: the asset's functions and everything that they use."""
        return used_by(self.compute, self.candidates, self.source)

    def made_with(self, rules: settings.Rules) -> dict[str, Any]:
        """Return the values behind :meth:`versions`: setting values, code digests, library versions."""
        return {"settings": settings.values(rules, self.settings), "code": sorted(self.code.texts),
                "libraries": library_versions(self.libraries)}

    def versions(self, rules: settings.Rules) -> dict[str, str]:
        """Return the digests of settings, code and libraries, which are the same for all rows of this asset."""
        return {
            "settings": digest(settings.values(rules, self.settings)),
            "code": self.code.version,
            "libraries": digest(library_versions(self.libraries)),
        }

    @property
    def input_columns(self) -> list[str]:
        """The names of the ledger's columns of input digests, in order."""
        return [f"in:{asset}.{name}" for asset, names in self.reads.items() for name in names]

    @property
    def ledger_columns(self) -> list[str]:
        """The names of all columns of the ledger, in order."""
        return ["key", "part", *self.input_columns, *VERSIONS, *self.output_columns, "output", "status", "reason",
                "sentence"]

    @property
    def output_columns(self) -> list[str]:
        """The names of the ledger's columns of output digests, in order."""
        return [f"out:{name}" for name in self.fields]
