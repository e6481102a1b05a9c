"""One file of a thread: its bytes' digest, its plain value where it is YAML, and what its copy will look like."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.ingest.digests import file_sha256
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.ingest.yaml_tolerant import DEFAULT_LIMITS, Document, parse_text
from rainbow_assets.threads import rewrite
from rainbow_assets.threads.rewrite import ABSOLUTE, PathChange, has_absolute, relative

TEXT_SUFFIXES = (".yml", ".yaml", ".json", ".md", ".html", ".htm", ".txt", ".csv", ".xml", ".svg", ".lrc")
SMALL = 1 << 20
"""Files up to this many bytes are read once and written from memory; larger ones are streamed and compared."""
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""Flags that a system lacks are those that it does not need: Windows has no O_CLOEXEC, POSIX has no O_BINARY."""
TEXT_LIMIT = 64 << 20
"""A text file over this many bytes is copied as it is and flagged."""
LONGEST_PATH = 1024
"""Characters that are searched for the end of a path; a document may be a single line."""
_TARGET = re.compile(r"(?:[A-Za-z_]+/)+[^\n\"'<>|]*\.[A-Za-z0-9]{1,5}")


@dataclass(slots=True)
class Content:
    """The content of a file. ``copy`` are the packed file's bytes, None if a big file is copied as it is.

    ``targets`` are (where, path relative to the thread) for every path found; ``remarks`` are (kind, where, sentence);
    ``problem`` is why YAML could not be read. ``text`` is set for Markdown only.
    """

    size: int
    sha256: str
    value: Any = None
    text: str | None = None
    copy: bytes | None = None
    problem: str | None = None
    changes: tuple[str, ...] = ()
    targets: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str, str]] = field(default_factory=list)
    packed_size: int = 0
    packed_sha256: str = ""


def read_content(folder: Path, file: str, thread_id: str, gone: set[str]) -> Content:
    """Read ``file`` of the thread ``folder``; ``gone`` are the names of files that packing leaves out."""
    path = f"{folder}/{file}"
    is_text = file.lower().endswith(TEXT_SUFFIXES)
    data = _read_small(path, TEXT_LIMIT if is_text else SMALL)
    if data is None:
        size = os.stat(path).st_size
        content = Content(size, file_sha256(Path(path)))
        if is_text:
            sentence = f"it has {size:,} bytes; at most {TEXT_LIMIT:,} are searched"
            content.remarks.append(("too_big_to_rewrite", "", sentence))
        content.packed_size, content.packed_sha256 = content.size, content.sha256
        return content
    content = Content(len(data), hashlib.sha256(data).hexdigest())
    content.copy = _text_copy(content, data, file, thread_id, gone) if is_text else data
    if content.copy is data:
        content.packed_size, content.packed_sha256 = content.size, content.sha256
    else:
        content.packed_size, content.packed_sha256 = len(content.copy), hashlib.sha256(content.copy).hexdigest()
    return content


def _read_small(path: str, limit: int) -> bytes | None:
    """The file's bytes, or None if there are more than ``limit``. Plain system calls: there are many small files."""
    descriptor = os.open(path, os.O_RDONLY | _FLAGS | _NO_LINK)
    try:
        size = os.fstat(descriptor).st_size
        if size > limit:
            return None
        data = os.read(descriptor, size + 1)
        if len(data) == size:
            return data
        # The file grew or shrank in between, or the system gave it in pieces: read on to its end.
        parts = [data]
        while parts[-1]:
            parts.append(os.read(descriptor, 1 << 16))
        return b"".join(parts)
    finally:
        os.close(descriptor)


def write_small(path: str, data: bytes) -> None:
    """Create the file ``path`` with ``data``; raise FileExistsError, OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view):]
    finally:
        os.close(descriptor)


def _text_copy(content: Content, data: bytes, file: str, thread_id: str, gone: set[str]) -> bytes:
    """Fill in what is read from the text, and return the packed file's bytes: ``data`` itself if nothing changes."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        content.remarks.append(("no_text", f"line {line}", "the text is not UTF-8"))
        text = data.decode("utf-8", "surrogateescape")
    lower = file.lower()
    new = text
    if lower.endswith((".yml", ".yaml")) or (lower.endswith(".json") and "!!python/" in text):
        new = _yaml(content, text, file, thread_id, gone)
    else:
        if lower.endswith(".md"):
            content.text = text
        if lower.endswith(".json"):
            content.value = _json(text)
        if has_absolute(text):
            new, changes = relative(text, thread_id)
            _remark_paths(content, changes)
            content.targets.extend(_targets(new, text, thread_id))
    return data if new == text else new.encode("utf-8", "surrogateescape")


def _json(text: str) -> Any:
    """The plain value of a JSON artifact, or None: its type is then read from its name alone."""
    try:
        return json.loads(text) if len(text) <= DEFAULT_LIMITS.file_bytes else None
    except (ValueError, RecursionError):
        return None


def _yaml(content: Content, text: str, file: str, thread_id: str, gone: set[str]) -> str:
    def watch(value: str) -> bool:
        return has_absolute(value) or value.rpartition("/")[2] in gone

    bare = text.removeprefix("\ufeff")
    hot = has_absolute(bare) or any(name in bare for name in gone)
    try:
        document = parse_text(bare, file, watch=watch if hot else None)
    except UnreadableYaml as error:
        content.problem = str(error)
        content.remarks.append(("unreadable_yaml", f"line {error.line}" if error.line else "", str(error)))
        if not has_absolute(text):
            return text
        new, changes = relative(text, thread_id)
        _remark_paths(content, changes)
        return new
    content.value = rewrite.relative_value(document.value, thread_id) if hot else document.value
    for note in document.notes:
        content.remarks.append(("odd_yaml", f"line {note.line}", note.message))
    _find_targets(content, document, thread_id)
    if not document.tags and not (hot and has_absolute(bare)):
        return text
    edited = rewrite.edit(bare, document, thread_id)
    if edited.tags:
        content.changes = (f"{edited.tags} Python tags made plain",)
        content.remarks.append(("python_tags", f"line {document.tags[0].line}", _tag_names(document)))
    _remark_paths(content, list(edited.paths))
    return edited.text


def _tag_names(document: Document) -> str:
    found = sorted({tag.name.rpartition(".")[2] for tag in document.tags})
    return f"{len(document.tags)} Python tags ({', '.join(found)[:200]}) are read as plain values"


def _find_targets(content: Content, document: Document, thread_id: str) -> None:
    for item in document.marked:
        target = relative(item.value, thread_id)[0]
        if target not in ("..", "."):
            content.targets.append((item.field or f"line {item.line}", target))


def _targets(new: str, text: str, thread_id: str) -> list[tuple[str, str]]:
    """Paths that a text (not YAML) names, by line, where its machine part was replaced."""
    found: list[tuple[str, str]] = []
    for number, (line, old) in enumerate(zip(new.splitlines(), text.splitlines(), strict=False), 1):
        if line != old:
            for match in ABSOLUTE.finditer(old):
                rest = relative(old[match.start():match.start() + LONGEST_PATH], thread_id)[0]
                target = _TARGET.match(rest)
                if target:
                    found.append((f"line {number}", target[0].rstrip(" ,;)")))
    return found


def _remark_paths(content: Content, changes: list[PathChange]) -> None:
    if not changes:
        return
    content.changes = (*content.changes, f"{len(changes)} machine paths made relative")
    content.remarks.append(("machine_path", "", f"{len(changes)} machine paths are made relative"))
    outside = sorted({change.found for change in changes if change.kind == "outside"})
    if outside:
        sentence = f"{len(outside)} paths lead outside the threads; their tails are kept"
        content.remarks.append(("outside_path", "", sentence))
