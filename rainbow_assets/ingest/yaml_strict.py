"""YAML that people write by hand (songs, proposals): a doubt is refused with its line, and scalars keep their text.

Scalars follow YAML 1.2 where 1.1 would lose what was written: dates, ``No``, ``4:25`` and ``01_01`` stay text, and a
number becomes one only if its text can be got back (``007`` and ``1.10`` stay text).
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from rainbow_assets.door import TEXT_BYTES
from rainbow_assets.ingest.yaml_door import STANDARD, Guard, Loader, YamlLimits, convert_with, decoded, guess_only
from rainbow_assets.ingest.yaml_door import load as load_with

LIMITS = YamlLimits(file_bytes=TEXT_BYTES, depth=40)
_PLAIN = (None, *(STANDARD + name for name in ("map", "seq", "str", "null", "bool", "int", "float")))
"""Tags that are read; without a tag (None) of these a value is refused, as dates, bytes and sets are."""

_COMMENT = re.compile(r"[ \t]+(#[^\r\n]*)")
_PROPERTY = re.compile(r"&(\S+)|!(?!!)\S*")
"""An anchor, or a tag that is not one of YAML's own, before a value."""
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")


@dataclass(frozen=True, slots=True)
class WrittenScalar:
    """A value as it is written.

    ``field`` is its path, such as ``audio_tracks[3].player``, and ``name`` its path without places, such as
    ``audio_tracks.player``; ``text`` is what the writer wrote, from line ``begins`` to ``line`` (1-based), and
    ``comment`` what follows it on that line, from its ``#`` on. ``quoted`` is True with quotes and for blocks of text.
    ``taken`` is the part of an unquoted text that YAML takes for its own syntax: an anchor that nothing uses or a tag
    before it, or the text after a comma in braces, which is then a field.
    ``known`` is True if the value is of a type that its text can be got back from: null, a truth value or a number.
    """

    field: str
    name: str
    text: str
    line: int
    comment: str
    known: bool
    begins: int
    quoted: bool
    taken: str = ""


class _Strict(Loader):
    """The loader with the scalars of YAML 1.2; it refuses what the base refuses.

    Values of the fields ``texts`` stay text, unless they are null. Every value as it is written goes to ``written``.
    """

    def __init__(
        self, text: str, guard: Guard, texts: Container[str] = (), written: list[WrittenScalar] | None = None
    ) -> None:
        super().__init__(text, guard)
        self.text, self.texts, self.written = text, texts, written

    def get_single_node(self) -> Any:
        """Return the document's node after looking at its scalars."""
        node = super().get_single_node()
        if node is not None and self.written is not None:
            self._look(node, "", "", set(), self.written)
        return node

    def _look(self, node: Any, path: str, name: str, seen: set[yaml.Node], written: list[WrittenScalar]) -> None:
        if node in seen:
            return
        seen.add(node)
        if isinstance(node, yaml.SequenceNode):
            for place, item in enumerate(node.value):
                self._look(item, f"{path}[{place}]", name, seen, written)
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                own = f".{key.value}" if isinstance(key, yaml.ScalarNode) else ""
                self._look(value, path + own, name + own, seen, written)
                if own and node.flow_style and not key.style and self._alone(key, value):
                    written[-1] = replace(written[-1], taken=key.value)
        else:
            written.append(self._scalar(node, path[1:], name[1:]))

    def _alone(self, key: yaml.ScalarNode, value: yaml.Node) -> bool:
        """Return True for a key in braces that has no colon: most likely the rest of the text before it."""
        after = self.text[key.end_mark.index:key.end_mark.index + 80].lstrip()
        return isinstance(value, yaml.ScalarNode) and not value.value and not value.style and after[:1] in (",", "}")

    def _taken(self, node: yaml.ScalarNode) -> str:
        found = _PROPERTY.match(self.text, node.start_mark.index)
        if found is None or (found[1] and re.search(rf"\*{re.escape(found[1])}(?!\S)", self.text)):
            return ""
        return found[0]

    def _scalar(self, node: yaml.ScalarNode, path: str, name: str) -> WrittenScalar:
        quoted = bool(node.style)
        comment = _COMMENT.match(self.text, node.end_mark.index)
        lossy = node.tag == f"{STANDARD}float" and _FLOAT.fullmatch(node.value) and str(float(node.value)) != node.value
        known = not quoted and node.tag != f"{STANDARD}str" and not lossy
        if known and name in self.texts and node.tag != f"{STANDARD}null":
            node.tag = f"{STANDARD}str"
        return WrittenScalar(path, name, node.value, node.end_mark.line + 1, comment[1] if comment else "", known,
                             node.start_mark.line + 1, quoted, "" if quoted else self._taken(node))


def _int(loader: Loader, node: yaml.ScalarNode) -> Any:
    text = loader.construct_scalar(node)
    return int(text) if len(text) < 20 else text


def _float(loader: Loader, node: yaml.ScalarNode) -> Any:
    text = loader.construct_scalar(node)
    value = float(text)
    return value if str(value) == text else text


_Strict.yaml_constructors = {tag: read for tag, read in Loader.yaml_constructors.items() if tag in _PLAIN}
guess_only(_Strict, "null", "merge")
for _name, _pattern, _first in (("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
                                ("int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
                                ("float", f"^{_FLOAT.pattern}$", "-0123456789")):
    _Strict.add_implicit_resolver(STANDARD + _name, re.compile(_pattern), list(_first))
convert_with(_Strict, "int", _int)
convert_with(_Strict, "float", _float)
convert_with(_Strict, "bool", SafeConstructor.construct_yaml_bool)


def load(data: bytes) -> Any:
    """Return the plain value of the YAML document ``data``; raise ``UnreadableYaml``.

    >>> load(b"title: No\\nreleased: 2021-09-07\\nbpm: 120")
    {'title': 'No', 'released': '2021-09-07', 'bpm': 120}
    """
    return load_with(_Strict, decoded(data, "", LIMITS), "", LIMITS)


def load_marked(data: bytes, texts: Container[str]) -> tuple[Any, list[WrittenScalar]]:
    """Return the plain value of the YAML document ``data``, and its values as written; raise ``UnreadableYaml``.

    Values of the fields ``texts`` keep their text, whatever it looks like; only null stays null.

    >>> value, scalars = load_marked(b"title: True\\nlyrics: true # all of it", {"title"})
    >>> value
    {'title': 'True', 'lyrics': True}
    >>> scalars[1].comment
    '# all of it'
    """
    written: list[WrittenScalar] = []
    value = load_with(partial(_Strict, texts=texts, written=written), decoded(data, "", LIMITS), "", LIMITS)
    return value, written
