"""Threads as they are measured: read from manifests, whether this program or the original one wrote them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import read_plain
from rainbow_assets.threads.colors import find_color
from rainbow_assets.threads.keys import KeyReading, read_key, read_meter
from rainbow_assets.threads.wording import openers


class UnusableManifest(RainbowError):
    """A manifest that cannot be counted; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class ThreadProposal:
    """What is counted of one proposal, final or not. ``raw_key`` is the key as its writer had it."""

    thread_id: str
    title: str
    bpm: int | None
    key: KeyReading
    raw_key: Any
    time_signature: str | None
    color: str | None
    concept: str
    mood: tuple[str, ...]
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasuredThread:
    """One thread as its manifest describes it. ``iterations`` and ``dialogue`` are empty if the manifest has none."""

    thread_id: str
    directory: str
    final: ThreadProposal
    iterations: tuple[ThreadProposal, ...]
    iteration_count: int
    dialogue: tuple[str, ...]
    timestamp: str | None
    timestamp_source: str | None


def read_folder(folder: Path) -> list[MeasuredThread]:
    """Read every manifest below ``folder``, sorted by thread id.

    ``folder`` holds packed threads (``*/manifest.yml``) or manifests alone (``*.yml``). Raises ``UsageError`` where
    there is neither, ``UnusableManifest`` where one cannot be counted.
    """
    if not folder.is_dir():
        raise UsageError(f"the folder of manifests {folder} does not exist")
    paths = sorted(folder.glob("*/manifest.yml"))
    if not paths:
        paths = sorted(path for path in folder.glob("*.yml") if path.name not in ("index.yml", OUTPUT))
    if not paths:
        raise UsageError(f"{folder} holds no manifest: neither */manifest.yml nor *.yml")
    found = [read_manifest(path) for path in paths]
    seen: dict[str, str] = {}
    for path, item in zip(paths, found, strict=True):
        if item.thread_id in seen:
            raise UnusableManifest(f"{path.name} and {seen[item.thread_id]} are both of thread {item.thread_id}; "
                                   "keep one of the two")
        seen[item.thread_id] = path.name
    return sorted(found, key=lambda item: item.thread_id)


OUTPUT = "negative_constraints.yml"


def read_manifest(path: Path) -> MeasuredThread:
    """Read one manifest; raise ``UnusableManifest``."""
    name = f"{path.parent.name}/{path.name}" if path.name == "manifest.yml" else path.name
    try:
        document = read_plain(path, name).value
    except UnreadableYaml as error:
        raise UnusableManifest(str(error)) from error
    except OSError as error:
        raise UnusableManifest(f"{name} cannot be read: {error.strerror}") from error
    if not isinstance(document, dict):
        raise UnusableManifest(f"{name} is no mapping of fields; it is no thread manifest")
    for field in ("thread_id", "title"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise UnusableManifest(f"{name}, field {field}: a text is needed there")
    thread_id = str(document["thread_id"])
    rows = document.get("iterations")
    iterations = tuple(proposal(thread_id, row) for row in (rows if isinstance(rows, list) else ())
                       if isinstance(row, dict))
    timestamp, newest = document.get("timestamp"), document.get("newest_artifact_at")
    source = "manifest" if timestamp is not None else "newest_artifact" if newest is not None else None
    count = document.get("iteration_count")
    return MeasuredThread(
        thread_id, str(document.get("directory") or (path.parent.name if path.name == "manifest.yml" else path.stem)),
        proposal(thread_id, document), iterations, count if isinstance(count, int) else len(iterations),
        _dialogue(path), str(timestamp if timestamp is not None else newest) if source else None, source)


def proposal(thread_id: str, row: dict[Any, Any]) -> ThreadProposal:
    """Return what is counted of a manifest or of one line of its ``iterations``."""
    raw = row.get("key_raw") or row.get("key")
    bpm, color = row.get("bpm"), row.get("rainbow_color")
    found = find_color(color) if isinstance(color, str) else None
    return ThreadProposal(
        thread_id, str(row.get("title") or ""), bpm if isinstance(bpm, int) and not isinstance(bpm, bool) else None,
        read_key(raw), raw, read_meter(row.get("time_signature") or row.get("tempo")).label,
        found.name if found else None, str(row.get("concept") or ""), _texts(row.get("mood")),
        _texts(row.get("genres")))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _dialogue(path: Path) -> tuple[str, ...]:
    """Openings of the answers in the packed thread's Markdown; none for a manifest without its folder."""
    if path.name != "manifest.yml":
        return ()
    found: list[str] = []
    for file in sorted(path.parent.glob("md/*.md")):
        found.extend(openers(file.read_text("utf-8", "replace")))
    return tuple(found)
