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
    """Return a PNG that is nothing but ``color`` (PNG 1.2: 8 bits, RGB, no filter).

    The rows are stored as they are: what a zlib makes of them differs between machines, and a version's bytes may not.
    """
    rows = (b"\0" + bytes(color.rgb) * SIDE) * SIDE
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
