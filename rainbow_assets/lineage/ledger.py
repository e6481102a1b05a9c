"""The row ledger: which rows should exist, which of them changed, and how the computed rows are stored.

``reconcile(step, shard)`` compares the rows that should exist with the ledger of the last build, digest by digest.
``commit(delta, results)`` writes the computed rows part by part and then replaces ``shard.json``. Each part is
journaled when it is written, so that the next run continues a killed one and computes at most one part twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.errors import BUG, RainbowError
from rainbow_assets.lineage import adopted
from rainbow_assets.lineage import parts as written
from rainbow_assets.lineage.matching import ascending, match
from rainbow_assets.lineage.narrowing import Narrowed, narrowed
from rainbow_assets.lineage.reading import DeclaredStore
from rainbow_assets.lineage.row_asset import VERSIONS, Batch, RowAsset, Work
from rainbow_assets.storage.shard import Part, Shard, ShardIndex

STATUS_OK = "ok"
STATUS_QUARANTINED = "quarantined"


class LedgerError(RainbowError):
    """The rows that an asset made are not the rows that it should make."""


@dataclass(frozen=True)
class Delta:
    """The work that brings a shard up to date.

    ``new``, ``changed`` and ``gone`` are sorted lists of keys; ``kept`` rows stay. ``candidates`` are the rows that
    should exist. ``old`` has the keys, parts and input digests of the ledger, with those of the parts that an
    interrupted run wrote (``pending``). Of a large ledger, both may be without the rows of equal sections, of which
    there are ``untouched``. ``parts`` are the live parts by group. ``signature`` has the versions of everything that
    the shard is built from. ``current`` is True if there is nothing to do.
    """

    step: RowAsset
    shard: Shard
    rules: settings.Rules
    signature: dict[str, str]
    index: ShardIndex | None
    candidates: pl.DataFrame
    old: pl.DataFrame
    parts: dict[str, Part]
    pending: list[tuple[Part, pl.DataFrame]] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    kept: int = 0
    untouched: int = 0
    current: bool = False

    @property
    def reshaped(self) -> bool:
        """True if the shard was written with other columns or fields, so that no row can be kept."""
        return self.index is not None and self.index.inputs["schema"] != self.signature["schema"]

    @property
    def rewritten(self) -> bool:
        """True if the shard was written by an older writer, which wrote other bytes for the same rows."""
        return self.index is not None and self.index.inputs.get(WRITER, "1") != self.signature.get(WRITER)

    @property
    def todo(self) -> pl.DataFrame:
        """The candidates to compute, sorted by part and key."""
        keys = pl.Series("key", self.new + self.changed, dtype=pl.String)
        return self.candidates.filter(pl.col("key").is_in(keys.implode())).sort("part", "key")

    def ledger(self) -> pl.DataFrame:
        """Return the current ledger with every column; ``old`` has only those that are compared."""
        return _current(self.step, self.shard, self.pending, None)

    def work(self) -> Work:
        """Return the argument of the asset's function."""
        return Work(_declared(self.step, self.shard), self.todo, self.rules, self.step.above, self.step.schema)


@dataclass(frozen=True)
class Report:
    """What a commit did, in numbers for people, the Dagster UI and the plan's estimates."""

    asset: str
    partition: str
    data_version: str
    rows: int
    computed: int
    reused: int
    removed: int
    quarantined: dict[str, int]
    parts_written: int
    bytes_written: int
    seconds: float
    changed: bool


EDGE = "in:"
"""Prefix of a shard that was read, in ``ShardIndex.inputs``: ``in:asset``, or ``in:asset/Red``."""
WRITER = "writer"
"""The layout of the files, in ``ShardIndex.inputs``; shards from before it was recorded have layout 1."""
NEVER_MADE = "never made"
"""Recorded as the data version of an optional upstream that is missing."""


def signature(step: RowAsset, shard: Shard, rules: settings.Rules) -> dict[str, str]:
    """Return the versions of everything that the shard is built from; if they are equal, there is nothing to do."""
    found = step.versions(rules)
    found["schema"], found[WRITER] = schema_digest(step), str(written.LAYOUT)
    if step.source is not None:
        found["source"] = step.source(shard)
    for asset in step.reads:
        for partition in step.read_partitions(asset, shard.partition):
            name = f"{EDGE}{asset}" if partition == shard.partition else f"{EDGE}{asset}/{partition}"
            upstream = shard.store.shard(asset, partition)
            missing = asset in step.optional and upstream.index() is None
            found[name] = NEVER_MADE if missing else upstream.require_index().data_version
    return found


def schema_digest(step: RowAsset) -> str:
    """Return a digest of what readers of ``step`` rely on: its columns, their types, and its output fields."""
    return digest([f"{name.name}:{name.type}" for name in step.schema], list(step.fields))


def ledger_frame(shard: Shard, columns: list[str] | None = None) -> pl.DataFrame | None:
    """Return the shard's ledger as a frame, or None if the shard was never written."""
    return shard.ledger(columns)


def empty_ledger(step: RowAsset) -> pl.DataFrame:
    """Return a ledger of ``step`` without rows."""
    return pl.DataFrame(schema=dict.fromkeys(step.ledger_columns, pl.String))


def candidates(
    step: RowAsset, shard: Shard, rules: settings.Rules, only: Narrowed | None = None
) -> pl.DataFrame:
    """Return the rows that should exist: ``key``, ``part`` and a digest per declared input; keys are unique.

    With ``only``, those of its sections of each upstream ledger.
    """
    shard = _declared(step, shard)
    found = step.candidates(shard, rules) if step.candidates else _joined(step, shard, only)
    if ascending(found["key"]):  # as in ledgers; then nothing has to hash every key
        found = found.with_columns(pl.col("key").set_sorted())
    elif found["key"].is_duplicated().any():
        twice = found["key"].filter(found["key"].is_duplicated()).unique().sort()
        raise LedgerError(f"{shard.where}: the candidates list {len(twice)} keys twice, for example {twice[0]!r}")
    constants = [pl.lit(value, pl.String).alias(name) for name, value in step.versions(rules).items()]
    return found.with_columns(constants)


def _declared(step: RowAsset, shard: Shard) -> Shard:
    """Return ``shard`` in a store that has only the inputs that ``step`` declares."""
    return replace(shard, store=DeclaredStore(shard.store, step))


def _joined(step: RowAsset, shard: Shard, only: Narrowed | None) -> pl.DataFrame:
    """Return the rows of the first input, each joined to the output digests of the other inputs."""
    frame: pl.DataFrame | None = None
    for asset, names in step.reads.items():
        rows = pl.concat(outputs(shard.store.shard(asset, partition), asset, names, only.above[asset] if only else None)
                         for partition in step.read_partitions(asset, shard.partition))
        if frame is None:
            frame = rows
            continue
        on = step.joins.get(asset, pl.col("key"))
        frame = frame.with_columns(on.alias("_on")).join(
            rows.drop("part"), left_on="_on", right_on="key", how="left", maintain_order="left"
        ).drop("_on")
    if frame is None:
        raise LedgerError(f"the asset {step.name} has neither inputs nor candidates; declare reads or candidates")
    return frame.with_columns(step.parts.alias("part")) if step.parts is not None else frame


def outputs(
    upstream: Shard, asset: str, names: Sequence[str], sections: Collection[int] | None = None
) -> pl.DataFrame:
    """Return key, part and the output digests ``names`` of the good rows of an upstream shard, named as inputs."""
    upstream.require_index()
    ledger = upstream.ledger(["key", "part", "status", *(f"out:{name}" for name in names)], sections)
    assert ledger is not None
    lacks = [name for name in names if f"out:{name}" not in ledger.columns]
    if lacks:
        raise LedgerError(f"{upstream.where} was built before it had {', '.join(lacks)}; run: rainbow build")
    good = ledger["status"] == STATUS_OK
    rows = (ledger if good.all() else ledger.filter(good)).drop("status")
    return rows.rename({f"out:{name}": f"in:{asset}.{name}" for name in names})


Listing = Callable[[RowAsset, Shard, settings.Rules], pl.DataFrame]


def reconcile(
    step: RowAsset, shard: Shard, rules: settings.Rules | None = None, listing: Listing = candidates
) -> Delta:
    """Return the work that brings ``shard`` up to date; if nothing changed, only indexes are read.

    ``listing`` returns the rows that should exist: the current ones, or the foreseen ones.

    Raises ``MissingShard`` if an upstream shard was never built, and ``DamagedShard`` if a file is not the one that
    ``shard.json`` lists.
    """
    rules = rules or settings.default_rules()
    index = shard.index()
    made_from = signature(step, shard, rules)
    pending = written.pending(shard)
    parts = {part.group: part for part in index.parts} if index else {}
    if index is not None and not pending and index.inputs == made_from:
        nothing = empty_ledger(step)
        return Delta(step, shard, rules, made_from, index, nothing, nothing, parts, current=True)
    columns = ["key", "part", *step.input_columns, *VERSIONS]
    only = None if index is None or pending or listing is not candidates else narrowed(step, shard, index, made_from)
    if only is not None:
        wanted, old = candidates(step, shard, rules, only), _current(step, shard, [], columns, only.own)
    else:
        with ThreadPoolExecutor(1) as pool:
            # This ledger and the upstream ones are verified and decoded in parallel: most of a comparison's time.
            loading = pool.submit(_current, step, shard, pending, columns)
            wanted = listing(step, shard, rules)
            old = loading.result()
    parts.update({part.group: part for part, _ in pending})
    found, untouched = compare(step, wanted, old), only.rows if only else 0
    delta = Delta(step, shard, rules, made_from, index, wanted, old, parts, pending, new=found.new,
                  changed=found.changed, gone=found.gone, kept=len(found.kept) + untouched, untouched=untouched)
    if delta.reshaped:
        return replace(delta, changed=sorted([*found.changed, *found.kept]), kept=0)
    return delta


def _current(
    step: RowAsset, shard: Shard, pending: list[tuple[Part, pl.DataFrame]], columns: list[str] | None,
    sections: Collection[int] | None = None,
) -> pl.DataFrame:
    """Return the ledger, with the parts that an interrupted run wrote in place of the old ones."""
    ledger = shard.ledger(columns, sections)
    whole = written.overlay(ledger if ledger is not None else empty_ledger(step), pending)
    if "code" in whole.columns:  # rows of an adopted code version count as current
        whole = whole.with_columns(pl.col("code").replace(adopted.steps(step)))
    if columns is None:
        return whole
    # Ledgers are sorted by key. That is checked here, while the other thread reads, so that no later step has to.
    return whole.select(pl.col(name).set_sorted() if name == "key" and ascending(whole["key"]) else name
                        for name in columns if name in whole.columns)


@dataclass(frozen=True)
class Compared:
    """The keys of a comparison, by what happened to them."""

    new: list[str]
    changed: list[str]
    gone: list[str]
    kept: pl.Series


def compare(step: RowAsset, wanted: pl.DataFrame, old: pl.DataFrame) -> Compared:
    """Return the keys that are new, changed, gone and kept, by comparing every digest of ``wanted`` with ``old``."""
    compared = ["part", *step.input_columns, *VERSIONS]
    missing = [name for name in ("key", *compared) if name not in wanted.columns]
    if missing:
        raise LedgerError(f"the candidates of the asset {step.name} lack the columns {', '.join(missing)}; add them")
    known = old.select("key", *(pl.col(name) if name in old.columns else pl.lit(None, pl.String).alias(name)
                                for name in compared))
    matched = match(wanted["key"], known["key"])
    keys, same = matched.mine(wanted["key"]), pl.repeat(True, int(matched.found.sum()), eager=True)
    # A version is the same for every candidate, so it is compared as one value; only the results need the right order.
    constant = wanted.select(pl.first(*VERSIONS)).row(0, named=True) if len(wanted) else {}
    for name in compared if len(keys) else ():
        if name not in VERSIONS:
            same &= matched.mine(wanted[name]).eq_missing(matched.theirs(known[name]))
        elif not (own := known[name].eq_missing(constant[name])).all():
            same &= matched.theirs(own)
    return Compared(wanted["key"].filter(~matched.found).sort().to_list(), keys.filter(~same).sort().to_list(),
                    known["key"].filter(~matched.used).sort().to_list(), keys if same.all() else keys.filter(same))


def moved_inputs(delta: Delta) -> dict[str, set[str]]:
    """Return {digest column: keys of the changed rows whose digest differs from the ledger}."""
    if not delta.changed:
        return {}
    keys = pl.Series("key", delta.changed, dtype=pl.String).implode()
    compared = [*delta.step.input_columns, *VERSIONS]
    old = delta.old.filter(pl.col("key").is_in(keys))
    known = [pl.col(n) if n in old.columns else pl.lit(None, pl.String).alias(n) for n in compared]
    joined = delta.candidates.filter(pl.col("key").is_in(keys)).select("key", *compared).join(
        old.select("key", *known), on="key", suffix=":old")
    found = {name: set(joined.filter(pl.col(name).ne_missing(pl.col(f"{name}:old")))["key"]) for name in compared}
    return {name: moved for name, moved in found.items() if moved}


def commit(
    delta: Delta,
    results: Iterable[Batch],
    progress: Callable[[int], None] | None = None,
    grace_s: float = written.GRACE_S,
) -> Report:
    """Write ``results``, make them the live shard, and return what was done.

    Each batch is merged with the rows of its part that were kept, written, and journaled. Raises ``LedgerError`` if a
    key that was asked for is neither computed nor quarantined, or if a key was not asked for, so that no row gets lost.
    ``progress`` is called with the number of rows done so far.
    """
    started = time.perf_counter()
    step, shard = delta.step, delta.shard
    if delta.current and delta.index is not None:
        facts = delta.index.facts
        counts = {name: int(value) for name, value in facts.get("quarantined", {}).items()}
        return Report(shard.asset, shard.partition, delta.index.data_version, delta.index.rows, 0,
                      delta.index.rows, 0, counts, 0, 0, time.perf_counter() - started, False)
    writer = written.PartWriter(delta.step, shard, delta.candidates, delta.ledger(), delta.parts,
                                [*delta.changed, *delta.gone], delta.rewritten)
    expected = {part: set(rows["key"]) for part, rows in delta.work().parts()}
    done = 0
    for batch in results:
        asked = expected.pop(batch.part, None)
        _account(shard, batch, asked, step)
        writer.add(batch)
        done += len(asked or ())
        if progress:
            progress(done)
    if expected:
        part, keys = next(iter(sorted(expected.items())))
        raise LedgerError(f"{shard.where}: the asset did not return {len(keys)} rows of {part} that it was asked for, "
                          f"for example {min(keys)}")
    return _finish(delta, writer, started, grace_s)


def _account(shard: Shard, batch: Batch, asked: set[str] | None, step: RowAsset) -> None:
    if asked is None:
        raise LedgerError(f"{shard.where}: the asset returned a batch for {batch.part} that it was not asked for, or "
                          "returned it twice")
    made = batch.table.column(step.key).to_pylist()
    unique = set(made)
    if len(unique) != len(made):
        raise LedgerError(f"{shard.where}: the asset returned a batch for {batch.part} with the same key twice")
    unknown = sorted(set(batch.quarantined.values()) - {*step.reasons, BUG})
    if unknown:
        raise LedgerError(f"{shard.where}: the asset quarantined a row with the reason {unknown[0]!r}, which it does "
                          "not declare; add it to the asset's reasons")
    both = unique & set(batch.quarantined)
    lost = asked - unique - set(batch.quarantined)
    extra = (unique | set(batch.quarantined)) - asked
    for keys, what in ((both, "both returned and quarantined"), (lost, "neither returned nor quarantined"),
                       (extra, "returned without being asked for")):
        if keys:
            raise LedgerError(f"{shard.where}: {len(keys)} rows of {batch.part} were {what}, for example {min(keys)}")


def data_version(schema: str, ledger: pl.DataFrame) -> str:
    """Return the data version of a shard, which Dagster compares: a digest of the rows of ``ledger``, sorted by key."""
    # Quarantined rows are part of the version, because checks that count them must run again.
    lines = ledger["key"] + "=" + ledger["output"].fill_null("") + ledger["reason"].fill_null("")
    return digest(schema, "\n".join(lines.to_list()))


def _finish(delta: Delta, writer: written.PartWriter, started: float, grace_s: float) -> Report:
    step, shard = delta.step, delta.shard
    parts, ledger = writer.finish()
    reasons = ledger.filter(pl.col("status") == STATUS_QUARANTINED).group_by("reason").len().sort("reason")
    quarantined = {str(reason): int(n) for reason, n in reasons.iter_rows()}
    version = data_version(delta.signature["schema"], ledger)
    facts: dict[str, Any] = {"quarantined": quarantined, "made_with": step.made_with(delta.rules)}
    index = ShardIndex(shard.asset, shard.partition, version, parts, inputs=delta.signature, facts=facts,
                       **written.write_ledger(shard, ledger))
    # This is the commit: parts and ledger are written before, and old files are deleted only after it.
    if index != delta.index:
        shard.replace_index(index)
    written.clear(shard, index, grace_s)
    return Report(
        asset=shard.asset, partition=shard.partition, data_version=version, rows=index.rows,
        computed=len(delta.new) + len(delta.changed), reused=delta.kept, removed=len(delta.gone),
        quarantined=quarantined, parts_written=writer.parts_written, bytes_written=writer.bytes_written,
        seconds=time.perf_counter() - started,
        changed=delta.index is None or delta.index.data_version != version,
    )
