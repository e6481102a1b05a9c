"""How long a FLAC is, from its last frame: the header's count may be missing, or of another state of the file.

Each frame names its place in the stream and is protected by two checksums, so that the last frame proves where the
sound ends without decoding it (RFC 9639, sections 8.2 and 9.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

_TAIL = 1 << 22
"""Bytes at the end that hold the last frame: 65,535 samples of 8 channels and 32 bits are 2 MiB."""
_TRIES = 16
_SIZES = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608, **{8 + power: 256 << power for power in range(8)}}


class NoFlac(Exception):
    """The file is no FLAC stream."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples per channel that the header claims (0: it does not say) and that are there (None: the end is missing).

    ``patch`` are the bytes that the header must have at ``place``.
    """

    claimed: int
    frames: int | None
    place: int = 0
    patch: bytes = b""


def _table(polynomial: int, bits: int) -> list[int]:
    found, top = [], 1 << (bits - 1)
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & ((1 << bits) - 1)
        found.append(value)
    return found


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
    return value


def measure(stream: BinaryIO, size: int) -> Measured:
    """Return what the header claims and what the frames prove; raise ``NoFlac``."""
    start = _start(stream)
    head = _read(stream, start, 42)
    if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
        raise NoFlac
    claimed = (head[21] & 0x0F) << 32 | int.from_bytes(head[22:26], "big")
    first = _first_frame(stream, start + 4, size)
    # In a stream of fixed block size, frames are numbered in blocks of the largest size: some encoders count the last,
    # shorter block as the smallest.
    frames = 0 if first >= size else _end(stream, first, size, int.from_bytes(head[10:12], "big"))
    if frames is None or frames >= 1 << 36:
        return Measured(claimed, None)
    patch = bytes([head[21] & 0xF0 | frames >> 32]) + (frames & 0xFFFFFFFF).to_bytes(4, "big")
    return Measured(claimed, frames, start + 21, patch)


def _read(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)


def _start(stream: BinaryIO) -> int:
    """Return where the stream begins, after an ID3v2 tag if there is one."""
    head = _read(stream, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])


def _first_frame(stream: BinaryIO, at: int, size: int) -> int:
    """Return where the metadata blocks that begin at ``at`` end."""
    while at < size:
        head = _read(stream, at, 4)
        at += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            break
    return at


def _end(stream: BinaryIO, first: int, size: int, block: int) -> int | None:
    """Return the number of the sample after the last one; None if the last frame is not whole."""
    tail = _without_tags(_read(stream, max(first, size - _TAIL), _TAIL))
    at, tries = len(tail), 0
    while tries < _TRIES and (at := tail.rfind(b"\xff", 0, at)) >= 0:
        after = _after(tail, at, block)
        if after is not None:
            # Bytes inside a frame look like a header once in a while; the second checksum decides.
            tries += 1
            if _crc16(tail[at:-2]) == int.from_bytes(tail[-2:], "big"):
                return after
    return None


def _without_tags(tail: bytes) -> bytes:
    """Return the end of a file without the tags that players append: ID3v1, and APE before it."""
    if tail[-128:-125] == b"TAG":
        tail = tail[:-128]
    footer = tail[-32:]
    if footer[:8] == b"APETAGEX":
        # Its size leaves out the header, which may be missing.
        length = int.from_bytes(footer[12:16], "little") + 32 * (footer[23] >> 7)
        tail = tail[:max(len(tail) - length, 0)]
    return tail


def _after(data: bytes, at: int, block: int) -> int | None:
    """Return the number of the sample after the frame whose header is at ``at``; None if no header is there."""
    head = data[at:at + 16]
    if len(head) < 6 or head[1] not in (0xF8, 0xF9) or head[3] & 1:
        return None
    number, used = _number(head[4:])
    if number is None:
        return None
    size_code, rate_code, place = head[2] >> 4, head[2] & 0x0F, 4 + used
    extra = {6: 1, 7: 2}.get(size_code, 0)
    count = int.from_bytes(head[place:place + extra], "big") + 1 if extra else _SIZES.get(size_code)
    place += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if count is None or rate_code == 15 or place >= len(head) or _crc8(head[:place]) != head[place]:
        return None
    return (number if head[1] == 0xF9 else number * block) + count


def _number(data: bytes) -> tuple[int | None, int]:
    """Return a number in the extended UTF-8 form of frame headers, and its bytes."""
    first = data[0]
    if first < 0x80:
        return first, 1
    count = next((bits for bits in range(2, 8) if first >> (7 - bits) == (1 << (bits + 1)) - 2), 0)
    rest = data[1:count]
    if not count or len(rest) < count - 1 or any(byte >> 6 != 2 for byte in rest):
        return None, 0
    value = first & ((1 << (7 - count)) - 1) if count < 7 else 0
    for byte in rest:
        value = value << 6 | byte & 0x3F
    return value, count
