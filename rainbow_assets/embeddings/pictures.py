"""One picture per asset: its vectors by color on two axes, their norms and their cosines. A PNG, in the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rainbow_assets.embeddings import health
from rainbow_assets.figures import FILL, PLAIN, new_figure, png


def picture(found: Mapping[str, health.Vectors], title: str) -> bytes:
    """Return a PNG: projection on the two main directions, norms, cosines of pairs. Equal data gives equal bytes."""
    shown = {color: vectors for color, vectors in found.items() if len(vectors)}
    figure = new_figure(12, 3.8)
    plane, norms, pairs = figure.subplots(1, 3)
    figure.suptitle(title)
    if shown:
        matrix = np.concatenate([vectors.matrix for vectors in shown.values()])
        at = projected(matrix)
        start = 0
        for color, vectors in shown.items():
            points = at[start:start + len(vectors)]
            plane.scatter(points[:, 0], points[:, 1], s=14, c=FILL[color], label=color, linewidths=0)
            start += len(vectors)
        plane.legend(fontsize=7, loc="best")
        norms.hist(np.linalg.norm(matrix.astype(np.float64), axis=1), bins=40, color=PLAIN)
        pairs.hist(health.cosines(matrix[:: max(1, len(matrix) // 1000)]), bins=60, range=(-1, 1), color=PLAIN)
    for axes, name, below in ((plane, "two main directions", ""), (norms, "norms", "L2 norm"),
                              (pairs, "cosines of all pairs", "cosine")):
        axes.set_title(name, fontsize=10)
        axes.set_xlabel(below, fontsize=8)
        axes.tick_params(labelsize=7)
    return png(figure)


def projected(matrix: health.Matrix) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each row's place [n, 2] on the two main directions of the centered rows of norm 1; signs are fixed."""
    unit = health.normalized(matrix)
    centered = unit - unit.mean(axis=0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    main = np.zeros((2, matrix.shape[1]))
    main[:min(2, len(directions))] = directions[:2]
    turned = np.where(main[np.arange(2), np.abs(main).argmax(axis=1)] < 0, -1.0, 1.0)
    return centered @ (main * turned[:, None]).T
