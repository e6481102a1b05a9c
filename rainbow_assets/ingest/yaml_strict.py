"""YAML that people write by hand (songs, proposals): a doubt is refused with its line, and scalars keep their text.

Scalars follow YAML 1.2 where 1.1 would lose what was written: dates, ``No``, ``4:25`` and ``01_01`` stay text, and a
number becomes one only if its text can be got back (``007`` and ``1.10`` stay text).
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from rainbow_assets.ingest.yaml_door import STANDARD, Loader, YamlLimits, convert_with, decoded, guess_only
from rainbow_assets.ingest.yaml_door import load as load_with

LIMIT_BYTES = 4 << 20
LIMITS = YamlLimits(file_bytes=LIMIT_BYTES, depth=40)
_PLAIN = (None, *(STANDARD + name for name in ("map", "seq", "str", "null", "bool", "int", "float")))
"""Tags that are read; without a tag (None) of these a value is refused, as dates, bytes and sets are."""


class _Strict(Loader):
    """The loader with the scalars of YAML 1.2; it refuses what the base refuses."""


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
                                ("float", r"^-?[0-9]+\.[0-9]+$", "-0123456789")):
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
