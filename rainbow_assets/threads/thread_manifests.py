"""`thread_manifests`: one row per thread, read from its raw files; the packed folders are written after the commit.

A thread's folder is the unit of everything: one edited file makes one row stale, and one folder is packed again. What
cannot be packed is a quarantined row, so that every folder is accounted for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.lineage.checks import unique_keys
from rainbow_assets.lineage.ledger import STATUS_OK, ledger_frame
from rainbow_assets.lineage.row_asset import Batch, Built, RowAsset, Work
from rainbow_assets.lineage.verdicts import Check, Finding, check
from rainbow_assets.markdown import Markdown, table
from rainbow_assets.storage.shard import Shard
from rainbow_assets.text import some
from rainbow_assets.threads import checks
from rainbow_assets.threads.checks import Packing
from rainbow_assets.threads.manifest import folder_names, manifest_text, packed_folders
from rainbow_assets.threads.model import QUARANTINE
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.shrinkwrap import ExpectedFolder, shrinkwrap
from rainbow_assets.threads.source import all_inputs, packed_folder, source_folder
from rainbow_assets.threads.tables import FILES, MANIFESTS, thread_row

RAW = "raw_threads"
"""The input that holds the files of the threads."""
INPUT = f"in:{RAW}.files"


def places(shard: Shard) -> tuple[Path, Path]:
    """Return the folder of raw threads, and where the packed ones go; raise ``UsageError`` for a remote store."""
    return source_folder(), packed_folder(shard.store.files.url)


def _present(shard: Shard) -> dict[str, str]:
    """Return {folder: digest of what packing keeps of it}; empty if there is no folder of raw threads."""
    return all_inputs(source_folder(), shard.store.cache_path("thread_digests.json"))


def source_token(shard: Shard) -> str:
    """Return a digest of all raw threads: equal while none of their kept files moved."""
    return digest(sorted(_present(shard).items()))


def candidates(shard: Shard, rules: settings.Rules) -> pl.DataFrame:
    """List every folder with the digest of its kept files, and folders that are no threads: they are quarantined."""
    # A folder that is no thread may have any name; a part may not.
    rows = [(name, name, inputs) if inputs else (name, f"no-thread-{digest(name)[:12]}", digest("no thread"))
            for name, inputs in sorted(_present(shard).items())]
    return pl.DataFrame(rows, schema=dict.fromkeys(["key", "part", INPUT], pl.String), orient="row")


def compute(work: Work) -> Iterator[Batch]:
    """Read the asked threads; the fact ``manifest`` is the digest of the manifest that :func:`pack` has to write."""
    source, out = places(work.shard)
    names = folder_names(source, packed_folders(out))
    for thread_id, part, inputs in work.asked.select("key", "part", INPUT).iter_rows():
        reading = read_thread(source / thread_id)
        thread = reading.thread
        if thread is None:
            assert reading.quarantined is not None
            yield Batch(part, MANIFESTS.empty_table(), {thread_id: reading.quarantined.reason},
                        sentences={thread_id: reading.quarantined.message})
            continue
        if thread.inputs != inputs:
            raise SourceMoved(f"the thread {thread_id}")
        directory = names.of(thread_id, thread.final.title)
        facts = {"manifest": hashlib.sha256(manifest_text(thread, directory).encode()).hexdigest()}
        yield Batch(thread_id, pa.Table.from_pylist([thread_row(thread, directory)], schema=MANIFESTS), {}, facts)


def pack(shard: Shard) -> None:
    """Write the packed folder of each row that is missing, damaged or not that of the row."""
    source, out = places(shard)
    if source.is_dir():
        facts = {part.group: part.facts.get("manifest") for part in shard.require_index().parts}
        rows = {row["thread_id"]: ExpectedFolder(row["directory"], row["inputs"], facts.get(row["thread_id"]))
                for row in shard.table(MANIFESTS, ["thread_id", "directory", "inputs"]).to_pylist()}
        shrinkwrap(source, out, rows=rows)


def _packing(shard: Shard) -> Packing:
    """Return the packed folders, read once for all checks of a build."""
    return shard.store.once(("packing", *places(shard)), partial(_read_packing, shard))


def _read_packing(shard: Shard) -> Packing:
    ledger = ledger_frame(shard, ["key", "status", "reason"])
    assert ledger is not None
    quarantined = dict(ledger.filter(pl.col("status") != STATUS_OK).select("key", "reason").iter_rows())
    return checks.load_packing(*places(shard), quarantined)


def _of_folders(evaluate: Callable[[Packing], Finding], shard: Shard) -> Finding:
    """Check the packed folders; without raw threads there is nothing to check."""
    if not source_folder().is_dir():
        return Finding(True, "there is no folder of raw threads", {"folders": 0})
    return evaluate(_packing(shard))


@check("The rows are those of the packed manifests.")
def rows_are_manifests(shard: Shard) -> Finding:
    """The table has a row for every packed thread, with the id, title, key and files of its manifest, and no path."""
    rows = {row["thread_id"]: row for row in shard.rows()}
    packing = _packing(shard)
    # A packed thread whose source is gone, or can no longer be read, stays packed, and has no row any more.
    live = {key: item for key, item in packing.manifests.items()
            if key not in packing.quarantined and (packing.source / key).is_dir()}
    lost = sorted(live.keys() ^ rows.keys())
    other = [key for key in sorted(live.keys() & rows.keys())
             if any(rows[key][name] != live[key].get(name) for name in ("title", "key", "directory", "bpm"))
             or {item["file"] for item in rows[key]["files"]} != {item["file"] for item in live[key]["files"]}]
    paths = checks.rows_without_paths(list(rows.values()))
    numbers = {"rows": len(rows), "packed": len(live), "other": len(other), "absolute_paths": paths.numbers["found"]}
    if lost or other or not paths.passed:
        return Finding(False, f"rows and manifests differ: {len(lost)} are in only one of the two ({some(lost)}), "
                              f"{len(other)} have other values ({some(other)}), {paths.numbers['found']} contain an "
                              "absolute path; materialize thread_manifests again", numbers)
    return Finding(True, f"{len(rows)} rows are the manifests of {len(live)} packed threads", numbers)


def packing_report(shard: Shard) -> dict[str, Markdown]:
    """Return what packing kept and left out by rule, and the irregularities that it met, as tables."""
    rows = shard.rows("thread_id", "files", "dropped_by_rule", "anomalies")
    files, size = Counter[str](), Counter[str]()
    for row in rows:
        kept = sum(item["packed_size"] for item in row["files"])
        for item in ({"rule": "(kept)", "files": len(row["files"]), "bytes": kept}, *row["dropped_by_rule"]):
            files[item["rule"]] += item["files"]
            size[item["rule"]] += item["bytes"]
    kinds = Counter((item["kind"], item["severity"]) for row in rows for item in row["anomalies"])
    return {
        "files": table(("rule", "files", "bytes"), [(rule, count, size[rule])
                                                             for rule, count in sorted(files.items())]),
        "anomalies": table(("kind", "severity", "times"), [(*kind, count)
                                                                    for kind, count in kinds.most_common()]),
    }


def shown(built: Built) -> Mapping[str, Any]:
    """Return what packing kept, and the irregularities that it met."""
    return {name: found for shard in built.shards() for name, found in packing_report(shard).items()}


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
    checks=[unique_keys, *(Check(ask.__name__, partial(_of_folders, ask), str(ask.__doc__)) for ask in checks.CHECKS),
            rows_are_manifests],
    shows=[shown],
    exports=[pack],
)
