"""What ``manifest.yml`` and ``dropped.yml`` of a packed thread say, as plain values in a fixed order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rainbow_assets.ingest.yaml_write import Rows
from rainbow_assets.threads.model import Artifact, Iteration, Removed, Thread

FIELDS = ("title", "bpm", "key", "tempo", "concept", "rainbow_color", "mnemonic", "mood", "genres", "agent_name",
          "iteration_count", "thread_id", "timestamp")
"""The thirteen fields that the original manifest has."""


def iso(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as ``2026-02-03T13:55:36.720Z``."""
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def manifest(thread: Thread, directory: str) -> dict[str, Any]:
    """Return the manifest: the thirteen fields, their normalized companions, then the thread's tables."""
    final = thread.final
    timestamp = iso(round(final.timestamp * 1000)) if final.timestamp is not None else None
    return {
        "title": final.title,
        "bpm": final.bpm,
        "key": final.key.label,
        "tempo": final.meter.mapping,
        "concept": final.concept,
        "rainbow_color": final.color,
        "mnemonic": final.mnemonic,
        "mood": list(final.mood),
        "genres": list(final.genres),
        "agent_name": final.agent_name,
        "iteration_count": len(thread.iterations),
        "thread_id": thread.thread_id,
        "timestamp": timestamp,
        "time_signature": final.meter.label,
        "key_tonic": final.key.tonic,
        "key_mode": final.key.mode,
        "key_raw": final.key.raw,
        "key_status": final.key.status,
        "key_corrections": list(final.key.corrections),
        "rainbow_color_raw": final.raw_color,
        "rainbow_color_corrections": Rows(item.as_dict() for item in final.corrections),
        "concept_cut_by_writer": final.concept_cut,
        "directory": directory,
        "newest_artifact_at": iso(thread.newest_ms),
        "inputs": thread.inputs,
        "files": Rows(artifact(item) for item in thread.artifacts),
        "iterations": Rows(iteration(item) for item in thread.iterations),
        "references": Rows({"file": item.file, "where": item.where, "target": item.target, "status": item.status}
                           for item in thread.references),
        "anomalies": Rows({"file": item.file, "where": item.where, "kind": item.kind, "severity": item.severity,
                           "message": item.message, "action": item.action} for item in thread.anomalies),
    }


def artifact(item: Artifact) -> dict[str, Any]:
    """Return one line of the manifest's ``files``; the packed digest stands there only where it differs."""
    line: dict[str, Any] = {"file": item.file, "type": item.type, "color": item.color, "size": item.size,
                            "sha256": item.sha256, "iteration": item.iteration, "iteration_basis": item.basis}
    if item.changes:
        line |= {"packed_size": item.packed_size, "packed_sha256": item.packed_sha256, "changes": list(item.changes)}
    return line


def iteration(item: Iteration) -> dict[str, Any]:
    """Return one line of the manifest's ``iterations``."""
    return {
        "index": item.index, "iteration_id": item.iteration_id, "iteration_number": item.iteration_number,
        "is_final": item.is_final, "title": item.title, "bpm": item.bpm, "key": item.key.label,
        "key_tonic": item.key.tonic, "key_mode": item.key.mode, "key_raw": item.key.raw,
        "time_signature": item.meter.label, "tempo_text": item.meter.text, "rainbow_color": item.color,
        "mnemonic": item.mnemonic, "rainbow_color_raw": item.raw_color,
        "rainbow_color_corrections": [entry.as_dict() for entry in item.corrections],
        "mood": list(item.mood), "genres": list(item.genres), "agent_name": item.agent_name,
        "timestamp": iso(round(item.timestamp * 1000)) if item.timestamp is not None else None, "concept": item.concept,
    }


def dropped(files: tuple[Removed, ...]) -> dict[str, Any]:
    """Return what ``dropped.yml`` says: every file left out with its rule, reason and bytes."""
    return {"files": len(files), "bytes": sum(item.size for item in files),
            "dropped": Rows({"file": item.file, "rule": item.rule, "reason": item.reason, "size": item.size}
                            for item in sorted(files, key=lambda item: item.file))}
