"""Batches and answers as bytes: a JSON header, then the payloads. No pickle, and no classes of the client.

Layout: 4 bytes little-endian length of the header, the header (UTF-8 JSON), then the payloads in order.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

from rainbow_assets.embeddings.engine import EngineFailed, Fault

Answer = tuple[str, bytes | Fault]


def pack_batch(spec_name: str, spec_digest: str, items: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a batch of (key, payload) for the encoder ``spec_name`` as bytes."""
    header = {"spec": spec_name, "digest": spec_digest, "items": [[key, len(data)] for key, data in items]}
    return _join(header, [data for _, data in items])


def unpack_batch(message: bytes) -> tuple[str, str, list[tuple[str, bytes]]]:
    """Return (spec name, spec digest, items); raise ``EngineFailed`` if the message is not a batch."""
    header, rest = _split(message)
    return header["spec"], header["digest"], _cut(header["items"], rest)


def pack_answers(answers: Sequence[Answer]) -> bytes:
    """Return vectors and faults as bytes."""
    items = [[key, len(value), None] if isinstance(value, bytes) else [key, 0, [value.kind, value.message]]
             for key, value in answers]
    return _join({"items": items}, [value for _, value in answers if isinstance(value, bytes)])


def unpack_answers(message: bytes) -> list[Answer]:
    """Return the answers in a message of :func:`pack_answers`."""
    header, rest = _split(message)
    data = dict(_cut([[key, size] for key, size, fault in header["items"] if fault is None], rest))
    return [(key, data[key] if fault is None else Fault(fault[0], fault[1])) for key, _, fault in header["items"]]


def _join(header: dict[str, Any], payloads: Sequence[bytes]) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    return b"".join([struct.pack("<I", len(text)), text, *payloads])


def _split(message: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        (length,) = struct.unpack_from("<I", message)
        return json.loads(message[4:4 + length]), message[4 + length:]
    except (struct.error, ValueError) as error:
        raise EngineFailed(f"a message of {len(message)} bytes is not a batch ({error}); deploy the app again"
                           ) from error


def _cut(items: Sequence[Sequence[Any]], data: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 0
    for key, size in items:
        if at + size > len(data):
            raise EngineFailed(f"a message ends inside {key}: it was cut in transit; run the same command again")
        found.append((key, data[at:at + size]))
        at += size
    return found
