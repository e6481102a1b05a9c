"""What ``manifest.yml``, ``dropped.yml`` and ``index.yml`` of packed threads contain, written and read back.

The packed folders are their own record: what is packed, from which inputs and with which files, is read from them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import parse_text
from rainbow_assets.ingest.yaml_write import Rows, dump
from rainbow_assets.storage.files import Files
from rainbow_assets.threads.model import Artifact, Iteration, Removed, Thread
from rainbow_assets.threads.names import UUID, directory_for, shared_prefixes
from rainbow_assets.threads.source import inputs_digest, list_files, thread_folders

MANIFEST, DROPPED, INDEX = "manifest.yml", "dropped.yml", "index.yml"
RESERVED = (MANIFEST, DROPPED)
"""Files that packing writes at the top of a thread's folder."""
FIELDS = ("title", "bpm", "key", "tempo", "concept", "rainbow_color", "mnemonic", "mood", "genres", "agent_name",
          "iteration_count", "thread_id", "timestamp")
"""The thirteen fields that the original manifest has."""
_ORDER = (*FIELDS, "time_signature", "key_tonic", "key_mode", "key_raw", "key_status", "key_corrections",
          "rainbow_color_raw", "rainbow_color_corrections", "concept_cut_by_writer", "directory", "newest_artifact_at",
          "inputs", "files", "iterations", "references", "anomalies")
_ITERATION = ("title", "bpm", "key", "key_tonic", "key_mode", "key_raw", "time_signature", "tempo_text",
              "rainbow_color", "mnemonic", "rainbow_color_raw", "rainbow_color_corrections", "mood", "genres",
              "agent_name", "timestamp", "concept")
_SINGLE = frozenset({"thread_id", "directory", "inputs", "title", "bpm", "key", "time_signature", "rainbow_color",
                     "iteration_count", "timestamp", "newest_artifact_at", "concept"})
"""Fields that are read back: they have one line each."""
_FILE, _REMOVED = frozenset({"file", "size", "sha256"}), frozenset({"file", "rule", "reason", "size"})
"""Columns of the tables that are read back."""
_THREAD_ID = re.compile(rf"^thread_id: [\"']?({UUID.pattern})[\"']?\r?$", re.MULTILINE)


def iso(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as ``2026-02-03T13:55:36.720Z``."""
    if ms is None:
        return None
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def proposal_values(item: Iteration) -> dict[str, Any]:
    """Return one proposal as plain values: the columns of ``tables.PROPOSAL_FIELDS``."""
    return {
        "title": item.title, "bpm": item.bpm, "key": item.key.label, "key_tonic": item.key.tonic,
        "key_mode": item.key.mode, "key_raw": item.key.raw, "key_status": item.key.status,
        "time_signature": item.meter.label, "tempo_text": item.meter.text, "rainbow_color": item.color,
        "mnemonic": item.mnemonic, "rainbow_color_raw": item.raw_color,
        "rainbow_color_corrections": list(map(asdict, item.corrections)),
        "mood": list(item.mood), "genres": list(item.genres), "concept": item.concept,
        "concept_cut_by_writer": item.concept_cut, "agent_name": item.agent_name,
        "timestamp": iso(round(item.timestamp * 1000)) if item.timestamp is not None else None,
    }


def reference_rows(thread: Thread) -> list[dict[str, Any]]:
    """Return the paths that the files of ``thread`` name, as plain values."""
    return [{"file": item.file, "where": item.where, "target": item.target, "status": item.status}
            for item in thread.references]


def manifest_text(thread: Thread, directory: str) -> str:
    """Return ``manifest.yml``: the thirteen fields, their normalized companions, then the thread's tables."""
    final, values = thread.final, proposal_values(thread.final)
    values |= {
        "tempo": final.meter.mapping, "iteration_count": len(thread.iterations), "thread_id": thread.thread_id,
        "key_corrections": list(final.key.corrections), "directory": directory,
        "rainbow_color_corrections": Rows(values["rainbow_color_corrections"]),
        "newest_artifact_at": iso(thread.newest_ms), "inputs": thread.inputs,
        "files": Rows(map(_artifact, thread.artifacts)), "iterations": Rows(map(_iteration, thread.iterations)),
        "references": Rows(reference_rows(thread)), "anomalies": Rows([item.as_dict() for item in thread.anomalies]),
    }
    return dump({name: values[name] for name in _ORDER})


def _artifact(item: Artifact) -> dict[str, Any]:
    """Return one line of the manifest's ``files``, with the packed digest only if it differs."""
    line: dict[str, Any] = {"file": item.file, "type": item.type, "color": item.color, "size": item.size,
                            "sha256": item.sha256, "iteration": item.iteration, "iteration_basis": item.basis}
    if item.changes:
        line |= {"packed_size": item.packed_size, "packed_sha256": item.packed_sha256, "changes": list(item.changes)}
    return line


def _iteration(item: Iteration) -> dict[str, Any]:
    values = proposal_values(item)
    return {"index": item.index, "iteration_id": item.iteration_id, "iteration_number": item.iteration_number,
            "is_final": item.is_final, **{name: values[name] for name in _ITERATION}}


def dropped_text(files: Iterable[Removed]) -> str:
    """Return ``dropped.yml``: every file left out with its rule, reason and bytes."""
    rows = [{"file": item.file, "rule": item.rule, "reason": item.reason, "size": item.size}
            for item in sorted(files, key=lambda item: item.file)]
    return dump({"files": len(rows), "bytes": sum(row["size"] for row in rows), "dropped": Rows(rows)})


@dataclass(frozen=True)
class PackedFolder:
    """A packed folder as it is on the disk. ``values`` are the manifest's fields that have one line each, ``files``
    its table of files; both are empty if the manifest cannot be read. ``sha256`` is the manifest's own digest."""

    thread_id: str
    folder: Path
    sha256: str
    values: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]

    @property
    def sources(self) -> dict[str, str] | None:
        """{file: sha256} that the folder was packed from; None if they are not those of the digest in the manifest."""
        found = {row["file"]: str(row["sha256"]) for row in self.files}
        named = (self.values.get("inputs"), self.values.get("directory"))
        return found if named == (inputs_digest(found), self.folder.name) else None

    @cached_property
    def contents(self) -> dict[str, tuple[int, str]]:
        """{file: (bytes, sha256)} that the folder should have, without what packing writes itself."""
        return {row["file"]: (row.get("packed_size", row["size"]), row.get("packed_sha256", row["sha256"]))
                for row in self.files}

    @cached_property
    def dropped(self) -> tuple[Removed, ...]:
        """What ``dropped.yml`` lists; nothing if it cannot be read."""
        try:
            rows = _table(read_file(self.folder / DROPPED, root=self.folder).decode("utf-8"), "dropped", _REMOVED)
            return tuple(Removed(row["file"], row["rule"], row["reason"], row["size"]) for row in rows)
        except (OSError, ValueError, RefusedFile):
            return ()


def holds(folder: Path, contents: Mapping[str, tuple[int, str]], verify: bool = False) -> bool:
    """Return True if the packed ``folder`` has exactly the files ``contents`` and what packing writes.

    Names and sizes are compared; with ``verify`` digests as well.
    """
    try:
        found, links = list_files(folder)
    except (OSError, RefusedFile):
        return False
    own = [found.pop(name, None) for name in RESERVED]
    if links or None in own or found != {file: size for file, (size, _) in contents.items()}:
        return False
    return not verify or all(file_sha256(folder / file) == sha256 for file, (_, sha256) in contents.items())


def read_packed(folder: Path) -> PackedFolder | None:
    """Read back what this program packed into ``folder``; None if there is no manifest with a thread's id.

    The whole manifest is not parsed: a second run reads every one, and only needs what has a line of its own.
    """
    try:
        data = read_file(folder / MANIFEST, root=folder)
    except (OSError, RefusedFile):
        return None
    text = data.decode("utf-8", "replace")
    thread_id = _THREAD_ID.search(text)
    if thread_id is None:
        return None
    try:
        lines = [line for line in text.split("\n") if line.partition(": ")[0] in _SINGLE]
        values, files = dict(parse_text("\n".join(lines)).value), tuple(_table(text, "files", _FILE))
    except (UnreadableYaml, ValueError):
        values, files = {}, ()
    return PackedFolder(thread_id[1], folder, hashlib.sha256(data).hexdigest(), values, files)


def _table(text: str, name: str, columns: frozenset[str]) -> list[dict[str, Any]]:
    """Return the table ``name`` of a text that ``dump`` wrote: a row is one line of JSON. Raises ValueError."""
    _, _, rest = text.partition(f"\n{name}:\n")
    rows = [json.loads(line[4:]) for line in takewhile(lambda line: line.startswith("  - {"), rest.split("\n"))]
    if any(not columns <= row.keys() for row in rows):
        raise ValueError(f"a row of {name} is not whole")
    return rows


def packed_folders(out: Path) -> dict[str, PackedFolder]:
    """Return {thread id: packed folder} of ``out``; of two folders of one thread, the one that has its own name."""
    found: dict[str, PackedFolder] = {}
    for path in sorted(out.glob(f"[!.]*/{MANIFEST}")):
        packed = read_packed(path.parent)
        if packed and (packed.thread_id not in found or packed.values.get("directory") == path.parent.name):
            found[packed.thread_id] = packed
    return found


@dataclass(frozen=True, slots=True)
class FolderNames:
    """Names of packed folders: ``known`` by thread id, and the beginnings of ids that several threads share."""

    known: Mapping[str, str]
    crowded: frozenset[str]

    def of(self, thread_id: str, title: str) -> str:
        """Return the name that the thread's folder has, else a new one from its title and id."""
        return self.known.get(thread_id) or directory_for(title, thread_id, thread_id[:8] in self.crowded)

    def only(self, thread_id: str) -> FolderNames:
        """Return what matters for one thread: other processes get this."""
        return FolderNames({key: self.known[key] for key in (thread_id,) if key in self.known}, self.crowded)


def folder_names(source: Path, packed: Mapping[str, PackedFolder]) -> FolderNames:
    """Return the names that the threads of ``source`` have in a folder that has ``packed``, or will get there."""
    ids = [*(folder.name for folder in thread_folders(source)), *packed]
    return FolderNames({name: item.folder.name for name, item in packed.items()}, shared_prefixes(ids))


def index_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of ``tables.INDEX`` for a manifest, or a row of `thread_manifests`.

    ``timestamp`` is the final proposal's own, else the newest time that an artifact of the thread has in it.
    """
    own, newest = values["timestamp"], values["newest_artifact_at"]
    names = ("thread_id", "directory", "title", "bpm", "key", "time_signature", "rainbow_color", "iteration_count")
    return {**{name: values[name] for name in names}, "timestamp": own or newest,
            "timestamp_source": "manifest" if own else "newest_artifact" if newest else None,
            "concept": values["concept"]}


def write_index(out: Path, packed: Iterable[PackedFolder]) -> None:
    """Replace ``index.yml`` in ``out``, atomically, if it differs: one line per thread, by title, then thread id."""
    rows = [index_row(item.values) for item in packed if item.values.keys() >= _SINGLE]
    rows.sort(key=lambda row: (str(row["title"]), row["thread_id"]))
    Files(str(out)).write_changed(INDEX, dump({"thread_count": len(rows), "threads": Rows(rows)}).encode())
