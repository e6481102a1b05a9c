"""The real threads, packed and measured: what is written, down to the byte, and the rows, are what they were.

A change on purpose: delete ``real_threads.json`` and run this file twice; the first run writes it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from rainbow_assets.assets import GRAPH
from rainbow_assets.lineage.materialize import bring_up_to_date
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.command import rainbow
from rainbow_assets_tests.threads.places import RAW, needs_shared

SNAPSHOT = Path(__file__).with_name("real_threads.json")
ASSETS = ("thread_manifests", "thread_index", "result_feedback", "negative_constraints")
FILES = ("index.yml", "negative_constraints.yml", "history.jsonl")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def folder_digest(folder: Path) -> str:
    """Return one digest of the names and the contents of all files in ``folder``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return sha("".join(f"{path.relative_to(folder).as_posix()} {sha(path.read_bytes())}\n" for path in files).encode())


def written(threads: Path) -> dict[str, str]:
    """Return digests of the packed folders and of the files beside them in the folder ``threads`` of a store."""
    found = {path.parent.name: folder_digest(path.parent) for path in sorted(threads.glob("shrinkwrapped/*/manifest.yml"))}
    return found | {path.name: sha(path.read_bytes()) for path in sorted(threads.rglob("*")) if path.name in FILES
                    and path.parent in (threads, threads / "shrinkwrapped")}


def rows(store: ShardStore, asset: str) -> str:
    """Return a digest of the rows of ``asset``."""
    found = sorted(store.shard(asset).table(GRAPH[asset].schema).to_pylist(), key=lambda row: row[GRAPH[asset].key])
    return sha(json.dumps(found, sort_keys=True, default=str).encode())


@needs_shared
def test_the_real_threads_are_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAINBOW_THREADS", str(RAW))
    store = ShardStore(str(tmp_path / "built"))
    for asset in ASSETS:
        assert bring_up_to_date(GRAPH[asset], store).problem is None
    monkeypatch.setenv("RAINBOW_DATA", str(tmp_path / "commands"))
    texts = [rainbow("threads", *words).output for words in (
        ("shrinkwrap", "--dry-run"), ("shrinkwrap",), ("shrinkwrap",), ("shrinkwrap", "--prune", "--dry-run"), ("feedback",))]
    found: dict[str, Any] = {
        "written by a build": written(tmp_path / "built/threads"),
        "written by commands": written(tmp_path / "commands/threads"),
        "rows": {asset: rows(store, asset) for asset in ASSETS}, "printed": [text.splitlines() for text in texts]}
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert found == json.loads(SNAPSHOT.read_text("utf-8"))
