"""A row asset: what an asset that makes rows declares about itself, and the batches that its function yields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.errors import UsageError
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
    """All newly computed rows of one part: the unit that lands, or is repeated after a crash.

    ``table`` holds rows of the asset's columns in any order; ``quarantined`` names the keys that got no row and why
    (reason from the asset's closed list); ``facts`` are plain JSON values kept beside the part.
    """

    part: str
    table: pa.Table
    quarantined: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What an asset's function gets: its shard, and the candidate rows to compute.

    ``asked`` has ``key``, ``part`` and the candidates' own columns, sorted by part and key.
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

    def upstream(self, asset: str, partition: str | None = None) -> Shard:
        """Return the shard of ``asset`` in ``partition`` (default: the same as this one's)."""
        return self.shard.store.shard(asset, partition or self.shard.partition)

    def rows(self, asset: str, columns: Iterable[str], partition: str | None = None) -> dict[str, dict[str, Any]]:
        """Return {key: row} of ``asset``, each row with ``columns``.

        They are those of the partition of this shard, or of the one for all if ``asset`` has no colors. Raises
        ``UndeclaredRead`` for an asset or a column that is not declared as read.
        """
        if asset not in self.above:
            self.upstream(asset)  # raises
        upstream, wanted = self.above[asset], list(columns)
        shard = self.upstream(asset, partition or (None if upstream.colored else WHOLE))
        table = shard.table(upstream.schema, list(dict.fromkeys((upstream.key, *wanted))))
        return dict(zip(table.column(upstream.key).to_pylist(), table.select(wanted).to_pylist(), strict=True))

    def batch(
        self, part: str, rows: Iterable[Mapping[str, Any]], quarantined: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Batch:
        """Return the batch of ``part`` with ``rows``, mappings with a value for each column.

        Raises ``ValueError`` for a row that lacks a column, or has one that the asset does not declare.
        """
        found = [dict(row) for row in rows]
        wrong = next((row for row in found if row.keys() != set(self.schema.names)), None)
        if wrong is not None:
            raise ValueError(f"a row of {self.shard.where} has the columns {', '.join(wrong)}; declared are "
                             f"{', '.join(self.schema.names)}")
        return Batch(part, pa.Table.from_pylist(found, schema=self.schema), quarantined or {}, facts or {})


@dataclass(frozen=True, slots=True)
class Built:
    """What a run built of ``asset``: in ``store``, the shards of ``partitions``. See ``RowAsset.shows``."""

    asset: RowAsset
    store: ShardStore
    partitions: tuple[str, ...]

    def shards(self) -> list[Shard]:
        """Return the shards that exist."""
        found = [self.store.shard(self.asset.name, partition) for partition in self.partitions]
        return [shard for shard in found if shard.index() is not None]


class Markdown(str):
    """A text that Dagster's UI renders as Markdown."""


def column(name: str, kind: type | pa.DataType, doc: str) -> pa.Field:
    """Return a column of a table: its name, its type (a Python type, or Arrow's), and what a person may read of it."""
    return pa.field(name, kind if isinstance(kind, pa.DataType) else _KINDS[kind], metadata={"doc": doc})


_KINDS: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
VERSIONS = ("settings", "code", "libraries")
"""Ledger columns that are the same for every candidate of a step: see :meth:`RowAsset.versions`."""
Compute = Callable[[Work], Iterator[Batch]]
Candidates = Callable[[Shard, settings.Rules], pl.DataFrame]
Show = Callable[[Built], Mapping[str, Any]]
Export = Callable[[Shard], object]
Explain = Callable[["Delta"], list[str]]


@dataclass(frozen=True)
class RowAsset:
    """The declaration of an asset that makes rows. Its Dagster asset, checks and metadata are made from it.

    ``reads``: upstream asset -> the output fields of it that are read. ``columns``: the table's columns in order; the
    key is put first if it is not among them. ``fields``: output field -> the columns that it stands for; without it,
    each column but the key is a field. (Columns in no field, such as encoded media, are not digested: a field of theirs
    names the digest of their logical value.) ``settings`` and ``libraries`` name what else shapes rows.

    What a person sees: ``group``, ``kinds`` and ``description`` in Dagster's UI, ``checks`` (each a
    :class:`~rainbow_assets.lineage.verdicts.Check`, or a function that makes one of the asset), ``shows`` (functions of
    what a run built that return metadata by name). ``exports`` write files beside the shard after each commit, and
    nothing if the files are as they should be. ``explain`` says which raw file and field moved.

    ``candidates`` lists the rows that should exist, as a frame of ``key``, ``part`` and one digest column
    ``in:<asset>.<field>`` per declared input; without it, rows are the first input's rows, joined to the others through
    ``joins`` (an expression over ``key``). ``source`` is a token for the state of inputs outside the store. ``reasons``
    is the closed list of quarantine reasons. ``media`` are columns of encoded bytes. ``flows`` says which inputs
    (``asset.field``) reach an output field, where it is not all of them. A plan runs ``cheap`` assets, which read no
    media, for real, in memory, so that it is exact beyond them. ``unit`` is what a part holds the rows of.
    ``colored``: one shard per color, else one for all. ``carries`` names the upstream assets, first come first, whose
    columns are the one source of this asset's columns of the same name; it is for showing, rows do not depend on it.
    ``on_request``: built only when named; after the first build it is part of every plan.
    ``optional`` names upstream assets that need not have been made; once they were, their gates hold as any other's.
    ``chosen_by``: the inputs (``asset.field``) by which rows are chosen among all, for an asset in which one moved row
    above may bring or take other ones; at most ``ceiling`` rows are chosen. ``row_by_row``: the asset's own candidates
    follow each from its own rows above. In ``flows``, ``key`` names the inputs that decide if a row is quarantined.
    ``identity``: columns that follow from the key and the partition, which readers need not declare. ``through``:
    further output fields of upstream assets that the asset's own candidates put into digests of declared ones.
    ``material``: input columns whose digests stand for files, and what such a file is called. When many are gone at
    once, or many songs cannot be used any more, the build stops.

    ``above`` has the declarations of what it reads; the :class:`~rainbow_assets.lineage.graph.Graph` sets it.
    """

    name: str
    reads: Mapping[str, Sequence[str]]
    compute: Compute
    columns: Sequence[pa.Field] | pa.Schema
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    key: str = "segment_id"
    group: str = ""
    kinds: Collection[str] = ()
    description: str = ""
    checks: Any = ()
    shows: Sequence[Show] = ()
    exports: Sequence[Export] = ()
    explain: Explain | None = None
    settings: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    candidates: Candidates | None = None
    joins: Mapping[str, pl.Expr] = field(default_factory=dict)
    parts: pl.Expr | None = None
    source: Callable[[Shard], str] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    media: tuple[str, ...] = ()
    flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cheap: bool = False
    unit: str = "song"
    colored: bool = True
    carries: tuple[str, ...] = ()
    on_request: bool = False
    optional: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    through: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    material: Mapping[str, str] = field(default_factory=dict)
    row_by_row: bool = False
    chosen_by: tuple[str, ...] = ()
    ceiling: Callable[[settings.Rules], int] | None = None
    above: Mapping[str, RowAsset] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Fill in what follows from the rest: the key's column, the fields, and the asset's own checks."""
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
        """The colors, or the one partition for all."""
        return COLOR_NAMES if self.colored else (WHOLE,)

    def read_partitions(self, asset: str, partition: str) -> tuple[str, ...]:
        """Return the partitions of ``asset`` that ``partition`` of this one reads.

        The same one where both have colors or neither has; every color where only ``asset`` has them; the one for all
        where only this one has. Assets outside the store (the raw songs) have none.
        """
        if asset not in self.above and self.source is not None:
            return ()
        upstream = self.upstream(asset)
        return (partition,) if upstream.colored == self.colored else upstream.partitions

    def upstream(self, asset: str) -> RowAsset:
        """Return the declaration of ``asset``, which this one reads."""
        try:
            return self.above[asset]
        except KeyError:
            raise LookupError(f"{self.name} reads {asset}, which is not in the graph before it; put both into a "
                              "Graph, upstream first, and take the asset from there") from None

    def price(self, shard: Shard, rules: settings.Rules, keys: set[str]) -> dict[str, Any] | None:
        """Say what computing ``keys`` costs where that is more than time (paid engines); None for all other steps."""
        return None

    def reached_by(self, output: str) -> tuple[str, ...]:
        """Return the inputs (``asset.field``) that the output field ``output`` may depend on."""
        return self.flows.get(output) or tuple(f"{asset}.{name}" for asset, names in self.reads.items()
                                               for name in names)

    @property
    def code(self) -> Used:
        """The code that shapes rows: the asset's own functions, and all that they use."""
        return used_by(self.compute, self.candidates, self.source)

    def made_with(self, rules: settings.Rules) -> dict[str, Any]:
        """Return what the digests of :meth:`versions` stand for: setting values, code digests, library versions."""
        return {"settings": settings.values(rules, self.settings), "code": sorted(self.code.texts),
                "libraries": library_versions(self.libraries)}

    def versions(self, rules: settings.Rules) -> dict[str, str]:
        """Return the digests of settings, code and named libraries that every row of this asset carries."""
        return {
            "settings": digest(settings.values(rules, self.settings)),
            "code": self.code.version,
            "libraries": digest(library_versions(self.libraries)),
        }

    @property
    def input_columns(self) -> list[str]:
        """Names of the ledger's input-digest columns, in order."""
        return [f"in:{asset}.{name}" for asset, names in self.reads.items() for name in names]

    @property
    def ledger_columns(self) -> list[str]:
        """Names of all the ledger's columns, in order."""
        return ["key", "part", *self.input_columns, *VERSIONS, *self.output_columns, "output", "status", "reason"]

    @property
    def output_columns(self) -> list[str]:
        """Names of the ledger's output-digest columns, in order."""
        return [f"out:{name}" for name in self.fields]
