"""YAML that agents wrote (threads): Python tags are read, never obeyed, and oddities are remarked, not refused.

``!!python/...`` tags only name what the plain value was:

* ``object/apply`` and ``object/new`` give their only argument if that is one scalar, else their list or mapping;
* ``tuple`` gives a list; ``name``, ``module`` give the dotted name as text; ``str``, ``int`` ... the scalar itself.

Dates stay text: a thread's dates are fiction and keep the form in which they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.ingest.yaml_door import (
    MERGE,
    STANDARD,
    Guard,
    Loader,
    UnreadableYaml,
    YamlLimits,
    convert_with,
    decoded,
    guess_only,
    load,
    too_big,
)

DEFAULT_LIMITS = YamlLimits()
MAX_DIGITS = 300
"""Longer numbers stay text: no thread counts that far, and converting them is slow by design."""
_TAG = re.compile(r"!!python/[^\s,\[\]{}]*|!<[^>\s]*>|![^\s!,\[\]{}]*![^\s,\[\]{}]*|![^\s,\[\]{}]*")
_PLAIN = ("str", "map", "seq", "timestamp", "binary", "value", "merge", "omap", "pairs")
"""Standard types that are read as text, list or dictionary."""
_PYTHON_TYPES = {"int": "int", "long": "int", "float": "float", "bool": "bool", "none": "null"}


@dataclass(frozen=True, slots=True)
class PythonTag:
    """A tag that stood in the text. ``start`` and ``end`` are the character range of the tag alone.

    ``whole`` is the range of the tagged node if it is one scalar, ``value`` what that became, and ``anchor``
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


class _Tolerant(Loader):
    """Makes plain values of everything, and notes tags, watched scalars and remarks in ``document``."""

    def __init__(self, text: str, guard: Guard, document: Document, watch: Watch | None) -> None:
        super().__init__(text, guard)
        self.text, self.document, self.watch = text, document, watch

    def get_single_node(self) -> Any:
        """Return the document's node after looking for watched scalars in it."""
        node = super().get_single_node()
        if node is not None and self.watch is not None:
            self._look(node, "", set())
        return node

    def _look(self, node: Any, path: str, seen: set[yaml.Node]) -> None:
        """Mark the watched scalars below ``node``, which is at ``path``, for example ``audio_segments[3]``."""
        if node in seen:
            return
        seen.add(node)
        if isinstance(node, yaml.ScalarNode):
            self._mark(node, path.removeprefix("."))
        elif isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self._look(item, f"{path}[{place}]", seen)
        else:
            for key, value in node.value:
                self._look(key, path, seen)
                named = isinstance(key, yaml.ScalarNode) and key.tag != MERGE
                self._look(value, f"{path}.{key.value}" if named else path, seen)

    def _mark(self, node: yaml.ScalarNode, path: str) -> None:
        value, start, line = self.construct_object(node), node.start_mark.index, node.start_mark.line + 1
        if isinstance(value, str) and self.watch is not None and self.watch(value):
            self.document.marked.append(
                Marked(value, start, node.end_mark.index, node.style or None, line, path, self.anchors_at.get(start)))

    def plain(self, node: Any) -> Any:
        """Return the value of ``node`` whatever its tag promises: text, a list or a dictionary."""
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep=True) for key, value in node.value}

    def _key(self, node: Any) -> Any:
        key = self.construct_object(node, deep=True)
        if isinstance(key, (list, dict)):
            self.remark(node, "odd_key", "a key is a list or a mapping; it is read as text")
            return str(key)
        return key

    def unknown(self, node: Any) -> Any:
        """Return the value of a node with an unknown tag."""
        kind = "as text" if isinstance(node, yaml.ScalarNode) else "without it"
        self.remark(node, "unknown_tag", f"the tag {node.tag[:80]} is not known; its value is read {kind}")
        return self.plain(node)

    def python(self, name: str, node: Any) -> Any:
        """Return the plain value of a node with a Python tag, and note the tag."""
        only = self._only_scalar(name, node)
        if isinstance(node, yaml.ScalarNode):
            value, end = self._python_scalar(name, node), node.end_mark
        elif only is not None:
            value, end = self.construct_object(only), node.end_mark if node.flow_style else only.end_mark
        else:
            value, end = self.plain(node), None
        self._note_tag(name, node, value, end)
        return value

    def _only_scalar(self, name: str, node: Any) -> yaml.ScalarNode | None:
        """Return the argument that an object was made of. What a class makes of more than one scalar is not known."""
        only = node.value[0] if isinstance(node, yaml.SequenceNode) and len(node.value) == 1 else None
        if not name.startswith("object/") or not isinstance(only, yaml.ScalarNode):
            return None
        return None if only.start_mark.index in self.anchors_at else only

    def _python_scalar(self, name: str, node: yaml.ScalarNode) -> Any:
        kind, _, dotted = name.partition(":")
        if kind in ("name", "module") or (kind.startswith("object") and not node.value):
            # An object without arguments: only its class is known.
            return dotted
        standard = _PYTHON_TYPES.get(kind)
        return self.yaml_constructors[STANDARD + standard](self, node) if standard else node.value

    def _note_tag(self, name: str, node: Any, value: Any, end: Any) -> None:
        start = node.start_mark.index
        # The tag comes after an anchor, and at the latest where the node ends.
        found = _TAG.search(self.text, start)
        place = found.span() if found else (start, start)
        self.document.tags.append(PythonTag(name, node.start_mark.line + 1, *place, (start, end.index) if end else None,
                                            value, self.anchors_at.get(start)))

    def remark(self, node: yaml.Node, kind: str, message: str) -> None:
        """Note an oddity at ``node``."""
        self.document.notes.append(YamlRemark(node.start_mark.line + 1, kind, message))

    def repeated_key(self, key: yaml.ScalarNode) -> None:
        self.remark(key, "repeated_key", f"the key {key.value[:80]!r} is given twice; the last one counts")

    def bad_scalar(self, node: yaml.ScalarNode) -> Any:
        wanted = "true or false" if node.tag.endswith("bool") else "a number"
        self.remark(node, "odd_scalar", f"{node.value[:40]!r} cannot be read as {wanted}; it is read as text")
        return node.value


def _of_scalar(convert: Callable[[Any, Any], Any], loader: _Tolerant, node: Any) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return loader.plain(node)
    if len(node.value) > MAX_DIGITS:
        raise ValueError(node.value[:20])
    return convert(loader, node)


def _set(loader: _Tolerant, node: Any) -> Any:
    value = loader.plain(node)
    return list(value) if isinstance(value, dict) else value


guess_only(_Tolerant, "null", "bool", "int", "float", "merge")
for _name in _PLAIN:
    _Tolerant.add_constructor(STANDARD + _name, _Tolerant.plain)
for _name in ("null", "bool", "int", "float"):
    convert_with(_Tolerant, _name, partial(_of_scalar, getattr(SafeConstructor, f"construct_yaml_{_name}")))
_Tolerant.add_constructor(f"{STANDARD}set", _set)
_Tolerant.add_constructor(None, _Tolerant.unknown)
_Tolerant.add_multi_constructor(f"{STANDARD}python/", _Tolerant.python)


def read_plain(path: Path, name: str | None = None, limits: YamlLimits = DEFAULT_LIMITS) -> Document:
    """Read the file ``path``; raise ``UnreadableYaml``. A file over the size limit is never read."""
    file = name or path.name
    if (size := path.stat().st_size) > limits.file_bytes:
        raise too_big(file, size, limits)
    try:
        return parse_bytes(read_file(path, limits.file_bytes), file, limits)
    except RefusedFile as error:
        raise UnreadableYaml("not_yaml", file, 0, str(error)) from None


def parse_bytes(data: bytes, file: str = "<text>", limits: YamlLimits = DEFAULT_LIMITS) -> Document:
    """Return the one document in ``data`` (UTF-8, with or without a byte order mark); raise ``UnreadableYaml``."""
    return parse_text(decoded(data, file, limits), file, limits)


def parse_text(
    text: str, file: str = "<text>", limits: YamlLimits = DEFAULT_LIMITS, watch: Watch | None = None
) -> Document:
    """Return the one document in ``text``; ``watch`` picks the scalars to report in ``marked``."""
    document = Document(None)
    document.value = load(partial(_Tolerant, document=document, watch=watch), text, file, limits)
    return document
