"""Reading one raw thread folder: every file hashed and typed, every proposal a row, every irregularity named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rainbow_assets.errors import BUG, RainbowError, bug
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.threads import names, proposals
from rainbow_assets.threads.artifacts import Content, read_content
from rainbow_assets.threads.manifest import RESERVED
from rainbow_assets.threads.model import (
    KINDS,
    Artifact,
    Iteration,
    QuarantinedThread,
    Reference,
    Thread,
)
from rainbow_assets.threads.names import UUID
from rainbow_assets.threads.rules import rule_for
from rainbow_assets.threads.source import inputs_digest, list_thread
from rainbow_assets.threads.wording import openers

_ACTIONS = {"error": "left out", "warning": "kept and flagged", "info": "corrected"}


@dataclass(frozen=True, slots=True)
class ReadFailure(Exception):
    """A folder that cannot be packed, on its way out of the reader."""

    quarantined: QuarantinedThread


@dataclass(frozen=True, slots=True)
class ThreadReading:
    """What became of one folder: exactly one of the two is set."""

    thread: Thread | None
    quarantined: QuarantinedThread | None


def read_thread(folder: Path) -> ThreadReading:
    """Read one raw folder. Never raises for bad data: the folder is quarantined with a reason instead."""
    if UUID.fullmatch(folder.name) is None:
        return _quarantine(folder, "not_a_thread", f"the folder {folder.name!r} is no thread: its name is no UUID")
    try:
        return ThreadReading(_ThreadReader(folder).read(), None)
    except ReadFailure as failure:
        return ThreadReading(None, failure.quarantined)
    except OSError as error:
        what = f"{Path(error.filename).name!r}: {error.strerror}" if error.filename else str(error)
        return _quarantine(folder, "unreadable_folder", f"thread {folder.name}: {what}; make it readable")
    except RainbowError as error:
        return _quarantine(folder, "unreadable_folder", f"thread {folder.name}: {error}")
    except Exception as error:
        return _quarantine(folder, BUG, f"thread {folder.name}: {bug(error, f'reading the thread {folder.name}')}")


def _quarantine(folder: Path, reason: str, message: str) -> ThreadReading:
    return ThreadReading(None, QuarantinedThread(folder.name, reason, message))


class _ThreadReader:
    def __init__(self, folder: Path) -> None:
        self.folder, self.thread_id = folder, folder.name
        self.anomalies: list[Anomaly] = []
        self.contents: dict[str, Content] = {}

    def note(self, kind: str, file: str, where: str, message: str) -> None:
        severity = KINDS[kind][0]
        self.anomalies.append(
            Anomaly(self.thread_id, file, where, kind, severity, message, _ACTIONS[severity]))

    def fail(self, reason: str, message: str) -> ReadFailure:
        return ReadFailure(QuarantinedThread(self.thread_id, reason, f"thread {self.thread_id}: {message}"))

    def read(self) -> Thread:
        files = list_thread(self.folder)
        for link in files.links:
            self.note("link", link, "",
                      f"{link} is a link, a pipe or a device; copy the file itself if it belongs here")
        dropped, kept = files.dropped, files.kept
        taken = [file for file in kept if file in RESERVED]
        if taken:
            raise self.fail("reserved_name", f"{taken[0]} has the name of a file that packing writes; rename it")
        gone = {item.file.rpartition("/")[2] for item in dropped}
        for file in kept:
            self.contents[file] = read_content(self.folder, file, self.thread_id, gone)
        iterations = self._iterations(kept)
        artifacts = self._artifacts(kept, iterations)
        references = self._references(set(kept), {item.file for item in dropped})
        digests = {file: content.sha256 for file, content in self.contents.items()}
        times = [ms for item in iterations if (ms := proposals.own_ms(item)) is not None]
        return Thread(
            self.thread_id, self.folder, inputs_digest(digests), tuple(iterations), tuple(artifacts), dropped,
            tuple(references), tuple(sorted(self.anomalies)), self._dialogue(), max(times) if times else None,
            {file: content.copy for file, content in self.contents.items() if content.copy is not None})

    def _iterations(self, kept: Sequence[str]) -> list[Iteration]:
        file = self._proposals_file(kept)
        content = self.contents[file]
        if content.problem is not None:
            raise self.fail("unreadable_proposals", content.problem)
        entries = content.value.get("iterations") if isinstance(content.value, dict) else None
        if not isinstance(entries, list) or not any(isinstance(entry, dict) for entry in entries):
            raise self.fail("no_iterations", f"{file} holds no list 'iterations' of proposals")
        found: list[Iteration] = []
        for index, entry in enumerate(entries):
            if not isinstance(entry, dict):
                self.note("odd_proposal", file, f"iterations[{index}]", f"the entry is {type(entry).__name__}")
                continue
            item, remarks = proposals.read_iteration(entry, index)
            found.append(item)
            for kind, message in remarks:
                self.note(kind, file, f"iterations[{index}]", message)
        found = self._with_full_concepts(proposals.mark_final(found), file)
        self._check_final(next(item for item in found if item.is_final), file)
        self._check_overwritten(found, file)
        return found

    def _proposals_file(self, kept: Sequence[str]) -> str:
        files = [file for file in kept if file.rpartition("/")[2].startswith("all_song_proposals_")
                 and file.endswith((".yml", ".yaml"))]
        if not files:
            raise self.fail("no_proposals", "there is no yml/all_song_proposals_<thread>.yml")
        own = [file for file in files if self.thread_id in file.rpartition("/")[2]]
        chosen = (own or files)[0]
        if len(files) > 1:
            self.note("several_proposal_files", chosen, "", f"{', '.join(files)}: {chosen} is used")
        elif not own:
            self.note("thread_id_disagrees", chosen, "", f"{chosen} is named after another thread")
        return chosen

    def _check_final(self, final: Iteration, file: str) -> None:
        if not final.title or final.bpm is None:
            raise self.fail("unusable_final", f"{file}, iterations[{final.index}]: the final proposal has no "
                                              f"{'title' if not final.title else 'whole number of bpm'}")
        if final.color != "White":
            self.note("final_not_white", file, f"iterations[{final.index}]",
                      f"the final proposal is {final.color or final.raw_color!r}")

    def _check_overwritten(self, found: list[Iteration], file: str) -> None:
        seen: dict[tuple[str, str], int] = {}
        for item in found:
            before = seen.setdefault((item.raw_color, item.iteration_id), item.index)
            if before != item.index:
                self.note("overwritten_proposal", file, f"iterations[{item.index}]",
                          f"color and id {item.iteration_id!r} are those of iterations[{before}]")

    def _with_full_concepts(self, found: list[Iteration], file: str) -> list[Iteration]:
        """Put the longest text of a cut concept in its place, where a single proposal's file still has it."""
        result = []
        for item in found:
            if item.concept_cut:
                start = item.concept.removesuffix("...").rstrip()
                texts = (self._single_concept(name) for name in self.contents if item.iteration_id in name)
                longer = max((text for text in texts if text.startswith(start)), key=len, default=item.concept)
                if len(longer) > len(item.concept):
                    item = replace(item, concept=longer, concept_cut=False)
                else:
                    self.note("concept_cut", file, f"iterations[{item.index}]",
                              f"the concept ends in ... after {len(item.concept):,} characters")
            result.append(item)
        return result

    def _single_concept(self, name: str) -> str:
        """The concept in a single proposal's file, or nothing if there is none."""
        if names.read_name(name).type != "song_proposal":
            return ""
        value = self.contents[name].value
        concept = value.get("concept") if isinstance(value, dict) else None
        return concept if isinstance(concept, str) else ""

    def _artifacts(self, kept: Sequence[str], iterations: list[Iteration]) -> list[Artifact]:
        made = []
        last = {item.color: item.index for item in iterations if item.color and not item.is_final}
        final = next(item for item in iterations if item.is_final)
        last["White"] = final.index
        for file in kept:
            content, name = self.contents[file], names.read_name(file)
            kind, color = names.typed_by_content(name, content.value)
            index, basis = _parent(name, color, iterations, last)
            made.append(Artifact(file, kind, color, content.size, content.sha256, content.packed_size,
                                 content.packed_sha256, content.changes, index, basis))
            if name.unnamed:
                self.note("unknown_artifact_name", file, "", f"its writer had no name for it; read as {kind}")
            for anomaly_kind, where, message in content.remarks:
                self.note(anomaly_kind, file, where, message)
            self._check_owner(file, content.value)
        return made

    def _check_owner(self, file: str, value: Any) -> None:
        owner = value.get("thread_id") if isinstance(value, dict) else None
        if isinstance(owner, str) and owner not in (self.thread_id, ""):
            self.note("thread_id_disagrees", file, "thread_id", f"it names the thread {owner[:60]}")

    def _references(self, kept: set[str], dropped: set[str]) -> list[Reference]:
        found: list[Reference] = []
        for file, content in self.contents.items():
            for where, target in content.targets:
                status = ("kept" if target in kept else "removed" if target in dropped or rule_for(target)
                          else "outside" if target.startswith(("outside/", "..")) else "missing")
                found.append(Reference(file, where, target, status))
                if status in ("removed", "missing"):
                    what = "packing leaves out" if status == "removed" else "is not in the thread"
                    self.note(f"{status}_reference", file, where, f"it names {target}, which {what}")
        return sorted(found, key=lambda item: (item.file, item.where, item.target))

    def _dialogue(self) -> tuple[str, ...]:
        return tuple(opening for file, content in self.contents.items() if file.endswith(".md") and content.text
                     for opening in openers(content.text))


def _parent(
    name: names.FileName, color: str | None, iterations: list[Iteration], last: dict[str, int]
) -> tuple[int | None, str | None]:
    """The proposal that an artifact belongs to: named by the file, else the last one of the artifact's color."""
    if name.proposal is not None:
        wanted = name.proposal[1]
        same = [item for item in iterations if item.iteration_id == wanted]
        colored = [item for item in same if item.color == color]
        chosen = colored or same
        return (chosen[-1].index, "id") if chosen else (None, None)
    if name.type == "all_song_proposals" or color is None or color not in last:
        return None, None
    return last[color], "color"
