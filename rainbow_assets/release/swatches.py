"""A small picture of each color, as a file beside the card: pages on the Hub show pictures, and no styles."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from rainbow_assets.taxonomy import COLORS, Color

FOLDER, SIDE = "colors", 24


def write_swatches(folder: Path) -> None:
    """Write ``colors/<Color>.png``, 24 x 24 pixels, for each color into the release ``folder``."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for color in COLORS:
        (folder / FOLDER / f"{color.name}.png").write_bytes(swatch(color))


def swatch(color: Color) -> bytes:
    """Return a PNG that is nothing but ``color`` (PNG 1.2: 8 bits, RGB, no filter)."""
    rows = (b"\0" + bytes(color.rgb) * SIDE) * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
