"""YAML from strangers as plain values: Python tags are read, never obeyed.

libyaml turns the text into events and the loop below builds dictionaries, lists, strings, numbers, booleans and None
from them. Nothing recurses, so that nesting cannot exhaust a stack; aliases are counted at their expanded size, so
that a "billion laughs" document stops early; ``!!python/...`` tags only ever name what the plain value was:

* ``object/apply`` and ``object/new`` give their only argument where that is one scalar, else their list or mapping;
* ``tuple`` gives a list; ``name``, ``module`` give the dotted name as text; ``str``, ``int`` ... the scalar itself.

Dates stay text: a thread's dates are fiction and keep the form in which they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from rainbow_assets.errors import RainbowError
from rainbow_assets.ingest.yaml_scalars import BadScalar, plain_scalar

Kind = Literal["too_big", "too_deep", "alias_bomb", "not_yaml"]
PYTHON = "tag:yaml.org,2002:python/"
STANDARD = "tag:yaml.org,2002:"
_MANY_DIRECTIVES = 100


class UnreadablePlainYaml(RainbowError):
    """A document that is not read; ``kind`` is a stable name, ``line`` is 1-based (0: the file as a whole)."""

    def __init__(self, kind: Kind, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}, line {line}: {message}" if line else f"{file}: {message}")
        self.kind, self.file, self.line = kind, file, line


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """What a document may cost. Real threads: 50 KB, 1,200 nodes, depth 5, scalars of 2,100 characters."""

    file_bytes: int = 16 << 20
    scalar_chars: int = 1 << 20
    depth: int = 64
    nodes: int = 200_000
    """Nodes after aliases have been expanded."""
    chars: int = 32 << 20
    """Characters of all scalars after aliases have been expanded."""


DEFAULT_LIMITS = YamlLimits()


@dataclass(frozen=True, slots=True)
class PythonTag:
    """A tag that stood in the text. ``start`` and ``end`` are the character range of the tag alone.

    ``whole`` is the range of the tagged node where it stands for one scalar, ``value`` what that became, and ``anchor``
    the name that later aliases call it by.
    """

    name: str
    line: int
    start: int
    end: int
    whole: tuple[int, int] | None = None
    value: Any = None
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A scalar that the caller asked to see: value, character range, style (None: plain), line and field path."""

    value: str
    start: int
    end: int
    style: str | None
    line: int
    field: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class YamlRemark:
    """Something odd that did not stop the reading: a repeated key, a number that is none, an unknown tag."""

    line: int
    kind: str
    message: str


@dataclass(slots=True)
class Document:
    """A plain value and what was met on the way to it."""

    value: Any
    tags: list[PythonTag] = field(default_factory=list)
    marked: list[Marked] = field(default_factory=list)
    notes: list[YamlRemark] = field(default_factory=list)


Watch = Callable[[str], bool]


def read_plain(path: Path, name: str | None = None, limits: YamlLimits = DEFAULT_LIMITS) -> Document:
    """Read the file ``path``; raise ``UnreadablePlainYaml``. A file over the size limit is never opened."""
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise _too_big(name or path.name, size, limits)
    return parse_bytes(path.read_bytes(), name or path.name, limits)


def parse_bytes(
    data: bytes, file: str = "<text>", limits: YamlLimits = DEFAULT_LIMITS, watch: Watch | None = None
) -> Document:
    """Return the one document in ``data`` (UTF-8, with or without a byte order mark); raise ``UnreadablePlainYaml``."""
    if len(data) > limits.file_bytes:
        raise _too_big(file, len(data), limits)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadablePlainYaml("not_yaml", file, line, "the text is not UTF-8; save the file as UTF-8") from None
    return parse_text(text, file, limits, watch)


def parse_text(
    text: str, file: str = "<text>", limits: YamlLimits = DEFAULT_LIMITS, watch: Watch | None = None
) -> Document:
    """Return the one document in ``text``; ``watch`` picks the scalars to report in ``marked``."""
    if len(text) > limits.file_bytes:
        raise _too_big(file, len(text), limits)
    if text.count("\n%") > _MANY_DIRECTIVES:
        # libyaml compares each %TAG line with all before it: thousands of them cost hours.
        raise UnreadablePlainYaml("not_yaml", file, text.count("\n", 0, text.index("\n%")) + 2,
                             "more than 100 lines start with %; a thread has none")
    builder = _Builder(text, file, limits, watch)
    parser = None
    try:
        parser = yaml.CSafeLoader(text)
        return builder.run(parser)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "this is not YAML"
        raise UnreadablePlainYaml("not_yaml", file, mark.line + 1 if mark else 0, problem) from None
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        line = text.count("\n", 0, position) + 1
        raise UnreadablePlainYaml("not_yaml", file, line, f"a character that YAML forbids ({error.reason})") from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UnreadablePlainYaml("not_yaml", file, line, "half a surrogate pair stands alone") from None
    finally:
        if parser is not None:
            parser.dispose()


def surely_well_formed(text: str) -> bool:
    """Tell, six times faster than by reading it, whether ``text`` is one safe document without tags and aliases.

    False means "read it to find out": long texts and any sign of anchors, tags or deep nesting are not judged here.
    """
    if len(text) > _QUICK_CHARS or any(sign in text for sign in _QUICK_SIGNS) \
            or text.count("[") + text.count("{") > DEFAULT_LIMITS.depth:
        return False
    parser = None
    try:
        parser = yaml.CSafeLoader(text)
        parser.raw_parse()
    except (yaml.YAMLError, UnicodeEncodeError):
        return False
    finally:
        if parser is not None:
            parser.dispose()
    # Block nesting costs at least one column per level.
    return all(len(line) - len(line.lstrip(" -?:")) < DEFAULT_LIMITS.depth for line in text.splitlines())


_QUICK_CHARS = 64 << 10
_QUICK_SIGNS = ("&", "*", "!", "%", "\n---", "\n...", "<<", "\x00")


def _too_big(file: str, size: int, limits: YamlLimits) -> UnreadablePlainYaml:
    return UnreadablePlainYaml("too_big", file, 0, f"it has {size:,} bytes; at most {limits.file_bytes:,} are read")


_MISSING: Any = object()
_TAG_TOKEN = re.compile(r"!!python/[^\s,\[\]{}]*|!<[^>\s]*>|![^\s!,\[\]{}]*![^\s,\[\]{}]*|![^\s,\[\]{}]*")


class _Frame:
    """A collection under construction."""

    __slots__ = ("anchor", "chars", "first", "flow", "key", "line", "mapping", "merges", "nodes", "start", "tag",
                 "token",
                 "value")

    def __init__(self, value: Any, tag: str | None, anchor: str | None, event: Any) -> None:
        self.value, self.tag, self.anchor = value, tag, anchor
        self.mapping = isinstance(value, dict)
        self.key: Any = _MISSING
        self.merges: list[Any] = []
        self.start, self.line = event.start_mark.index, event.start_mark.line + 1
        self.nodes = self.chars = 0
        self.flow = bool(event.flow_style)
        self.token: tuple[int, int] | None = None
        self.first: tuple[int, int] | None = None


class _Builder:
    """Turns libyaml's events into one plain value, counting as it goes."""

    def __init__(self, text: str, file: str, limits: YamlLimits, watch: Watch | None) -> None:
        self.text, self.file, self.limits, self.watch = text, file, limits, watch
        self.document = Document(None)
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int, int] | None] = {}
        self.nodes = self.chars = self.documents = 0

    def run(self, parser: Any) -> Document:
        """Consume all events of ``parser``."""
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open({}, event)
            elif kind is yaml.SequenceStartEvent:
                self._open([], event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self.documents += 1
                if self.documents > 1:
                    raise self._error("not_yaml", event, "a second document starts here; one file holds one")
            elif kind is yaml.StreamEndEvent:
                return self.document

    def _error(self, kind: Kind, event: Any, message: str) -> UnreadablePlainYaml:
        return UnreadablePlainYaml(kind, self.file, event.start_mark.line + 1, message)

    def _count(self, event: Any, nodes: int, chars: int) -> None:
        self.nodes += nodes
        self.chars += chars
        if self.nodes > self.limits.nodes or self.chars > self.limits.chars:
            alias = isinstance(event, yaml.AliasEvent)
            what = (f"{self.nodes:,} nodes" if self.nodes > self.limits.nodes else f"{self.chars:,} characters")
            bound = self.limits.nodes if self.nodes > self.limits.nodes else self.limits.chars
            raise self._error("alias_bomb" if alias else "too_big", event,
                              f"the document has grown to {what}{' through aliases' if alias else ''}; "
                              f"at most {bound:,} are read")

    def _scalar(self, event: Any) -> None:
        value = event.value
        if len(value) > self.limits.scalar_chars:
            raise self._error("too_big", event, f"one text has {len(value):,} characters; at most "
                                                f"{self.limits.scalar_chars:,} are read")
        self._count(event, 1, len(value))
        tag, plain = event.tag, event.implicit[0]
        if tag is not None and tag != "!":
            made = self._tagged_scalar(tag, value, event)
        elif plain and not event.style:
            made = self._resolve(None, value, event)
        else:
            made = value
        if self.watch is not None and isinstance(made, str) and self.watch(made):
            start, end = event.start_mark.index, event.end_mark.index
            self.document.marked.append(
                Marked(made, start, end, event.style or None, event.start_mark.line + 1, self._where(),
                       event.anchor))
        if event.anchor is not None:
            self.anchors[event.anchor] = (made, 1, len(value))
        frame = self.stack[-1] if self.stack else None
        if frame is not None and frame.mapping and frame.key is _MISSING and tag is None and not event.style \
                and value == "<<":
            frame.key = yaml.MappingNode
            return
        if frame is not None and frame.tag is not None and not frame.mapping and not frame.value \
                and event.anchor is None:
            frame.first = (event.start_mark.index, event.end_mark.index)
        self._add(made, event)

    def _resolve(self, tag: str | None, value: str, event: Any) -> Any:
        try:
            return plain_scalar(value, tag)
        except BadScalar as problem:
            self.document.notes.append(YamlRemark(event.start_mark.line + 1, "odd_scalar", str(problem)))
            return value

    def _tagged_scalar(self, tag: str, value: str, event: Any) -> Any:
        if tag.startswith(PYTHON):
            name = tag.removeprefix(PYTHON)
            kind, _, dotted = name.partition(":")
            made: Any = value
            if kind in ("name", "module"):
                made = dotted
            elif kind in ("int", "long", "float", "bool", "none"):
                made = self._resolve(STANDARD + {"long": "int", "none": "null"}.get(kind, kind), value, event)
            elif kind.startswith("object") and not value:
                # An object without arguments: only its class is known.
                made = dotted
            start, end = self._token(event)
            whole = (event.start_mark.index, event.end_mark.index)
            self.document.tags.append(PythonTag(name, event.start_mark.line + 1, start, end, whole, made, event.anchor))
            return made
        if tag.startswith(STANDARD):
            return self._resolve(tag, value, event)
        self.document.notes.append(YamlRemark(
            event.start_mark.line + 1, "unknown_tag", f"the tag {tag[:80]} is not known; its value is read as text"))
        return value

    def _token(self, event: Any) -> tuple[int, int]:
        """Character range of the tag itself: after an anchor, at the latest where the event ends."""
        found = _TAG_TOKEN.search(self.text, event.start_mark.index)
        return (found.start(), found.end()) if found else (event.start_mark.index, event.start_mark.index)

    def _open(self, value: Any, event: Any) -> None:
        if len(self.stack) >= self.limits.depth:
            raise self._error("too_deep", event, f"nested more than {self.limits.depth} levels deep")
        frame = _Frame(value, event.tag, event.anchor, event)
        frame.nodes, frame.chars = self.nodes, self.chars
        if event.tag is not None and event.tag.startswith(PYTHON):
            frame.token = self._token(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self._count(event, 1, 0)
        self.stack.append(frame)

    def _close(self, event: Any) -> None:
        frame = self.stack.pop()
        value = frame.value
        if frame.merges:
            merged: dict[Any, Any] = {}
            for other in reversed(frame.merges):
                merged.update(other)
            self._count(event, len(merged), 0)
            merged.update(value)
            value = merged
        if frame.tag is not None:
            value = self._tagged_collection(frame, value, event)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (value, self.nodes - frame.nodes, self.chars - frame.chars)
        self._add(value, event)

    def _tagged_collection(self, frame: _Frame, value: Any, event: Any) -> Any:
        tag = frame.tag or ""
        if tag.startswith(PYTHON):
            name = tag.removeprefix(PYTHON)
            # Only a scalar is unwrapped: what a class would have made of a list or a mapping is not known.
            single = frame.first is not None and len(value) == 1 and name.startswith("object/")
            made = value[0] if single else value
            whole = None
            if single and frame.first is not None:
                whole = (frame.start, event.end_mark.index if frame.flow else frame.first[1])
            start, end = frame.token or (frame.start, frame.start)
            self.document.tags.append(PythonTag(name, frame.line, start, end, whole, made, frame.anchor))
            return made
        if tag == f"{STANDARD}set" and isinstance(value, dict):
            return list(value)
        if not tag.startswith(STANDARD) and tag != "!":
            self.document.notes.append(YamlRemark(
                frame.line, "unknown_tag", f"the tag {tag[:80]} is not known; its value is read without it"))
        return value

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise self._error("not_yaml", event, f"the alias *{event.anchor} names nothing before it")
        known = self.anchors[event.anchor]
        if known is None:
            raise self._error("alias_bomb", event, f"the alias *{event.anchor} stands inside what it names")
        value, nodes, chars = known
        self._count(event, nodes, chars)
        self._add(value, event)

    def _add(self, value: Any, event: Any) -> None:
        if not self.stack:
            self.document.value = value
            return
        frame = self.stack[-1]
        if not frame.mapping:
            frame.value.append(value)
        elif frame.key is _MISSING:
            frame.key = self._key(value, event)
        elif frame.key is yaml.MappingNode:
            frame.key = _MISSING
            self._merge(frame, value, event)
        else:
            if frame.key in frame.value:
                self.document.notes.append(YamlRemark(event.start_mark.line + 1, "repeated_key",
                                                f"the key {str(frame.key)[:80]!r} stands twice; the last one counts"))
            frame.value[frame.key] = value
            frame.key = _MISSING

    def _key(self, value: Any, event: Any) -> Any:
        if isinstance(value, (list, dict)):
            self.document.notes.append(YamlRemark(event.start_mark.line + 1, "odd_key",
                                            "a key is a list or a mapping; it is read as text"))
            return str(value)
        return value

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise self._error("not_yaml", event, "<< merges mappings only")
        frame.merges.extend(parts)

    def _where(self) -> str:
        """Path of the scalar being read, for example ``audio_segments[3]``."""
        path = ""
        for frame in self.stack:
            if not frame.mapping:
                path += f"[{len(frame.value)}]"
            elif frame.key is not _MISSING and frame.key is not yaml.MappingNode:
                path += f".{frame.key}"
        return path.removeprefix(".")
