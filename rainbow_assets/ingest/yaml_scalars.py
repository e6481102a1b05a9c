"""What a plain YAML 1.1 scalar means: numbers, booleans, null or text, as libyaml's safe loader reads them."""

from __future__ import annotations

import re
from typing import Any

import yaml

_STANDARD = "tag:yaml.org,2002:"
_TEXT = (f"{_STANDARD}timestamp", f"{_STANDARD}value", f"{_STANDARD}binary", f"{_STANDARD}str")
_RESOLVERS: dict[Any, list[tuple[str, re.Pattern[str]]]] = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] in ("int", "float", "bool", "null")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_BOOLS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
MAX_DIGITS = 300
"""Longer numbers stay text: no thread counts that far, and converting them is slow by design."""


class BadScalar(ValueError):
    """A scalar whose tag promises another type than its text is; the sentence says so."""


def plain_scalar(value: str, tag: str | None = None) -> Any:
    """Return what ``value`` stands for; ``tag`` overrides the guess. Raise ``BadScalar`` where the two disagree."""
    if tag is None:
        for known, pattern in _RESOLVERS.get(value[0] if value else "", ()):
            if pattern.match(value):
                tag = known
                break
        else:
            return value
    if tag in _TEXT:
        return value
    try:
        return _CONVERT[tag](value)
    except KeyError:
        raise BadScalar(f"{value[:40]!r} has the tag {tag[:60]}, which it does not fit; it is read as text") from None
    except (ValueError, OverflowError, IndexError) as error:
        raise BadScalar(f"{value[:40]!r} cannot be read as a number; it is read as text") from error


def _integer(value: str) -> int:
    if len(value) > MAX_DIGITS:
        raise ValueError(value[:20])
    text = value.replace("_", "")
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    if text == "0":
        return 0
    if text.startswith("0b"):
        return sign * int(text[2:], 2)
    if text.startswith("0x"):
        return sign * int(text[2:], 16)
    if text.startswith("0"):
        return sign * int(text, 8)
    if ":" in text:
        return sign * int(_sexagesimal([int(part) for part in text.split(":")]))
    return sign * int(text)


def _number(value: str) -> float:
    if len(value) > MAX_DIGITS:
        raise ValueError(value[:20])
    text = value.replace("_", "").lower()
    sign = -1.0 if text.startswith("-") else 1.0
    text = text.lstrip("+-")
    if text == ".inf":
        return sign * float("inf")
    if text == ".nan":
        return float("nan")
    if ":" in text:
        return sign * _sexagesimal([float(part) for part in text.split(":")])
    return sign * float(text)


def _sexagesimal(parts: list[Any]) -> Any:
    total: Any = 0
    for part in parts:
        total = total * 60 + part
    return total


_CONVERT: dict[str, Any] = {
    f"{_STANDARD}int": _integer,
    f"{_STANDARD}float": _number,
    f"{_STANDARD}bool": lambda value: _BOOLS[value.lower()],
    f"{_STANDARD}null": lambda value: None,
}
