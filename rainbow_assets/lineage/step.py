"""A step: what a row-producing asset declares about itself, and the batches that its function yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.lineage.codeversion import Used, library_versions, used_by
from rainbow_assets.storage.shard import Shard


@dataclass(frozen=True, slots=True)
class Batch:
    """All newly computed rows of one part: the unit that lands, or is repeated after a crash.

    ``table`` holds rows of the step's schema in any order; ``quarantined`` names the keys that got no row and why
    (reason from the step's closed list); ``facts`` are plain JSON values kept beside the part.
    """

    part: str
    table: pa.Table
    quarantined: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What a step's function gets: its shard, and the candidate rows to compute.

    ``rows`` has ``key``, ``part`` and the candidates' own columns, sorted by part and key.
    """

    shard: Shard
    rows: pl.DataFrame
    rules: settings.Rules

    def parts(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield (part, its rows) in order."""
        for (part,), rows in self.rows.group_by("part", maintain_order=True):
            yield str(part), rows

    def upstream(self, asset: str, partition: str | None = None) -> Shard:
        """Return the shard of ``asset`` in ``partition`` (default: the same as this one's)."""
        return self.shard.store.shard(asset, partition or self.shard.partition)


VERSIONS = ("settings", "code", "libraries")
"""Ledger columns that are the same for every candidate of a step: see :meth:`Step.versions`."""
Compute = Callable[[Work], Iterator[Batch]]
Candidates = Callable[[Shard, settings.Rules], pl.DataFrame]


@dataclass(frozen=True)
class Step:
    """The declaration of a row-producing asset.

    ``inputs``: upstream asset -> the output fields of it that are read. ``fields``: output field -> the columns that
    it stands for (columns in no field, such as encoded media, are not digested: a field of theirs names the digest
    of their logical value). ``settings`` and ``libraries`` name what else shapes rows. ``candidates``
    lists the rows that should exist, as a frame of ``key``, ``part`` and one digest column ``in:<asset>.<field>``
    per declared input; without it, rows are the first input's rows, joined to the others through ``joins`` (an
    expression over ``key``). ``source`` is a token for the state of inputs outside the store. ``reasons`` is the
    closed list of quarantine reasons. ``media`` are columns of encoded bytes. ``flows`` says which inputs
    (``asset.field``) reach an output field, where it is not all of them. ``cheap`` steps read no media: a plan runs
    them for real, in memory, so that it is exact beyond them. ``unit`` is what a part holds the rows of, for messages.
    ``colored``: one shard per color, else one for all. ``carries`` names the upstream assets, first come first, whose
    columns are the one source of this step's columns of the same name; it is for showing, rows do not depend on it.
    ``on_request``: made when somebody asks for it by name, and planned once it was; no build or automation begins it.
    ``optional`` names upstream assets that need not have been made; once they were, their gates hold as any other's.
    ``chosen_by``: the inputs (``asset.field``) by which rows are chosen among all, for a step in which one moved row
    above may bring or take other ones; at most ``ceiling`` rows are chosen. ``row_by_row``: the step's own candidates
    follow each from its own rows above. In ``flows``, ``key`` names the inputs that decide whether a row is set aside.
    ``identity``: columns that follow from the key and the partition, which readers need not declare. ``through``:
    further output fields of upstream assets that the step's own candidates put into digests of declared ones.
    ``material``: input columns whose digests stand for files, and what such a file is called. When many are gone at
    once, or many songs cannot be used any more, the build stops.
    """

    name: str
    inputs: Mapping[str, tuple[str, ...]]
    compute: Compute
    schema: pa.Schema
    fields: Mapping[str, tuple[str, ...]]
    key: str = "segment_id"
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

    def price(self, shard: Shard, rules: settings.Rules, keys: set[str]) -> dict[str, Any] | None:
        """Say what computing ``keys`` costs where that is more than time (paid engines); None for all other steps."""
        return None

    def reached_by(self, output: str) -> tuple[str, ...]:
        """Return the inputs (``asset.field``) that the output field ``output`` may depend on."""
        return self.flows.get(output) or tuple(f"{asset}.{name}" for asset, names in self.inputs.items()
                                               for name in names)

    @property
    def code(self) -> Used:
        """The code that shapes rows: the step's own functions, and all that they use."""
        return used_by(self.compute, self.candidates, self.source)

    def made_with(self, rules: settings.Rules) -> dict[str, Any]:
        """Return what the digests of :meth:`versions` stand for: setting values, code digests, library versions."""
        return {"settings": settings.values(rules, self.settings), "code": sorted(self.code.texts),
                "libraries": library_versions(self.libraries)}

    def versions(self, rules: settings.Rules) -> dict[str, str]:
        """Return the digests of settings, code and named libraries that every row of this step carries."""
        return {
            "settings": digest(settings.values(rules, self.settings)),
            "code": self.code.version,
            "libraries": digest(library_versions(self.libraries)),
        }

    @property
    def input_columns(self) -> list[str]:
        """Names of the ledger's input-digest columns, in order."""
        return [f"in:{asset}.{name}" for asset, names in self.inputs.items() for name in names]

    @property
    def ledger_columns(self) -> list[str]:
        """Names of all the ledger's columns, in order."""
        return ["key", "part", *self.input_columns, *VERSIONS, *self.output_columns, "output", "status", "reason"]

    @property
    def output_columns(self) -> list[str]:
        """Names of the ledger's output-digest columns, in order."""
        return [f"out:{name}" for name in self.fields]
