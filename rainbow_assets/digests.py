"""The one digest function: sha256 over a canonical, type-tagged encoding of logical values.

It digests the values in Parquet and FLAC files, never their bytes: those depend on the version of the writer.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping
from typing import Any

WIDTH = 32
"""Hex digits kept of the sha256: 128 bits."""


def _encode(value: Any, into: list[bytes]) -> None:
    # Each value starts with its type, and a text with its length, so that no two values have the same encoding.
    if value is None:
        into.append(b"n")
    elif isinstance(value, bool):
        into.append(b"T" if value else b"F")
    elif isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        into.append(b"s%d:" % len(data))
        into.append(data)
    elif isinstance(value, int):
        into.append(b"i%d;" % value)
    elif isinstance(value, float):
        # All NaNs have one encoding; -0.0 and 0.0 have different ones.
        into.append(b"f" + (b"nan" if math.isnan(value) else struct.pack("<d", value)))
    elif isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        into.append(b"b%d:" % len(data))
        into.append(data)
    elif isinstance(value, Mapping):
        into.append(b"{")
        for key in sorted(value, key=str):
            _encode(str(key), into)
            _encode(value[key], into)
        into.append(b"}")
    elif isinstance(value, (list, tuple)):
        into.append(b"[")
        for item in value:
            _encode(item, into)
        into.append(b"]")
    elif hasattr(value, "isoformat"):
        into.append(b"d")
        _encode(value.isoformat(), into)
    elif hasattr(value, "item"):
        _encode(value.item(), into)
    else:
        raise TypeError(f"no canonical encoding for {type(value).__name__}")


def digest(*values: Any) -> str:
    """Return a digest of ``values`` (None, bool, int, float, str, bytes, dates, lists, mappings): 32 hex digits."""
    parts: list[bytes] = []
    for value in values:
        _encode(value, parts)
    return hashlib.sha256(b"".join(parts)).hexdigest()[:WIDTH]
