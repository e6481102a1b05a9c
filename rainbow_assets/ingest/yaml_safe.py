"""Safe loading of small YAML documents: no tags that make objects, no alias bombs, no bottomless nesting.

Scalars follow YAML 1.2 where 1.1 would lose what was written: dates, ``No``, ``4:25`` and ``01_01`` stay text, and a
number becomes one only where its text can be got back (``007`` and ``1.10`` stay text).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from rainbow_assets.errors import RainbowError

LIMIT_BYTES = 4 << 20
LIMIT_NODES = 200_000
LIMIT_DEPTH = 40


class UnreadableYaml(RainbowError):
    """A document that cannot be read safely; the message says why and on which ``line`` (1-based, 0: no line)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


class _Loader(yaml.CSafeLoader):
    """The safe loader of libyaml with fewer guesses."""


def _int(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Any:
    return int(node.value) if len(node.value) < 20 else node.value


def _float(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> Any:
    value = float(node.value)
    return value if str(value) == node.value else node.value


_RULES = {
    "tag:yaml.org,2002:bool": (r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    "tag:yaml.org,2002:int": (r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
    "tag:yaml.org,2002:float": (r"^-?[0-9]+\.[0-9]+$", "-0123456789"),
}
_KEPT = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _KEPT]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _tag, (_pattern, _first) in _RULES.items():
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def load(data: bytes) -> Any:
    """Return the plain value of the YAML document ``data``; raise ``UnreadableYaml``."""
    if len(data) > LIMIT_BYTES:
        raise UnreadableYaml(f"it has {len(data):,} bytes; at most {LIMIT_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableYaml("not UTF-8; save the file as UTF-8", data.count(b"\n", 0, error.start) + 1) from None
    try:
        _guard(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  (a subclass of the safe loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableYaml(error.problem or "not YAML", mark.line + 1 if mark else 0) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 0
        raise UnreadableYaml("a control character that YAML does not allow; remove it", line) from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise UnreadableYaml(f"not YAML ({str(error).splitlines()[0] if str(error) else 'unreadable'})") from None


@dataclass
class _Open:
    """A collection being read: nodes in it with aliases expanded, its anchor, and for a mapping its keys so far."""

    anchor: str | None
    mapping: bool
    nodes: int = 1
    children: int = 0
    keys: set[str] = field(default_factory=set)


def _guard(text: str) -> None:
    """Walk the document event by event before anything is built: depth, size with aliases expanded, repeated keys."""
    stack: list[_Open] = [_Open(None, False)]
    sizes: dict[str, int] = {}
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(_Open(event.anchor, isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = stack.pop()
            if done.anchor:
                sizes[done.anchor] = done.nodes
            _count(stack[-1], done.nodes, line)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise UnreadableYaml(f"the alias *{event.anchor} stands for nothing before it; write the value out",
                                     line)
            _count(stack[-1], sizes[event.anchor], line)
        elif isinstance(event, yaml.ScalarEvent):
            _key(stack[-1], event, line)
            if event.anchor:
                sizes[event.anchor] = 1
            _count(stack[-1], 1, line)
        if len(stack) > LIMIT_DEPTH:
            raise UnreadableYaml(f"nested more than {LIMIT_DEPTH} deep", line)


def _key(parent: _Open, event: yaml.ScalarEvent, line: int) -> None:
    if parent.mapping and parent.children % 2 == 0 and event.value != "<<":
        if event.value in parent.keys:
            raise UnreadableYaml(f"the field {event.value!r} stands twice; keep one of them", line)
        parent.keys.add(event.value)


def _count(parent: _Open, nodes: int, line: int) -> None:
    parent.nodes += nodes
    parent.children += 1
    if parent.nodes > LIMIT_NODES:
        raise UnreadableYaml(f"more than {LIMIT_NODES:,} values, aliases expanded", line)
