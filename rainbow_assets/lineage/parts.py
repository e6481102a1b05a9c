"""Writing the files of a shard: merged parts, the journal of a build, the ledger, and the removal of old files.

Files of a shard folder: ``<group>-<digest12>.parquet`` (parts), ``ledger-<digest12>.parquet``, beside a large ledger
``sections-<sha256>.json``, ``pending/`` (the journal of a build in progress: one small file per part that it has
written) and ``shard.json``. All but the last are named by their content, so that a reader's view changes only at the
moment when ``shard.json`` is replaced.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection
from dataclasses import asdict
from typing import TypedDict

import polars as pl
import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.row_asset import VERSIONS, Batch, RowAsset
from rainbow_assets.storage import sections
from rainbow_assets.storage.files import sha256_bytes
from rainbow_assets.storage.parquet import parquet_bytes, read_parquet, rows_of, write_parquet
from rainbow_assets.storage.shard import DamagedShard, Part, Shard, ShardIndex

PENDING = "pending"
LAYOUT = 1
"""Raise it when the same rows are written as other bytes (order of columns, row groups): then part names change, and
every shard is written again without computing a row. A test fails if the writer's code changes."""
GRACE_S = 3600.0
"""Seconds for which a file that is no longer listed stays, for readers that opened the shard before."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,120}")


def pending(shard: Shard) -> list[tuple[Part, pl.DataFrame]]:
    """Return the parts that an interrupted build wrote, with their ledger rows; a damaged journal entry is ignored."""
    found = []
    for name in shard.files.names(PENDING):
        data = shard.files.read(f"{PENDING}/{name}")
        try:
            table = read_parquet(data or b"")
            part = Part(**json.loads((table.schema.metadata or {})[b"part"]))
            shard.verify(part.name, part.sha256)
        except (pa.ArrowInvalid, KeyError, ValueError, TypeError, DamagedShard):
            continue
        found.append((part, pl.DataFrame(pl.from_arrow(table))))
    return found


def overlay(ledger: pl.DataFrame, written: list[tuple[Part, pl.DataFrame]]) -> pl.DataFrame:
    """Return ``ledger`` with the rows of each written part in place of that part's old rows."""
    if not written:
        return ledger
    groups = [part.group for part, _ in written]
    return pl.concat([ledger.filter(~pl.col("part").is_in(groups)), *(rows for _, rows in written)], how="diagonal")


class PartWriter:
    """Writes batches as parts, each merged with the rows of its part that were kept, and collects the new ledger."""

    def __init__(
        self, step: RowAsset, shard: Shard, wanted: pl.DataFrame, old: pl.DataFrame, parts: dict[str, Part],
        lost: Collection[str], rewrite: bool = False,
    ) -> None:
        self.step, self.shard, self.wanted, self.parts, self.rewrite = step, shard, wanted, parts, rewrite
        keys = pl.DataFrame({"key": pl.Series(list(lost), dtype=pl.String)})
        self.kept = old.join(keys, on="key", how="anti")
        self.lost = old.join(keys, on="key", how="semi")
        by_part = self.kept.partition_by("part", as_dict=True)
        self.kept_by_part = {str(group): rows for (group,), rows in by_part.items()}
        self.schema_digest = digest([f"{item.name}:{item.type}" for item in step.schema], LAYOUT)
        self.new: dict[str, tuple[Part, pl.DataFrame]] = {}
        self.parts_written = self.bytes_written = 0

    def add(self, batch: Batch) -> None:
        """Write the part of ``batch``, then journal it, so that the journal never lists a part that is not there."""
        if not _SAFE.fullmatch(batch.part):
            raise RainbowError(f"{self.shard.where}: {batch.part!r} cannot name a part; use letters, digits, . _ -")
        rows = pl.concat([self._ledger_rows(batch), self._kept_rows(batch.part)], how="diagonal").sort("key")
        kept = self._kept_rows(batch.part).filter(pl.col("status") == "ok")["key"]
        part = self._write(batch.part, rows, batch.table, kept.to_list(), dict(batch.facts))
        self._journal(part, rows)

    def _kept_rows(self, group: str) -> pl.DataFrame:
        return self.kept_by_part.get(group, self.kept.clear())

    def _ledger_rows(self, batch: Batch) -> pl.DataFrame:
        """Return the ledger rows of the batch: the digests of the candidates and of the computed rows."""
        step = self.step
        table = batch.table.select([n for n in step.schema.names if n not in step.media])
        made = {row[step.key]: row for row in table.to_pylist()}
        records = []
        for key in sorted([*made, *batch.quarantined]):
            row = made.get(key)
            outputs = {f"out:{name}": digest([row[c] for c in columns]) if row is not None else None
                       for name, columns in step.fields.items()}
            records.append({
                "key": key, **outputs, "output": digest(*outputs.values()) if row is not None else None,
                "status": "ok" if row is not None else "quarantined", "reason": batch.quarantined.get(key),
                "sentence": batch.sentences.get(key),
            })
        names = ["key", *step.output_columns, "output", "status", "reason", "sentence"]
        outcome = pl.DataFrame(records, schema=dict.fromkeys(names, pl.String))
        inputs = self.wanted.select("key", "part", *step.input_columns, *VERSIONS)
        return inputs.join(outcome, on="key", how="inner")

    def _write(
        self, group: str, rows: pl.DataFrame, fresh: pa.Table, kept: list[str], facts: dict[str, object]
    ) -> Part:
        ok = rows.filter(pl.col("status") == "ok")
        name = f"{group}-{digest(self.schema_digest, ok['key'].to_list(), ok['output'].to_list())[:12]}.parquet"
        before = self.parts.get(group)
        if before is not None and before.name == name:
            return Part(group, name, before.sha256, before.rows, before.bytes, facts)
        table = fresh.select(self.step.schema.names).cast(self.step.schema)
        if kept and before is not None:
            old = self.shard.read_part(before).cast(self.step.schema)
            table = pa.concat_tables([table, rows_of(old, self.step.key, kept)])
        table = table.sort_by(self.step.key)
        with self.shard.files.staged() as staged:
            written = write_parquet(staged, [table], self.step.schema, self.step.media)
            self.shard.files.adopt(staged, name)
        self.parts_written += 1
        self.bytes_written += written.bytes
        return Part(group, name, written.sha256, written.rows, written.bytes, facts)

    def _journal(self, part: Part, rows: pl.DataFrame) -> None:
        table = rows.to_arrow().replace_schema_metadata({"part": json.dumps(asdict(part), sort_keys=True)})
        self.shard.files.write(f"{PENDING}/{part.group}.parquet", parquet_bytes(table))
        self.new[part.group] = (part, rows)

    def finish(self) -> tuple[tuple[Part, ...], pl.DataFrame]:
        """Return all live parts and the new ledger; write the old parts that lost rows, or all with ``rewrite``."""
        alive = set(self.kept["part"].unique())
        parts, ledgers = [], [rows for _, rows in self.new.values()]
        untouched = self.kept.filter(~pl.col("part").is_in(list(self.new)))
        ledgers.append(untouched)
        shrunk = set(self.lost["part"].unique())
        for group, part in sorted(self.parts.items()):
            if group in self.new or group not in alive:
                continue
            if group in shrunk or self.rewrite:
                rows = self._kept_rows(group).sort("key")
                keep = rows.filter(pl.col("status") == "ok")["key"].to_list()
                part = self._write(group, rows, self.step.schema.empty_table(), keep, part.facts)
            parts.append(part)
        parts += [part for part, _ in self.new.values()]
        whole = pl.concat(ledgers, how="diagonal").sort("key")
        # Kept rows may come from a ledger that older code wrote, with other columns.
        columns = [pl.col(name) if name in whole.columns else pl.lit(None, pl.String).alias(name)
                   for name in self.step.ledger_columns]
        return tuple(sorted(parts, key=lambda part: part.group)), whole.select(columns)


class LedgerFiles(TypedDict):
    """The fields of ``ShardIndex`` that name the files of a ledger."""

    ledger: str
    ledger_sha256: str
    sections: str


def write_ledger(shard: Shard, ledger: pl.DataFrame) -> LedgerFiles:
    """Write the ledger, sorted by key, to a file named by its content, and if it is large, the list of its sections."""
    pieces = sections.cut(ledger)
    schema = pa.schema([(name, pa.string()) for name in ledger.columns])
    tables = [piece.to_arrow().cast(schema) for piece in pieces]
    listed = ""
    with shard.files.staged() as staged:
        written = write_parquet(staged, tables, schema, as_groups=len(pieces) > 1)
        if len(pieces) > 1:
            data = sections.described(staged, pieces).to_json()
            listed = f"{sections.PREFIX}{sha256_bytes(data)}.json"
            shard.files.write(listed, data)
        name = f"ledger-{written.sha256[:12]}.parquet"
        shard.files.adopt(staged, name)
    return {"ledger": name, "ledger_sha256": written.sha256, "sections": listed}


def clear(shard: Shard, index: ShardIndex, grace_s: float = GRACE_S) -> list[str]:
    """Delete the journal, and the files that are older than ``grace_s`` and not in the index; return their names."""
    shard.files.remove(PENDING)
    live = {index.ledger, index.sections, *(part.name for part in index.parts)}
    collected = []
    for name in shard.files.names():
        if name in live or not (name.endswith(".parquet") or name.startswith(sections.PREFIX)):
            continue
        if time.time() - shard.files.stat(name)[1] >= grace_s:
            shard.files.remove(name)
            collected.append(name)
    return collected
