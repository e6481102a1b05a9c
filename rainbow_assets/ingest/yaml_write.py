"""Deterministic YAML: block style, one line per scalar, keys in the order given. Reads back to the same plain value."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from rainbow_assets.text import plain

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9 _./()+-]*[A-Za-z0-9)]|[A-Za-z]")
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"])


def quoted(text: Any) -> str:
    """Return ``text`` (or a row of plain values) as JSON, everything that YAML breaks lines at or refuses escaped."""
    return plain(json.dumps(text, ensure_ascii=False))


def scalar(value: Any) -> str:
    """Return one plain value as YAML text; raise TypeError for anything but None, bool, int, float and str."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return value if len(value) < 100 and _SAFE.fullmatch(value) and value.lower() not in _WORDS else quoted(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    if "e" in text:
        # YAML 1.1 wants a point and a signed exponent.
        mantissa, exponent = text.split("e")
        mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
        return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"
    return text


class Rows(list[Any]):
    """A table: a list of mappings, written one row per line. Floats only of a size that is written
    without an exponent: JSON's ``1e-07`` is text to YAML 1.1."""


def dump(value: Any) -> str:
    """Return ``value`` (mappings with text keys, lists, tuples, scalars, ``Rows``) as a YAML document."""
    lines: list[str] = []
    _write(value, "", "", lines)
    return "\n".join(lines) + "\n"


def _write(value: Any, indent: str, lead: str, lines: list[str]) -> None:
    """Append ``value`` with ``lead`` (``key:`` or ``-``) on its first line; children go below at ``indent``."""
    if isinstance(value, dict) and value:
        if lead and not lead.endswith("-"):
            lines.append(lead)
            lead = ""
        for key, item in value.items():
            start = f"{lead} " if lead else indent
            _write(item, indent + "  ", f"{start}{scalar(str(key))}:", lines)
            lead = ""
    elif isinstance(value, Rows) and value:
        lines.append(lead)
        lines.extend(f"{indent}- {quoted(row)}" for row in value)
    elif isinstance(value, (list, tuple)) and value:
        if lead:
            lines.append(lead)
        for item in value:
            _write(item, indent + "  ", f"{indent}-", lines)
    else:
        empty = "{}" if isinstance(value, dict) else "[]" if isinstance(value, (list, tuple)) else scalar(value)
        lines.append(f"{lead} {empty}" if lead else empty)
