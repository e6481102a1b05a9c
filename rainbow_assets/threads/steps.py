"""`thread_manifests` and `thread_index` as ledger steps: one row per thread, packed and tabled in one go.

A thread's folder is the unit of everything: one edited file makes one row stale, which packs one thread again. What
cannot be packed is a quarantined row, so that every folder is accounted for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.step import Batch, Step, Work
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.commands import packed_folder, source_folder
from rainbow_assets.threads.model import QUARANTINE
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.shrinkwrap import inputs_now, shrinkwrap
from rainbow_assets.threads.tables import INDEX, ITERATIONS, THREADS, iteration_rows, thread_row

RAW = "raw_threads"
"""The input that the threads' files stand for."""
_PROPOSAL = pa.struct([item for item in ITERATIONS if item.name != "thread_id"])
MANIFESTS = THREADS.append(pa.field("iterations", pa.list_(_PROPOSAL)))
"""One row per thread: the manifest, typed, with all its proposals."""
_FILES = ("files", "dropped_by_rule", "references", "anomalies", "inputs")


def places(shard: Shard) -> tuple[Path, Path]:
    """Return the folder of raw threads, and where the packed ones go; raise ``UsageError`` for a remote store."""
    return source_folder(), packed_folder(shard.store.files.url)


def _present(shard: Shard) -> dict[str, str]:
    """Return {folder: digest of what packing keeps of it}; empty where there is no folder of raw threads."""
    if not source_folder().is_dir():
        return {}
    return inputs_now(*places(shard))


def source_token(shard: Shard) -> str:
    """Return a digest of all raw threads: equal while none of their kept files moved."""
    return digest(sorted(_present(shard).items()))


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List every folder with the digest of its kept files; one that is no thread is listed too, and set aside later."""
    # A folder that is no thread may have any name; a part may not.
    rows = [(name, name, inputs) if inputs else (name, f"no-thread-{digest(name)[:12]}", digest("no thread"))
            for name, inputs in sorted(_present(shard).items())]
    return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", f"in:{RAW}.files"], pl.String), orient="row")


def pack(shard: Shard, again: frozenset[str] = frozenset()) -> None:
    """Pack what moved, what is damaged among the packed folders, and the threads ``again``; nothing where none is."""
    if source_folder().is_dir():
        shrinkwrap(*places(shard), again=again)


def compute(work: Work) -> Iterator[Batch]:
    """Pack the asked threads and read each one's row; the raw files are only read."""
    pack(work.shard, frozenset(work.rows["key"]))
    source, out = places(work.shard)
    register = registers.load(out)
    aside = {item.folder: item.reason for item in register.quarantined}
    for thread_id, part in work.rows.select("key", "part").iter_rows():
        if thread_id in aside:
            yield Batch(part, MANIFESTS.empty_table(), {thread_id: aside[thread_id]})
            continue
        thread = read_thread(source / thread_id).thread
        if thread is None or thread.inputs != register.entries[thread_id].inputs:
            raise UsageError(f"the thread {thread_id} changed while it was being packed; materialize it again")
        proposals = [{name: value for name, value in row.items() if name != "thread_id"}
                     for row in iteration_rows(thread)]
        row = {**thread_row(thread, register.entries[thread_id].directory), "iterations": proposals}
        yield Batch(thread_id, pa.Table.from_pylist([row], schema=MANIFESTS))


THREAD_MANIFESTS = Step(
    name="thread_manifests",
    inputs={RAW: ("files",)},
    compute=compute,
    schema=MANIFESTS,
    fields={"thread": tuple(name for name in MANIFESTS.names if name not in ("thread_id", *_FILES)),
            "files": _FILES},
    key="thread_id",
    candidates=candidates,
    source=source_token,
    reasons=QUARANTINE,
    unit="thread",
    colored=False,
)


def index_compute(work: Work) -> Iterator[Batch]:
    """Take what one looks a thread up by from its manifest's row."""
    held = rows_of(work.upstream(THREAD_MANIFESTS.name))
    for thread_id, _ in work.parts():
        row = held[thread_id]
        own, newest = row["timestamp"], row["newest_artifact_at"]
        made = {name: row[name] for name in INDEX.names if name in row}
        made |= {"timestamp": own or newest,
                 "timestamp_source": "manifest" if own else "newest_artifact" if newest else None}
        yield Batch(thread_id, pa.Table.from_pylist([made], schema=INDEX))


def rows_of(shard: Shard) -> dict[str, dict[str, Any]]:
    """Return {thread id: row} of `thread_manifests`, in order of id, without what is remarked on its files."""
    rows = shard.table(MANIFESTS, [name for name in MANIFESTS.names if name not in _FILES]).to_pylist()
    return {row["thread_id"]: row for row in sorted(rows, key=lambda row: row["thread_id"])}


THREAD_INDEX = Step(
    name="thread_index",
    inputs={THREAD_MANIFESTS.name: ("thread",)},
    compute=index_compute,
    schema=INDEX,
    fields={"row": tuple(name for name in INDEX.names if name != "thread_id")},
    key="thread_id",
    unit="thread",
    colored=False,
    cheap=True,
    carries=(THREAD_MANIFESTS.name,),
)
