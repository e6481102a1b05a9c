"""Packing one thread: read it, decide whether anything moved, write its folder. Many at once on several cores."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from rainbow_assets.errors import RainbowError
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.ingest.yaml_write import dump
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.artifacts import write_small
from rainbow_assets.threads.index import index_row
from rainbow_assets.threads.manifest import dropped as dropped_document
from rainbow_assets.threads.manifest import manifest
from rainbow_assets.threads.model import Artifact, QuarantinedThread, Removed, Thread
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.register import Entry
from rainbow_assets.threads.slugs import directory_for

NEW, OLD = ".new-", ".old-"
"""Prefixes of the hidden folders that a thread is written to, and that its former folder waits in."""
Status = Literal["packed", "repacked", "unchanged", "quarantined"]
FEW = 64
"""Fewer threads than this are packed in one process: starting others costs more than it saves."""


class ThreadMoved(RainbowError):
    """A file of the source changed while its thread was being packed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thread to look at. ``before`` is its register entry, ``intact`` whether the packed folder is still that.

    ``directory`` is the folder that it has already; ``crowded`` asks for its whole id in a new folder's name.
    """

    folder: Path
    out: Path
    state: str
    before: Entry | None
    intact: bool
    directory: str | None
    crowded: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class PackingResult:
    """What became of a job: exactly one of ``entry`` and ``quarantined`` is set."""

    folder: str
    state: str
    status: Status
    entry: Entry | None
    quarantined: QuarantinedThread | None


def run_jobs(jobs: list[Job], workers: int | None = None) -> Iterator[PackingResult]:
    """Yield the results in the order of ``jobs``; what one raises is raised here."""
    count = workers if workers is not None else (os.cpu_count() or 1) if len(jobs) >= FEW else 1
    # A fork copies no other thread, but the locks that it holds: with threads about, one process does it all.
    if count <= 1 or threading.active_count() > 1:
        yield from map(pack_folder, jobs)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("fork")) as pool:
        yield from pool.map(pack_folder, jobs, chunksize=8)


def pack_folder(job: Job) -> PackingResult:
    """Read one thread and write its packed folder where something moved."""
    reading, before, name = read_thread(job.folder), job.before, job.folder.name
    if reading.thread is None:
        return PackingResult(name, job.state, "quarantined", None, reading.quarantined)
    thread = reading.thread
    left_out = _with_pruned(thread.removed, before)
    if before is not None and job.intact and (thread.inputs, left_out) == (before.inputs, before.dropped):
        return PackingResult(name, job.state, "unchanged", before, None)
    directory = job.directory or directory_for(thread.final.title, name, job.crowded)
    entry = Entry(name, directory, thread.inputs, "", len(thread.artifacts),
                  sum(item.packed_size for item in thread.artifacts), left_out, index_row(thread, directory))
    if not job.dry_run:
        entry = replace(entry, outputs=write_thread(thread, job.out, directory, left_out))
    return PackingResult(name, job.state, "repacked" if before else "packed", entry, None)


def _with_pruned(now: tuple[Removed, ...], before: Entry | None) -> tuple[Removed, ...]:
    """Add what an earlier packing left out and a prune has since taken from the source."""
    present = {item.file for item in now}
    gone = [item for item in (before.dropped if before else ()) if item.file not in present]
    return tuple(sorted((*now, *gone), key=lambda item: item.file))


def write_thread(thread: Thread, out: Path, directory: str, left_out: tuple[Removed, ...]) -> str:
    """Write the packed folder of ``thread`` and put it in place as a whole; return the digest of its names and sizes.

    Raise ``ThreadMoved`` where a big file is no longer what was read, and OSError.
    """
    new, old, target = out / f"{NEW}{directory}", out / f"{OLD}{directory}", out / directory
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for folder in sorted({item.file.rpartition("/")[0] for item in thread.artifacts}):
        (new / folder).mkdir(parents=True, exist_ok=True)
    for item in thread.artifacts:
        _copy(thread, item, new)
    (new / "dropped.yml").write_text(dump(dropped_document(left_out)), "utf-8", newline="\n")
    (new / "manifest.yml").write_text(dump(manifest(thread, directory)), "utf-8", newline="\n")
    if target.exists():
        os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old, ignore_errors=True)
    return registers.outputs_digest(target) or ""


def _copy(thread: Thread, item: Artifact, new: Path) -> None:
    """Write the copy of one file: the bytes that were read and digested, or a big file, compared afterwards."""
    target = f"{new}/{item.file}"
    data = thread.copies.get(item.file)
    if data is not None:
        write_small(target, data)
        return
    shutil.copyfile(thread.folder / item.file, target)
    copied = file_sha256(Path(target))
    if copied != item.packed_sha256:
        raise ThreadMoved(f"{thread.thread_id}/{item.file} changed while it was being packed; pack again")
