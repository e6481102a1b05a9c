"""Packing: every raw thread folder becomes one clean folder with a manifest; the source is only ever read.

A thread is packed all or nothing: its files are written to a hidden folder beside the target, which is then renamed
into place. A killed run leaves the former folder or the new one, and the next run clears what is left over. A thread
whose kept files and rules are as they were is not touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.errors import UsageError
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.index import write_index
from rainbow_assets.threads.model import QuarantinedThread, Removed
from rainbow_assets.threads.names import UUID
from rainbow_assets.threads.packing import NEW, OLD, Job, PackingResult, Status, run_jobs
from rainbow_assets.threads.reader import inputs_digest, list_files, thread_folders
from rainbow_assets.threads.register import Register, States
from rainbow_assets.threads.rules import freed_by_rule, rule_for
from rainbow_assets.threads.slugs import shared_prefixes

Tick = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PackedThread:
    """What became of one thread. ``bytes`` are those of the kept files' copies."""

    thread_id: str
    directory: str
    status: Status
    files: int
    bytes: int
    dropped: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class ShrinkwrapReport:
    """What a run did (or would do, ``dry_run``). ``orphans`` are packed threads whose source is gone; they stay."""

    threads: tuple[PackedThread, ...]
    quarantined: tuple[QuarantinedThread, ...]
    orphans: tuple[str, ...]
    stray: tuple[str, ...]
    dry_run: bool
    recovered: tuple[str, ...] = field(default=())

    @property
    def dropped(self) -> tuple[Removed, ...]:
        """Every file that packing leaves out, of all threads."""
        return tuple(item for thread in self.threads for item in thread.dropped)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``: threads, files kept and dropped by rule, bytes."""
        states = [thread.status for thread in self.threads]
        return {
            "dry_run": self.dry_run,
            "threads": len(self.threads),
            **{state: states.count(state) for state in ("packed", "repacked", "unchanged")},
            "quarantined": [{"folder": item.folder, "reason": item.reason, "message": item.message}
                            for item in self.quarantined],
            "orphans": list(self.orphans),
            "stray_files": list(self.stray),
            "recovered": list(self.recovered),
            "files_kept": sum(thread.files for thread in self.threads),
            "bytes_kept": sum(thread.bytes for thread in self.threads),
            "files_dropped": len(self.dropped),
            "bytes_freed": sum(item.size for item in self.dropped),
            "dropped_by_rule": freed_by_rule(self.dropped),
            "directories": {thread.thread_id: thread.directory for thread in self.threads},
        }


def shrinkwrap(
    source: Path, out: Path, *, cache: Path | None = None, dry_run: bool = False, workers: int | None = None,
    tick: Tick | None = None, again: frozenset[str] = frozenset(),
) -> ShrinkwrapReport:
    """Pack every thread folder of ``source`` into ``out``; raise ``UsageError`` where the two are inside each other.

    ``cache`` is a file that keeps the state of the source's folders (default: hidden in ``out``), so that a second run
    reads only what moved. ``dry_run`` reads and reports, and writes nothing. ``workers`` is the number of
    processes (default: as many as there are cores, for long work only); the result does not depend on it. ``again``
    names threads that are packed even where nothing of them moved: the program did.
    """
    _check_places(source, out)
    if dry_run:
        return _PackingRun(source, out, cache, True, tick, again).run(workers)
    out.mkdir(parents=True, exist_ok=True)
    with writer_lock(Files(str(out)), "shrinkwrap"):
        return _PackingRun(source, out, cache, False, tick, again).run(workers)


def _check_places(source: Path, out: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"the folder of raw threads {source} does not exist; set RAINBOW_THREADS")
    inner, outer = source.resolve(), out.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise UsageError(f"{out} and {source} are inside each other; the packed threads need a folder of their own")


class _PackingRun:
    def __init__(
        self, source: Path, out: Path, cache: Path | None, dry_run: bool, tick: Tick | None, again: frozenset[str]
    ) -> None:
        self.source, self.out, self.dry_run, self.tick, self.again = source, out, dry_run, tick, again
        self.states = States(cache or out / ".cache" / "states.json", source)
        # First of all: a folder that waits under its hidden name would be taken for a packed one.
        self.recovered = () if dry_run else tuple(clear_leftovers(out))
        self.register = registers.load(out)
        self.known = _directories(out, self.register)

    def run(self, workers: int | None) -> ShrinkwrapReport:
        folders = thread_folders(self.source)
        crowded = shared_prefixes([*(folder.name for folder in folders), *self.known])
        results: dict[str, PackingResult] = {}
        jobs: list[Job] = []
        for folder in folders:
            job = self._job(folder, crowded)
            before = job.before
            if before is not None and job.intact and self.states.known.get(folder.name) == job.state:
                results[folder.name] = PackingResult(folder.name, job.state, "unchanged", before, None)
            else:
                jobs.append(job)
        for result in run_jobs(jobs, workers):
            results[result.folder] = result
            if self.tick:
                self.tick("threads", len(results), len(folders))
        return self._settle([results[folder.name] for folder in folders])

    def _job(self, folder: Path, crowded: frozenset[str]) -> Job:
        before = self.register.entries.get(folder.name)
        state = registers.folder_state(str(folder), times=True)
        intact = (before is not None and folder.name not in self.again
                  and registers.outputs_digest(self.out / before.directory) == before.outputs)
        return Job(folder, self.out, state[0] if state else "", before, intact, self.known.get(folder.name),
                   folder.name[:8] in crowded, self.dry_run)

    def _settle(self, results: list[PackingResult]) -> ShrinkwrapReport:
        """Put the results into the register, and into the report."""
        threads: list[PackedThread] = []
        for result in results:
            entry = result.entry
            if entry is None:
                continue
            threads.append(PackedThread(entry.thread_id, entry.directory, result.status, entry.files, entry.bytes,
                                        entry.dropped))
            if not self.dry_run:
                self.register.entries[entry.thread_id] = entry
                self.states.put(entry.thread_id, result.state)
        quarantined = tuple(result.quarantined for result in results if result.quarantined is not None)
        present = {result.folder for result in results}
        orphans = tuple(sorted(name for name in self.register.entries if name not in present))
        if not self.dry_run:
            if quarantined != self.register.quarantined or any(result.status != "unchanged" for result in results):
                registers.save(self.out, Register(self.register.entries, quarantined))
            write_index(self.out, self.register.rows())
            self.states.save()
        return ShrinkwrapReport(tuple(threads), quarantined, orphans, _stray(self.source), self.dry_run,
                                self.recovered)


def _directories(out: Path, register: Register) -> dict[str, str]:
    """Return {thread id: folder} of the register, or from the manifests themselves where the register is lost."""
    if register.entries or not out.is_dir():
        return register.directories()
    found: dict[str, str] = {}
    for path in sorted(out.glob("[!.]*/manifest.yml")):
        for line in path.read_text("utf-8", "replace").splitlines():
            if line.startswith("thread_id:") and UUID.search(line):
                found.setdefault(UUID.findall(line)[0], path.parent.name)
                break
    return found


def _stray(source: Path) -> tuple[str, ...]:
    with os.scandir(source) as entries:
        return tuple(sorted(entry.name for entry in entries
                            if not entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")))


def clear_leftovers(out: Path) -> list[str]:
    """Finish or clear what a killed run left in ``out``; return a sentence for each thing done."""
    said: list[str] = []
    for path in sorted(out.glob(f"{OLD}*")):
        target = out / path.name.removeprefix(OLD)
        if target.exists():
            shutil.rmtree(path)
        else:
            os.rename(path, target)
            said.append(f"{target.name}: the former folder was put back after an interrupted run")
    for path in sorted(out.glob(f"{NEW}*")):
        shutil.rmtree(path)
        said.append(f"{path.name.removeprefix(NEW)}: a half-written folder was removed")
    return said


def inputs_now(source: Path, out: Path, cache: Path | None = None) -> dict[str, str]:
    """Return {thread id: inputs digest} of the source as it is, for a ledger that asks what changed. Writes nothing.

    A folder whose state is the one last packed is not read again; one that is no thread has an empty digest.
    """
    states, register = States(cache or out / ".cache" / "states.json", source), registers.load(out)
    found: dict[str, str] = {}
    for folder in thread_folders(source):
        state, entry = registers.folder_state(str(folder), times=True), register.entries.get(folder.name)
        if entry is not None and state is not None and states.known.get(folder.name) == state[0]:
            found[folder.name] = entry.inputs
        elif UUID.fullmatch(folder.name):
            kept = [file for file in list_files(folder)[0] if rule_for(file) is None]
            found[folder.name] = inputs_digest({file: file_sha256(folder / file) for file in kept})
        else:
            found[folder.name] = ""
    return found
