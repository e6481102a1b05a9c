"""Packing: every raw thread folder becomes one clean folder with a manifest; the source is only ever read.

A thread is packed all or nothing: its files are written to a hidden folder beside the target, which is then renamed
into place. A killed run leaves the former folder or the new one, and the next run clears what is left over. There is
no other record of what is packed than the packed folders: one that already is what would be written is not touched.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from rainbow_assets.door import RefusedFile
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.threads.artifacts import write_small
from rainbow_assets.threads.manifest import (
    DROPPED,
    MANIFEST,
    FolderNames,
    PackedFolder,
    dropped_text,
    folder_names,
    holds,
    manifest_text,
    packed_folders,
    write_index,
)
from rainbow_assets.threads.model import Artifact, QuarantinedThread, Removed, Thread
from rainbow_assets.threads.reader import read_thread
from rainbow_assets.threads.report import PackedThread, ShrinkwrapReport, Status
from rainbow_assets.threads.source import list_thread, thread_folders

Tick = Callable[[str, int, int], None]
NEW, OLD = ".new-", ".old-"
"""Prefixes of the hidden folders that a thread is written to, and that its former folder waits in."""
FEW = 64
"""Fewer threads than this are packed in one process: starting others costs more than it saves."""
_FORMER = ("packed.json", ".cache/states.json")
"""Files of earlier versions, which kept a record of their own."""


class ThreadMoved(RainbowError):
    """A file of the source changed while its thread was being packed."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} changed while it was being packed; pack again")


@dataclass(frozen=True, slots=True)
class ExpectedFolder:
    """What a row of `thread_manifests` demands of the thread's packed folder: its name, the inputs, and the sha256 of
    the manifest (None in rows that an earlier version made)."""

    directory: str
    inputs: str
    manifest: str | None


def shrinkwrap(
    source: Path, out: Path, *, dry_run: bool = False, verify: bool = False, workers: int | None = None,
    tick: Tick | None = None, rows: Mapping[str, ExpectedFolder] | None = None,
) -> ShrinkwrapReport:
    """Pack every thread folder of ``source`` into ``out``; raise ``UsageError`` if one of the two is inside the other.

    ``dry_run`` reads and reports, and writes nothing. ``verify`` compares the digests of packed files as well, not only
    names and sizes. ``workers`` is the number of processes (default: as many as there are cores, for long work only);
    the result does not depend on it. ``rows`` limits the run to threads that have a row, and spares reading those whose
    manifest is that of the row; a thread that is no longer that of its row raises ``ThreadMoved``.
    """
    _check_places(source, out)
    if dry_run:
        return _PackingRun(source, out, dry_run=True, verify=verify, rows=rows).run(workers, tick)
    out.mkdir(parents=True, exist_ok=True)
    with writer_lock(Files(str(out)), "shrinkwrap"):
        # First of all: a folder that waits under its hidden name would be taken for a missing one.
        recovered = tuple(clear_leftovers(out))
        run = _PackingRun(source, out, dry_run=False, verify=verify, rows=rows)
        report = run.run(workers, tick, recovered)
        write_index(out, packed_folders(out).values() if report.written else run.packed.values())
    return report


def _check_places(source: Path, out: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"the folder of raw threads {source} does not exist; set RAINBOW_THREADS")
    inner, outer = source.resolve(), out.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise UsageError(f"{out} and {source} are inside each other; the packed threads need a folder of their own")


def clear_leftovers(out: Path) -> list[str]:
    """Finish or clear what a killed run left in ``out``; return a sentence for each thing done."""
    done: list[str] = []
    for path in sorted(out.glob(f"{OLD}*")):
        target = out / path.name.removeprefix(OLD)
        if target.exists():
            shutil.rmtree(path)
        else:
            os.rename(path, target)
            done.append(f"{target.name}: the former folder was put back after an interrupted run")
    for path in sorted(out.glob(f"{NEW}*")):
        shutil.rmtree(path)
        done.append(f"{path.name.removeprefix(NEW)}: a half-written folder was removed")
    for name in _FORMER:
        (out / name).unlink(missing_ok=True)
    return done


@dataclass(frozen=True, slots=True)
class _PackingJob:
    """One thread to read and pack. ``before`` is its packed folder, ``row`` what its row demands of it."""

    folder: Path
    out: Path
    names: FolderNames
    before: PackedFolder | None
    row: ExpectedFolder | None
    verify: bool
    dry_run: bool


class _PackingRun:
    def __init__(
        self, source: Path, out: Path, *, dry_run: bool, verify: bool, rows: Mapping[str, ExpectedFolder] | None
    ) -> None:
        self.source, self.out, self.dry_run, self.verify = source, out, dry_run, verify
        self.packed, self.rows = packed_folders(out), rows
        names = folder_names(source, self.packed)
        wanted = {name: row.directory for name, row in (rows or {}).items()}
        self.names = FolderNames({**names.known, **wanted}, names.crowded)

    def run(self, workers: int | None, tick: Tick | None, recovered: tuple[str, ...] = ()) -> ShrinkwrapReport:
        every = thread_folders(self.source)
        folders = [folder for folder in every if self.rows is None or folder.name in self.rows]
        found: dict[str, PackedThread | QuarantinedThread | None] = {
            folder.name: self._unchanged(folder) for folder in folders}
        jobs = [self._job(folder) for folder in folders if found[folder.name] is None]
        for done, result in enumerate(_results(jobs, workers), len(folders) - len(jobs) + 1):
            name = result.thread_id if isinstance(result, PackedThread) else result.folder
            found[name] = result
            if tick:
                tick("threads", done, len(folders))
        return ShrinkwrapReport(
            tuple(item for item in found.values() if isinstance(item, PackedThread)),
            tuple(item for item in found.values() if isinstance(item, QuarantinedThread)),
            tuple(sorted(self.packed.keys() - {folder.name for folder in every})), _stray(self.source), self.dry_run,
            recovered)

    def _job(self, folder: Path) -> _PackingJob:
        name = folder.name
        return _PackingJob(folder, self.out, self.names.only(name), self.packed.get(name), (self.rows or {}).get(name),
                    self.verify, self.dry_run)

    def _unchanged(self, folder: Path) -> PackedThread | None:
        """Return the thread if its packed folder is up to date; None if the thread has to be read."""
        before, row = self.packed.get(folder.name), (self.rows or {}).get(folder.name)
        if (before is None or row is None or self.verify
                or (before.folder.name, before.sha256) != (row.directory, row.manifest)):
            return None
        try:
            left_out = _with_pruned(list_thread(folder).dropped, before)
            same = (holds(before.folder, before.contents)
                    and (before.folder / DROPPED).read_bytes() == dropped_text(left_out).encode())
        except (OSError, RefusedFile):
            return None
        sizes = [size for size, _ in before.contents.values()]
        return PackedThread(folder.name, row.directory, "unchanged", len(sizes), sum(sizes), left_out) if same else None


def _results(jobs: list[_PackingJob], workers: int | None) -> Iterator[PackedThread | QuarantinedThread]:
    """Yield the results in the order of ``jobs``; what one raises is raised here."""
    count = workers if workers is not None else (os.cpu_count() or 1) if len(jobs) >= FEW else 1
    # A fork copies no other thread, but the locks that it holds: with threads about, one process does it all.
    if count <= 1 or threading.active_count() > 1:
        yield from map(_pack, jobs)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("fork")) as pool:
        yield from pool.map(_pack, jobs, chunksize=8)


def _pack(job: _PackingJob) -> PackedThread | QuarantinedThread:
    """Read one thread and write its packed folder, unless it already is what would be written."""
    reading = read_thread(job.folder)
    thread = reading.thread
    if job.row is not None and (thread is None or thread.inputs != job.row.inputs):
        raise ThreadMoved(f"the thread {job.folder.name}")
    if thread is None:
        assert reading.quarantined is not None
        return reading.quarantined
    directory = job.names.of(thread.thread_id, thread.final.title)
    left_out = _with_pruned(thread.removed, job.before)
    texts = {MANIFEST: manifest_text(thread, directory).encode(), DROPPED: dropped_text(left_out).encode()}
    contents = {item.file: (item.packed_size, item.packed_sha256) for item in thread.artifacts}
    same = holds(job.out / directory, contents, job.verify) and all(
        (job.out / directory / name).read_bytes() == data for name, data in texts.items())
    if not same and not job.dry_run:
        _write(thread, job.out, directory, texts)
    status: Status = "unchanged" if same else "repacked" if job.before else "packed"
    return PackedThread(thread.thread_id, directory, status, len(contents), sum(size for size, _ in contents.values()),
                        left_out)


def _with_pruned(now: tuple[Removed, ...], before: PackedFolder | None) -> tuple[Removed, ...]:
    """Add what an earlier packing left out and a prune has taken from the source since."""
    present = {item.file for item in now}
    gone = [item for item in (before.dropped if before else ()) if item.file not in present]
    return tuple(sorted((*now, *gone), key=lambda item: item.file))


def _write(thread: Thread, out: Path, directory: str, texts: Mapping[str, bytes]) -> None:
    """Write the packed folder of ``thread`` and put it in place as a whole; raise ``ThreadMoved``, OSError."""
    new, old, target = out / f"{NEW}{directory}", out / f"{OLD}{directory}", out / directory
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for folder in sorted({item.file.rpartition("/")[0] for item in thread.artifacts}):
        (new / folder).mkdir(parents=True, exist_ok=True)
    for item in thread.artifacts:
        _copy(thread, item, new)
    for name, data in texts.items():
        write_small(f"{new}/{name}", data)
    if target.exists():
        os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old, ignore_errors=True)


def _copy(thread: Thread, item: Artifact, new: Path) -> None:
    """Write the copy of one file: the bytes that were read and digested, or a big file, compared afterwards."""
    target = f"{new}/{item.file}"
    data = thread.copies.get(item.file)
    if data is not None:
        write_small(target, data)
        return
    shutil.copyfile(thread.folder / item.file, target)
    if file_sha256(Path(target)) != item.packed_sha256:
        raise ThreadMoved(f"{thread.thread_id}/{item.file}")


def _stray(source: Path) -> tuple[str, ...]:
    with os.scandir(source) as entries:
        return tuple(sorted(entry.name for entry in entries
                            if not entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")))
