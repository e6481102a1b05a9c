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
from typing import Any, Literal

from rainbow_assets.corpus.digests import FileDigests, file_sha256
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.threads import register as registers
from rainbow_assets.threads.manifest import dropped as dropped_document
from rainbow_assets.threads.manifest import manifest
from rainbow_assets.threads.model import Artifact, QuarantinedThread, Removed, Thread
from rainbow_assets.threads.names import UUID
from rainbow_assets.threads.reader import inputs_digest, list_files, read_thread, thread_folders
from rainbow_assets.threads.register import Entry, Register
from rainbow_assets.threads.rules import freed_by_rule, removed
from rainbow_assets.threads.slugs import directory_for
from rainbow_assets.threads.yaml_write import dump

_NEW, _OLD = ".new-", ".old-"
Status = Literal["packed", "repacked", "unchanged"]
Tick = Callable[[str, int, int], None]


class SourceMoved(RainbowError):
    """A file of the source changed while its thread was being packed."""


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
    source: Path, out: Path, *, cache: Path | None = None, dry_run: bool = False, tick: Tick | None = None
) -> ShrinkwrapReport:
    """Pack every thread folder of ``source`` into ``out``; raise ``UsageError`` where the two are inside each other.

    ``cache`` keeps the digests of the source's files (default: hidden in ``out``), so that a second run reads only
    what moved. ``dry_run`` reads and reports, and writes nothing.
    """
    _check_places(source, out)
    if dry_run:
        return _Run(source, out, cache, True, tick).run()
    out.mkdir(parents=True, exist_ok=True)
    with writer_lock(Files(str(out)), "shrinkwrap"):
        return _Run(source, out, cache, False, tick).run()


def _check_places(source: Path, out: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"the folder of raw threads {source} does not exist; set RAINBOW_THREADS")
    inner, outer = source.resolve(), out.resolve()
    if inner == outer or inner in outer.parents or outer in inner.parents:
        raise UsageError(f"{out} and {source} are inside each other; the packed threads need a folder of their own")


class _Run:
    def __init__(self, source: Path, out: Path, cache: Path | None, dry_run: bool, tick: Tick | None) -> None:
        self.source, self.out, self.dry_run, self.tick = source, out, dry_run, tick
        self.digests = FileDigests(source, cache or out / ".cache" / "file_digests.json")
        self.register = registers.load(out)
        self.known = _directories(out, self.register)
        self.threads: list[PackedThread] = []
        self.quarantined: list[QuarantinedThread] = []

    def run(self) -> ShrinkwrapReport:
        recovered = () if self.dry_run else tuple(clear_leftovers(self.out))
        folders = thread_folders(self.source)
        for done, folder in enumerate(folders):
            self._thread(folder)
            if self.tick:
                self.tick("threads", done + 1, len(folders))
        entries = self.register.entries
        present = {folder.name for folder in folders}
        orphans = tuple(sorted(name for name in entries if name not in present))
        if not self.dry_run:
            registers.save(self.out, Register(entries, tuple(self.quarantined)))
            self.digests.save()
        return ShrinkwrapReport(tuple(self.threads), tuple(self.quarantined), orphans, _stray(self.source),
                                self.dry_run, recovered)

    def _thread(self, folder: Path) -> None:
        before = self.register.entries.get(folder.name)
        if before is not None and self._unchanged(folder, before):
            self.threads.append(PackedThread(before.thread_id, before.directory, "unchanged", before.files,
                                             before.bytes, before.dropped))
            return
        reading = read_thread(folder)
        if reading.thread is None:
            if reading.quarantined is not None:
                self.quarantined.append(reading.quarantined)
            return
        thread = reading.thread
        directory = directory_for(thread.final.title, thread.thread_id, self.known)
        self.known[thread.thread_id] = directory
        left_out = _with_pruned(thread.removed, before)
        if not self.dry_run:
            write_thread(thread, self.out, directory, left_out)
            self._remember(folder, thread)
        size = sum(item.packed_size for item in thread.artifacts)
        outputs = registers.outputs_digest(self.out / directory) or ""
        self.register = self.register.with_entry(
            Entry(thread.thread_id, directory, thread.inputs, outputs, len(thread.artifacts), size, left_out))
        self.threads.append(PackedThread(thread.thread_id, directory, "repacked" if before else "packed",
                                         len(thread.artifacts), size, left_out))

    def _remember(self, folder: Path, thread: Thread) -> None:
        for item in thread.artifacts:
            self.digests.digest(f"{folder.name}/{item.file}")

    def _unchanged(self, folder: Path, before: Entry) -> bool:
        """Tell whether kept files, rules and the packed folder are as they were; nothing new may be left out."""
        files, links = list_files(folder)
        known = {(item.file, item.size) for item in before.dropped}
        digests: dict[str, str] = {}
        for file in files:
            if removed(file, 0) is None:
                digests[file] = self.digests.digest(f"{folder.name}/{file}")
            elif (file, (folder / file).stat().st_size) not in known:
                return False
        return (not links and inputs_digest(digests) == before.inputs
                and registers.outputs_digest(self.out / before.directory) == before.outputs)


def _with_pruned(now: tuple[Removed, ...], before: Entry | None) -> tuple[Removed, ...]:
    """Add what an earlier packing left out and a prune has since taken from the source."""
    present = {item.file for item in now}
    gone = [item for item in (before.dropped if before else ()) if item.file not in present]
    return tuple(sorted((*now, *gone), key=lambda item: item.file))


def _directories(out: Path, register: Register) -> dict[str, str]:
    """Return {thread id: folder} of the register, or from the manifests themselves where the register is lost."""
    if register.entries or not out.is_dir():
        return register.directories()
    found: dict[str, str] = {}
    for path in sorted(out.glob("*/manifest.yml")):
        for line in path.read_text("utf-8", "replace").splitlines():
            if line.startswith("thread_id:") and UUID.search(line):
                found.setdefault(UUID.findall(line)[0], path.parent.name)
                break
    return found


def _stray(source: Path) -> tuple[str, ...]:
    with os.scandir(source) as entries:
        return tuple(sorted(entry.name for entry in entries
                            if not entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")))


def write_thread(thread: Thread, out: Path, directory: str, left_out: tuple[Removed, ...]) -> None:
    """Write the packed folder of ``thread`` and put it in place as a whole; raise ``SourceMoved``, OSError."""
    new, old, target = out / f"{_NEW}{directory}", out / f"{_OLD}{directory}", out / directory
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for folder in sorted({item.file.rpartition("/")[0] for item in thread.artifacts}):
        (new / folder).mkdir(parents=True, exist_ok=True)
    for item in thread.artifacts:
        _copy(thread, item, new)
    (new / "dropped.yml").write_text(dump(dropped_document(left_out)), "utf-8")
    (new / "manifest.yml").write_text(dump(manifest(thread, directory)), "utf-8")
    if target.exists():
        os.rename(target, old)
    os.rename(new, target)
    shutil.rmtree(old, ignore_errors=True)


def _copy(thread: Thread, item: Artifact, new: Path) -> None:
    """Write the copy of one file; an unchanged one is compared with what was read."""
    target = new / item.file
    if item.file in thread.copies:
        target.write_bytes(thread.copies[item.file])
        return
    shutil.copyfile(thread.folder / item.file, target)
    copied = file_sha256(target)
    if copied != item.packed_sha256:
        raise SourceMoved(f"{thread.thread_id}/{item.file} changed while it was being packed; pack again")


def clear_leftovers(out: Path) -> list[str]:
    """Finish or clear what a killed run left in ``out``; return a sentence for each thing done."""
    said: list[str] = []
    for path in sorted(out.glob(f"{_OLD}*")):
        target = out / path.name.removeprefix(_OLD)
        if target.exists():
            shutil.rmtree(path)
        else:
            os.rename(path, target)
            said.append(f"{target.name}: the former folder was put back after an interrupted run")
    for path in sorted(out.glob(f"{_NEW}*")):
        shutil.rmtree(path)
        said.append(f"{path.name.removeprefix(_NEW)}: a half-written folder was removed")
    return said
