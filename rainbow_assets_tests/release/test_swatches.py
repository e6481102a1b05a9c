"""The picture of a color is nothing but the color."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.image import imread

from rainbow_assets.release.swatches import SIDE, write_swatches
from rainbow_assets.taxonomy import COLORS


def test_a_reader_of_pictures_finds_the_color(tmp_path: Path) -> None:
    write_swatches(tmp_path)
    write_swatches(tmp_path)
    for color in COLORS:
        data = (tmp_path / f"colors/{color.name}.png").read_bytes()
        pixels = np.asarray(imread(io.BytesIO(data)) * 255).round().astype(int)
        assert pixels.shape == (SIDE, SIDE, 3) and (pixels == color.rgb).all(), color.name
        assert len(data) < 2000
