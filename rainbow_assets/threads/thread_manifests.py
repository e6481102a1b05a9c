"""`thread_manifests`: one row per thread, packed and tabled in one go.

A thread's folder is the unit of everything: one edited file makes one row stale, which packs one thread again. What
cannot be packed is a quarantined row, so that every folder is accounted for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.errors import UsageError
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.row_asset import Batch, Built, Markdown, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding, check
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some
from rainbow_assets.threads import checks
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.checks import Packing
from rainbow_assets.threads.commands import packed_folder, source_folder
from rainbow_assets.threads.model import QUARANTINE
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.shrinkwrap import inputs_now, shrinkwrap
from rainbow_assets.threads.tables import FILES, MANIFESTS, iteration_rows, thread_row

RAW = "raw_threads"
"""The input that the threads' files stand for."""


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
    pack(work.shard, frozenset(work.asked["key"]))
    source, out = places(work.shard)
    register = registers.load(out)
    aside = {item.folder: item.reason for item in register.quarantined}
    for thread_id, part in work.asked.select("key", "part").iter_rows():
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


def _of_folders(name: str, ask: Callable[[Packing], Finding], says: str) -> Check:
    """Ask a question of the packed folders; where there never was a raw thread, there is nothing to ask."""
    def evaluate(shard: Shard) -> Finding:
        source, out = places(shard)
        if not source.is_dir():
            return Finding(True, "there is no folder of raw threads", {"folders": 0})
        return ask(checks.load_packing(source, out))

    return Check(name, evaluate, says)


@check("The rows are those of the packed manifests.")
def rows_are_manifests(shard: Shard) -> Finding:
    """The table has a row for every packed thread, with the id, title, key and files of its manifest, and no path."""
    rows = {row["thread_id"]: row for row in shard.rows()}
    source, out = places(shard)
    packing = checks.load_packing(source, out)
    # A packed thread whose source is gone, or can no longer be read, stays packed, and has no row any more.
    aside = {item.folder for item in packing.register.quarantined}
    held = {key: item for key, item in packing.manifests.items() if key not in aside and (source / key).is_dir()}
    lost = sorted(held.keys() ^ rows.keys())
    other = [key for key in sorted(held.keys() & rows.keys())
             if any(rows[key][name] != held[key].get(name) for name in ("title", "key", "directory", "bpm"))
             or {item["file"] for item in rows[key]["files"]} != {item["file"] for item in held[key]["files"]}]
    paths = checks.rows_without_paths(list(rows.values()))
    numbers = {"rows": len(rows), "packed": len(held), "other": len(other), "absolute_paths": paths.numbers["found"]}
    if lost or other or not paths.passed:
        return Finding(False, f"rows and manifests differ: {len(lost)} stand in one of the two ({some(lost)}), "
                              f"{len(other)} say something else ({some(other)}), {paths.numbers['found']} hold an "
                              "absolute path; materialize thread_manifests again", numbers)
    return Finding(True, f"{len(rows)} rows are the manifests of {len(held)} packed threads", numbers)


def shown(built: Built) -> Mapping[str, Any]:
    """Return what packing kept, and the irregularities that it met."""
    from rainbow_assets.threads.report import packing_report

    return {name: Markdown(text) for shard in built.shards() for name, text in packing_report(shard).items()}


THREAD_MANIFESTS = RowAsset(
    name="thread_manifests",
    group="threads",
    kinds={"yaml", "parquet"},
    description="One row per agents' thread of RAINBOW_THREADS, packed into one clean folder with a manifest.",
    reads={RAW: ("files",)},
    compute=compute,
    columns=MANIFESTS,
    fields={"thread": tuple(name for name in MANIFESTS.names if name not in ("thread_id", *FILES)),
            "files": FILES},
    key="thread_id",
    candidates=candidates,
    source=source_token,
    reasons=QUARANTINE,
    unit="thread",
    colored=False,
    checks=[unique_keys, *(_of_folders(name, ask, text) for name, (ask, text) in checks.CHECKS.items()),
            rows_are_manifests],
    shows=[shown],
    exports=[pack],
)






