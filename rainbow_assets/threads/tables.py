"""The tables of threads: one row per thread and one per proposal, as pyarrow schemas and plain rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from rainbow_assets.storage.shard import Shard
from rainbow_assets.threads.manifest import iso
from rainbow_assets.threads.model import Artifact, Iteration, Thread
from rainbow_assets.threads.rules import freed_by_rule

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
THREADS = pa.schema([
    pa.field("thread_id", pa.string(), nullable=False), pa.field("directory", pa.string()), *PROPOSAL_FIELDS,
    pa.field("iteration_count", pa.int32()), pa.field("newest_artifact_at", pa.string()),
    pa.field("inputs", pa.string()), pa.field("files", pa.list_(_FILE)),
    pa.field("dropped_by_rule", pa.list_(_DROPPED)), pa.field("references", pa.list_(_REFERENCE)),
    pa.field("anomalies", pa.list_(_ANOMALY)), pa.field("dialogue_openers", pa.list_(pa.string())),
])
"""One row per thread, keyed by ``thread_id``: the manifest, typed."""
ITERATIONS = pa.schema([
    pa.field("thread_id", pa.string(), nullable=False), pa.field("index", pa.int32(), nullable=False),
    pa.field("iteration_id", pa.string()), pa.field("iteration_number", pa.int32()), pa.field("is_final", pa.bool_()),
    *PROPOSAL_FIELDS,
])
"""One row per proposal, keyed by ``thread_id`` and ``index``."""
INDEX = pa.schema([
    pa.field("thread_id", pa.string(), nullable=False), pa.field("directory", pa.string()),
    pa.field("title", pa.string()), pa.field("bpm", pa.int32()), pa.field("key", pa.string()),
    pa.field("time_signature", pa.string()), pa.field("rainbow_color", pa.string()),
    pa.field("iteration_count", pa.int32()), pa.field("timestamp", pa.string()),
    pa.field("timestamp_source", pa.string()), pa.field("concept", pa.string()),
])
"""One row per thread for looking up; sorted by title, then id. ``concept`` is whole."""


def proposal_values(item: Iteration) -> dict[str, Any]:
    """Return the columns of ``PROPOSAL_FIELDS`` for one proposal."""
    return {
        "title": item.title, "bpm": item.bpm, "key": item.key.label, "key_tonic": item.key.tonic,
        "key_mode": item.key.mode, "key_raw": item.key.raw, "key_status": item.key.status,
        "time_signature": item.meter.label, "tempo_text": item.meter.text, "rainbow_color": item.color,
        "mnemonic": item.mnemonic, "rainbow_color_raw": item.raw_color,
        "rainbow_color_corrections": [entry.as_dict() for entry in item.corrections],
        "mood": list(item.mood), "genres": list(item.genres), "concept": item.concept,
        "concept_cut_by_writer": item.concept_cut, "agent_name": item.agent_name,
        "timestamp": iso(round(item.timestamp * 1000)) if item.timestamp is not None else None,
    }


def thread_row(thread: Thread, directory: str) -> dict[str, Any]:
    """Return the row of ``THREADS`` for a thread that is packed in ``directory``."""
    freed = freed_by_rule(thread.removed)
    return {
        "thread_id": thread.thread_id, "directory": directory, **proposal_values(thread.final),
        "iteration_count": len(thread.iterations), "newest_artifact_at": iso(thread.newest_ms),
        "inputs": thread.inputs, "files": [_file(item) for item in thread.artifacts],
        "dropped_by_rule": [{"rule": rule, **counts} for rule, counts in freed.items() if counts["files"]],
        "references": [{"file": item.file, "where": item.where, "target": item.target, "status": item.status}
                       for item in thread.references],
        "anomalies": [{name: value for name, value in item.as_dict().items() if name != "thread_id"}
                      for item in thread.anomalies],
        "dialogue_openers": list(thread.dialogue),
    }


def iteration_rows(thread: Thread) -> list[dict[str, Any]]:
    """Return the rows of ``ITERATIONS`` for a thread, in order."""
    return [{"thread_id": thread.thread_id, "index": item.index, "iteration_id": item.iteration_id,
             "iteration_number": item.iteration_number, "is_final": item.is_final, **proposal_values(item)}
            for item in thread.iterations]


def _file(item: Artifact) -> dict[str, Any]:
    return {"file": item.file, "type": item.type, "color": item.color, "size": item.size, "sha256": item.sha256,
            "packed_size": item.packed_size, "packed_sha256": item.packed_sha256, "changes": list(item.changes),
            "iteration": item.iteration, "iteration_basis": item.basis}


_PROPOSAL = pa.struct([item for item in ITERATIONS if item.name != "thread_id"])


MANIFESTS = THREADS.append(pa.field("iterations", pa.list_(_PROPOSAL)))
"""One row per thread: the manifest, typed, with all its proposals."""


FILES = ("files", "dropped_by_rule", "references", "anomalies", "inputs")


def rows_of(shard: Shard) -> dict[str, dict[str, Any]]:
    """Return {thread id: row} of `thread_manifests`, in order of id, without what is remarked on its files."""
    rows = shard.table(MANIFESTS, [name for name in MANIFESTS.names if name not in FILES]).to_pylist()
    return {row["thread_id"]: row for row in sorted(rows, key=lambda row: row["thread_id"])}
