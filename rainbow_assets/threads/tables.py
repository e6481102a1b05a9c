"""The tables of threads, as pyarrow schemas and plain rows, and what the other assets read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from rainbow_assets.digests import digest
from rainbow_assets.lineage.ledger import outputs
from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads.manifest import index_row, iso, proposal_values, reference_rows
from rainbow_assets.threads.measured import MeasuredThread, proposal
from rainbow_assets.threads.model import Artifact, Thread
from rainbow_assets.threads.rules import freed_by_rule
from rainbow_assets.threads.source import packed_folder

ROW_INPUT = "in:thread_manifests.thread"

_CORRECTION = pa.struct([("field", pa.string()), ("found", pa.string()), ("canonical", pa.string()),
                         ("reason", pa.string())])
_FILE = pa.struct([("file", pa.string()), ("type", pa.string()), ("color", pa.string()), ("size", pa.int64()),
                   ("sha256", pa.string()), ("packed_size", pa.int64()), ("packed_sha256", pa.string()),
                   ("changes", pa.list_(pa.string())), ("iteration", pa.int32()), ("iteration_basis", pa.string())])
_DROPPED = pa.struct([("rule", pa.string()), ("files", pa.int64()), ("bytes", pa.int64())])
_ANOMALY = pa.struct([("file", pa.string()), ("where", pa.string()), ("kind", pa.string()), ("severity", pa.string()),
                      ("message", pa.string()), ("action", pa.string())])
_REFERENCE = pa.struct([("file", pa.string()), ("where", pa.string()), ("target", pa.string()),
                        ("status", pa.string())])

PROPOSAL_FIELDS: tuple[pa.Field, ...] = (
    pa.field("title", pa.string()), pa.field("bpm", pa.int32()), pa.field("key", pa.string()),
    pa.field("key_tonic", pa.string()), pa.field("key_mode", pa.string()), pa.field("key_raw", pa.string()),
    pa.field("key_status", pa.string()), pa.field("time_signature", pa.string()), pa.field("tempo_text", pa.string()),
    pa.field("rainbow_color", pa.string()), pa.field("mnemonic", pa.string()),
    pa.field("rainbow_color_raw", pa.string()), pa.field("rainbow_color_corrections", pa.list_(_CORRECTION)),
    pa.field("mood", pa.list_(pa.string())), pa.field("genres", pa.list_(pa.string())),
    pa.field("concept", pa.string()), pa.field("concept_cut_by_writer", pa.bool_()),
    pa.field("agent_name", pa.string()), pa.field("timestamp", pa.string()),
)
_PROPOSAL = pa.struct([
    pa.field("index", pa.int32(), nullable=False), pa.field("iteration_id", pa.string()),
    pa.field("iteration_number", pa.int32()), pa.field("is_final", pa.bool_()), *PROPOSAL_FIELDS,
])
MANIFESTS = pa.schema([
    pa.field("thread_id", pa.string(), nullable=False), pa.field("directory", pa.string()), *PROPOSAL_FIELDS,
    pa.field("iteration_count", pa.int32()), pa.field("newest_artifact_at", pa.string()),
    pa.field("inputs", pa.string()), pa.field("files", pa.list_(_FILE)),
    pa.field("dropped_by_rule", pa.list_(_DROPPED)), pa.field("references", pa.list_(_REFERENCE)),
    pa.field("anomalies", pa.list_(_ANOMALY)), pa.field("dialogue_openers", pa.list_(pa.string())),
    pa.field("iterations", pa.list_(_PROPOSAL)),
])
"""One row per thread: the manifest, typed, with all its proposals."""
FILES = ("files", "dropped_by_rule", "references", "anomalies", "inputs")
"""Columns of `thread_manifests` about the files of a thread; the others are about what it proposes."""
INDEX = pa.schema([
    pa.field("thread_id", pa.string(), nullable=False), pa.field("directory", pa.string()),
    pa.field("title", pa.string()), pa.field("bpm", pa.int32()), pa.field("key", pa.string()),
    pa.field("time_signature", pa.string()), pa.field("rainbow_color", pa.string()),
    pa.field("iteration_count", pa.int32()), pa.field("timestamp", pa.string()),
    pa.field("timestamp_source", pa.string()), pa.field("concept", pa.string()),
])
"""One row per thread for looking up; sorted by title, then id. ``concept`` is whole."""


def thread_row(thread: Thread, directory: str) -> dict[str, Any]:
    """Return the row of ``MANIFESTS`` for a thread that is packed in ``directory``."""
    freed = freed_by_rule(thread.removed)
    return {
        "thread_id": thread.thread_id, "directory": directory, **proposal_values(thread.final),
        "iteration_count": len(thread.iterations), "newest_artifact_at": iso(thread.newest_ms),
        "inputs": thread.inputs, "files": [_file(item) for item in thread.artifacts],
        "dropped_by_rule": [{"rule": rule, **counts} for rule, counts in freed.items() if counts["files"]],
        "references": reference_rows(thread), "anomalies": [item.as_dict() for item in thread.anomalies],
        "dialogue_openers": list(thread.dialogue),
        "iterations": [{"index": item.index, "iteration_id": item.iteration_id,
                        "iteration_number": item.iteration_number, "is_final": item.is_final, **proposal_values(item)}
                       for item in thread.iterations],
    }


def _file(item: Artifact) -> dict[str, Any]:
    return {"file": item.file, "type": item.type, "color": item.color, "size": item.size, "sha256": item.sha256,
            "packed_size": item.packed_size, "packed_sha256": item.packed_sha256, "changes": list(item.changes),
            "iteration": item.iteration, "iteration_basis": item.basis}


def rows_of(shard: Shard) -> dict[str, dict[str, Any]]:
    """Return {thread id: row} of `thread_manifests`, in order of id, without the columns ``FILES``."""
    rows = shard.table(MANIFESTS, [name for name in MANIFESTS.names if name not in FILES]).to_pylist()
    return {row["thread_id"]: row for row in sorted(rows, key=lambda row: row["thread_id"])}


def measured_threads(shard: Shard) -> list[MeasuredThread]:
    """Return the threads of `thread_manifests` as they are measured, in order of id."""
    found = []
    for thread_id, row in rows_of(shard).items():
        every = [proposal(thread_id, {**item, "tempo": item["tempo_text"]}) for item in [row, *row["iterations"]]]
        index = index_row(row)
        found.append(MeasuredThread(
            thread_id, row["directory"], every[0], tuple(every[1:]), row["iteration_count"],
            tuple(row["dialogue_openers"]), index["timestamp"], index["timestamp_source"]))
    return found


def all_threads(shard: Shard) -> str | None:
    """Return one digest of all threads in `thread_manifests`, or None if there are none."""
    rows = outputs(shard.store.shard("thread_manifests"), "thread_manifests", ("thread",)).sort("key")
    return digest(rows["key"].to_list(), rows[ROW_INPUT].to_list()) if len(rows) else None


def feedback_folder(shard: Shard) -> Path:
    """Return the folder of this store's constraints, history and chart: the one above the packed threads."""
    return packed_folder(shard.store.files.url).parent
