"""The one door for YAML from outside: a guard walks through libyaml's events before PyYAML makes values of them.

The guard refuses what a document must not cost (bytes, depth, and values and characters with aliases expanded) and what
it must not hold (a second document, an alias to nothing or into itself). Two sets of rules use it: ``yaml_strict`` for
what people write by hand, ``yaml_tolerant`` for what agents wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import yaml
from yaml.constructor import ConstructorError

from rainbow_assets.errors import RainbowError

Kind = Literal["too_big", "too_deep", "alias_bomb", "not_yaml"]
STANDARD = "tag:yaml.org,2002:"
MERGE = f"{STANDARD}merge"
_MANY_DIRECTIVES = 100
_CONTROL = "a control character that YAML does not allow; remove it"


class UnreadableYaml(RainbowError):
    """A document that is not read.

    ``kind`` is a stable name, ``file`` may be empty, ``line`` is 1-based (0: none), ``problem`` is the rest of the
    message.
    """

    def __init__(self, kind: Kind, file: str, line: int, message: str) -> None:
        where = ", ".join(part for part in (file, f"line {line}" if line else "") if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.kind, self.file, self.line, self.problem = kind, file, line, message


@dataclass(frozen=True, slots=True)
class YamlLimits:
    """What a document may cost. Real threads: 50 KB, 1,200 nodes, depth 5, scalars of 2,100 characters."""

    file_bytes: int = 16 << 20
    scalar_chars: int = 1 << 20
    depth: int = 64
    nodes: int = 100_000
    """Values and keys after aliases have been expanded."""
    chars: int = 32 << 20
    """Characters of all scalars after aliases have been expanded."""


class Guard:
    """Walks through the events of a document before anything is made of it; raises ``UnreadableYaml``."""

    def __init__(self, file: str, limits: YamlLimits) -> None:
        self.file, self.limits = file, limits
        self.documents = self.nodes = self.chars = 0
        self.open: list[tuple[str | None, int, int]] = []
        """Of each open collection: its anchor, and how many nodes and characters there were before it."""
        self.sizes: dict[str, tuple[int, int] | None] = {}
        """Nodes and characters that an anchor names; None while its collection is open."""
        self.anchors_at: dict[int, str] = {}
        """Anchors by the place where their nodes start: a node does not know its own."""

    def walk(self, text: str) -> None:
        """Look at every event of ``text``."""
        parser = yaml.CSafeLoader(text)
        event = None
        while type(event) is not yaml.StreamEndEvent:
            event = parser.get_event()
            self._see(event)

    def _see(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close(*self.open.pop())
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event)
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                raise self._refusal("not_yaml", event, "a second document starts here; one file holds one")

    def _scalar(self, event: Any) -> None:
        length = len(event.value)
        if length > self.limits.scalar_chars:
            raise self._refusal("too_big", event, f"one text has {length:,} characters; at most "
                                                  f"{self.limits.scalar_chars:,} are read")
        self._count(event, 1, length)
        self._name(event, (1, length))

    def _name(self, event: Any, size: tuple[int, int] | None) -> None:
        if event.anchor in self.sizes:
            raise self._refusal("not_yaml", event, f"the anchor &{event.anchor} is defined twice; rename one of them")
        if event.anchor is not None:
            self.sizes[event.anchor] = size
            self.anchors_at[event.start_mark.index] = event.anchor

    def _open(self, event: Any) -> None:
        if len(self.open) >= self.limits.depth:
            raise self._refusal("too_deep", event, f"nested more than {self.limits.depth} levels deep")
        self.open.append((event.anchor, self.nodes, self.chars))
        self._count(event, 1, 0)
        self._name(event, None)

    def _close(self, anchor: str | None, nodes: int, chars: int) -> None:
        if anchor is not None:
            self.sizes[anchor] = (self.nodes - nodes, self.chars - chars)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if name not in self.sizes:
            raise self._refusal("not_yaml", event, f"the alias *{name} names nothing before it; write the value out")
        size = self.sizes[name]
        if size is None:
            raise self._refusal("alias_bomb", event, f"the alias *{name} is inside what it names")
        self._count(event, *size)

    def _count(self, event: Any, nodes: int, chars: int) -> None:
        self.nodes += nodes
        self.chars += chars
        if self.nodes > self.limits.nodes:
            raise self._grown(event, self.nodes, self.limits.nodes, "values")
        if self.chars > self.limits.chars:
            raise self._grown(event, self.chars, self.limits.chars, "characters")

    def _grown(self, event: Any, found: int, most: int, what: str) -> UnreadableYaml:
        alias = type(event) is yaml.AliasEvent
        return self._refusal("alias_bomb" if alias else "too_big", event,
                             f"the document has grown to {found:,} {what}{' through aliases' if alias else ''}; "
                             f"at most {most:,} are read")

    def _refusal(self, kind: Kind, event: Any, message: str) -> UnreadableYaml:
        return UnreadableYaml(kind, self.file, event.start_mark.line + 1, message)


class Loader(yaml.CSafeLoader):
    """PyYAML's safe loader behind the guard; raises ``UnreadableYaml``.

    Every collection is made before the next node, so that values are made in the order of the text; the guard has
    refused what would make this recursion deep or endless.
    """

    def __init__(self, text: str, guard: Guard) -> None:
        guard.walk(text)
        super().__init__(text)
        self.anchors_at = guard.anchors_at
        self.merged: set[yaml.Node] = set()

    def flatten_mapping(self, node: Any) -> None:
        """Put merged fields into a mapping, and report its repeated keys, which a dictionary does not show."""
        if node in self.merged or not isinstance(node, yaml.MappingNode):
            return
        self.merged.add(node)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if (key.tag, key.value) in seen:
                    self.repeated_key(key)
                seen.add((key.tag, key.value))
        super().flatten_mapping(node)

    def repeated_key(self, key: yaml.ScalarNode) -> None:
        """Refuse a key that is in its mapping already."""
        raise ConstructorError(None, None, f"the field {key.value!r} is given twice; keep one of them", key.start_mark)

    def bad_scalar(self, node: yaml.ScalarNode) -> Any:
        """Refuse a scalar that is not what its tag promises; a subclass may return the value to use."""
        raise ConstructorError(None, None, f"{node.value[:40]!r} is not what its tag promises, so this is not YAML; "
                                           "remove the tag", node.start_mark)


def _checked(convert: Callable[[Any, Any], Any], loader: Loader, node: Any) -> Any:
    try:
        return convert(loader, node)
    except (ValueError, KeyError, OverflowError, IndexError):
        return loader.bad_scalar(node)


def convert_with(loader: type[Loader], type_name: str, convert: Callable[[Any, Any], Any]) -> None:
    """Make ``loader`` read scalars of a standard type by ``convert``, whose failure is a bad scalar."""
    loader.add_constructor(STANDARD + type_name, partial(_checked, convert))


Loader.add_constructor(f"{STANDARD}map", partial(Loader.construct_mapping, deep=True))
Loader.add_constructor(f"{STANDARD}seq", partial(Loader.construct_sequence, deep=True))


def guess_only(loader: type[Loader], *type_names: str) -> None:
    """Leave ``loader`` only these of the types that PyYAML guesses for plain scalars."""
    tags = {STANDARD + name for name in type_names}
    loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag in tags]
        for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()}


def decoded(data: bytes, file: str, limits: YamlLimits) -> str:
    """Return ``data`` (UTF-8, with or without a byte order mark) as text."""
    if len(data) > limits.file_bytes:
        raise too_big(file, len(data), limits)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableYaml("not_yaml", file, line, "the text is not UTF-8; save the file as UTF-8") from None


def too_big(file: str, size: int, limits: YamlLimits) -> UnreadableYaml:
    """Return the refusal of a file of ``size`` bytes."""
    return UnreadableYaml("too_big", file, 0, f"it has {size:,} bytes; at most {limits.file_bytes:,} are read")


def load(loader: Callable[[str, Guard], Loader], text: str, file: str, limits: YamlLimits) -> Any:
    """Return the plain value of the one document in ``text`` by the rules of ``loader``; raise ``UnreadableYaml``."""
    if len(text) > limits.file_bytes:
        raise too_big(file, len(text), limits)
    if text.count("\n%") > _MANY_DIRECTIVES:
        # libyaml compares each %TAG line with all before it: thousands of them cost hours.
        raise UnreadableYaml("not_yaml", file, text.count("\n", 0, text.index("\n%")) + 2,
                             f"more than {_MANY_DIRECTIVES} lines start with %; remove them")
    try:
        return loader(text, Guard(file, limits)).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableYaml("not_yaml", file, mark.line + 1 if mark else 0, error.problem or "not YAML") from None
    except yaml.reader.ReaderError as error:
        raise UnreadableYaml("not_yaml", file, _line_of_byte(text, error.position), _CONTROL) from None
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UnreadableYaml("not_yaml", file, line, "one half of a surrogate pair is alone; remove it") from None


def _line_of_byte(text: str, position: Any) -> int:
    return text.encode("utf-8").count(b"\n", 0, position) + 1 if isinstance(position, int) else 0
