"""Pruning: taking out of the source what packing has left out. Separate, explicit, and undone until confirmed.

Only files that a rule leaves out, of threads whose packed folder is whole, are ever touched; a file that a manifest
lists never is. A killed run is settled by the next command: half a prune or undo is undone, half a confirmation
is completed (its owner has given the files up).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainbow_assets.door import RefusedFile
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.threads import journal as journals
from rainbow_assets.threads.journal import Journal, PruneEntry
from rainbow_assets.threads.manifest import INDEX, PackedFolder, holds, packed_folders
from rainbow_assets.threads.rules import rule_for
from rainbow_assets.threads.source import list_files, thread_folders


class PruneRefused(RainbowError):
    """A prune that would touch what it must not; nothing was moved."""


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a prune would move out of the source, and why some threads are left alone."""

    lines: tuple[PruneEntry, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def bytes(self) -> int:
        """Bytes that confirming the prune frees."""
        return sum(line.size for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        rules = sorted({line.rule for line in self.lines})
        return {
            "files": len(self.lines), "bytes": self.bytes,
            "by_rule": {rule: {"files": sum(line.rule == rule for line in self.lines),
                               "bytes": sum(line.size for line in self.lines if line.rule == rule)} for rule in rules},
            "paths": [line.file for line in self.lines],
            "skipped": [{"thread": thread, "reason": reason} for thread, reason in self.skipped],
        }


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a prune command did. ``state``: planned, moved, undone, confirmed or nothing; ``recovered`` is what a
    killed run had left; ``stuck`` are files that could not go back because others took their places."""

    state: str
    plan: PrunePlan
    recovered: str | None = None
    stuck: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {"state": self.state, "recovered": self.recovered, "stuck": list(self.stuck), **self.plan.as_dict()}


_NOTHING = PrunePlan((), ())


def plan_prune(source: Path, out: Path) -> PrunePlan:
    """Return what may be moved; raise ``PruneRefused`` where a manifest lists a file that a rule would take.

    A thread is skipped, with the reason, where its packed folder is missing, damaged, or not made from its present
    files. Reads only; the copies are compared with their recorded digests first.
    """
    packed = packed_folders(out)
    lines: list[PruneEntry] = []
    skipped: list[tuple[str, str]] = []
    for folder in thread_folders(source):
        try:
            files, _ = list_files(folder)
        except (OSError, RefusedFile) as error:
            skipped.append((folder.name, getattr(error, "strerror", None) or str(error)))
            continue
        candidates = {file: size for file, size in files.items() if rule_for(file) is not None}
        if not candidates:
            continue
        copy = packed.get(folder.name)
        reason = "it has not been packed" if copy is None else _why_not(folder, copy)
        if copy is None or reason is not None:
            skipped.append((folder.name, reason or ""))
            continue
        for file, size in candidates.items():
            rule = rule_for(file)
            if file in copy.contents or rule is None:
                raise PruneRefused(f"{folder.name}/{file} is listed by its manifest and must not be pruned; pack again")
            lines.append(PruneEntry(f"{folder.name}/{file}", size, rule.name))
    return PrunePlan(tuple(lines), tuple(skipped))


def prune(source: Path, out: Path, *, dry_run: bool = False) -> PruneReport:
    """Move out of the source what packing leaves out; with ``dry_run`` only list what that is.

    The whole plan is made and checked before the first file moves. The files wait in ``<source>/.prune`` until
    :func:`confirm` deletes them or :func:`undo` puts them back. Raises ``UsageError`` where another prune waits.
    """
    _check(source, out)
    if dry_run:
        return PruneReport("planned", plan_prune(source, out))
    with _locked(out):
        recovered = recover(source)
        if journals.read(source) is not None:
            raise UsageError("an earlier prune is neither confirmed nor undone; do one of the two first "
                             "(rainbow threads shrinkwrap --confirm, or --undo)")
        plan = plan_prune(source, out)
        if not plan.lines:
            return PruneReport("nothing", plan, recovered)
        journal = Journal("moving", plan.lines)
        journals.write(source, journal)
        journals.move_out(source, journal)
        journals.write(source, journals.with_state(journal, "moved"))
        return PruneReport("moved", plan, recovered)


def undo(source: Path, out: Path) -> PruneReport:
    """Put every pruned file back where it was."""
    return _settle(source, out, "undone")


def confirm(source: Path, out: Path) -> PruneReport:
    """Delete the pruned files for good; this frees the bytes."""
    return _settle(source, out, "confirmed")


def _settle(source: Path, out: Path, state: str) -> PruneReport:
    _check(source, out)
    with _locked(out):
        recovered = recover(source)
        journal = journals.read(source)
        if journal is None:
            return PruneReport("nothing", _NOTHING, recovered)
        plan = PrunePlan(journal.lines, ())
        if state == "undone":
            return PruneReport(state, plan, recovered, _undo(source, journal))
        _delete(source, journal)
        return PruneReport(state, plan, recovered)


def recover(source: Path) -> str | None:
    """Settle what a killed run has left; return a sentence about it, or None if there was nothing to settle."""
    journals.clear_temporaries(source)
    journal = journals.read(source)
    if journal is None or journal.state == "moved":
        return None
    if journal.state == "deleting":
        _delete(source, journal)
        return f"an interrupted confirmation was completed: {len(journal.lines)} files are deleted"
    stuck = _undo(source, journal)
    left = f"; {len(stuck)} could not go back, because other files are in their places" if stuck else ""
    return f"an interrupted prune was undone: all {len(journal.lines)} files are where they were{left}"


def _undo(source: Path, journal: Journal) -> tuple[str, ...]:
    journals.write(source, journals.with_state(journal, "undoing"))
    stuck = tuple(journals.move_back(source, journal))
    if stuck:
        left = tuple(line for line in journal.lines if line.file in stuck)
        journals.write(source, Journal("moved", left))
    else:
        journals.close(source)
    return stuck


def _delete(source: Path, journal: Journal) -> None:
    journals.write(source, journals.with_state(journal, "deleting"))
    journals.delete(source, journal)
    journals.close(source)


def _check(source: Path, out: Path) -> None:
    if not source.is_dir():
        raise UsageError(f"the folder of raw threads {source} does not exist; set RAINBOW_THREADS")
    if not (out / INDEX).exists():
        raise UsageError(f"nothing is packed in {out} yet; pack first (rainbow threads shrinkwrap), then prune")


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    with writer_lock(Files(str(out)), "prune"):
        yield


def _why_not(folder: Path, copy: PackedFolder) -> str | None:
    """Return why nothing of a packed thread may be pruned; None if its copy is whole and that of the present files."""
    if copy.sources is None or not holds(copy.folder, copy.contents):
        return "its packed folder is missing or was changed; pack again"
    try:
        for row in copy.files:
            if file_sha256(copy.folder / row["file"]) != copy.contents[row["file"]][1]:
                return f"the packed copy of {row['file']} is damaged; pack again"
            if file_sha256(folder / row["file"]) != row["sha256"]:
                return f"{row['file']} has changed since it was packed; pack again"
    except OSError as error:
        return f"its packed folder cannot be compared with the source ({error}); pack again"
    return None
