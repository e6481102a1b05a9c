"""Figures of a set of vectors: pairwise cosines, effective rank, duplicates, and closeness within groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rainbow_assets.embeddings.tables import HAS
from rainbow_assets.storage.shard import Shard

MOST = 2000
"""Number of distinct vectors for pairwise figures (memory grows with its square): those with the smallest digests."""
TOO_FEW = 4
"""With fewer distinct inputs, an encoder cannot be judged."""
TOO_FEW_TO_GROUP = 10
"""With fewer distinct inputs, it is chance whether vectors of one group are closer."""
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Vectors:
    """Distinct inputs of a shard: digests, songs and stems of the first row of each, and the matrix [n, dims]."""

    digests: tuple[str, ...]
    songs: tuple[str, ...]
    stems: tuple[str, ...]
    matrix: Matrix

    def __len__(self) -> int:
        return len(self.digests)


def vectors_of(shard: Shard, vector: str) -> Vectors:
    """Return the distinct vectors of a shard in order of input digest; a check reports those of another length."""
    found: dict[str, tuple[str, str, Any]] = {}
    for _, table in shard.tables(["segment_id", "song_id", "input_digest", vector, HAS[vector]]):
        for key, song, digest, value in zip(
            table.column("segment_id").to_pylist(), table.column("song_id").to_pylist(),
            table.column("input_digest").to_pylist(), arrays(table.column(vector)), strict=True,
        ):
            if digest is not None and value is not None and np.isfinite(value).all():
                found.setdefault(digest, (song, key.rsplit("_", 1)[0], value))
    widths = [len(value) for _, _, value in found.values()]
    width = max(set(widths), key=widths.count) if widths else 0
    names = [name for name in sorted(found) if len(found[name][2]) == width][:MOST]
    matrix = np.stack([found[name][2] for name in names]) if names else np.empty((0, 0), np.float32)
    return Vectors(tuple(names), tuple(found[n][0] for n in names), tuple(found[n][1] for n in names), matrix)


def arrays(column: pa.ChunkedArray) -> list[npt.NDArray[np.float32] | None]:
    """Return the values of a list column as arrays, without converting them to Python floats."""
    found: list[npt.NDArray[np.float32] | None] = []
    for chunk in column.chunks:
        flat, ends = chunk.values.to_numpy(zero_copy_only=False), chunk.offsets.to_numpy()
        valid = chunk.is_valid().to_numpy(zero_copy_only=False)
        found += [flat[a:b] if ok else None for a, b, ok in zip(ends[:-1], ends[1:], valid, strict=True)]
    return found


def normalized(matrix: Matrix) -> npt.NDArray[np.float64]:
    """Return rows of norm 1."""
    wide = matrix.astype(np.float64)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)


def cosines(matrix: Matrix) -> npt.NDArray[np.float64]:
    """Return the cosine of every pair of different rows."""
    unit = normalized(matrix)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def effective_rank(matrix: Matrix) -> float:
    """Return exp of the entropy of the centered matrix's singular values (Roy and Vetterli 2007): how many directions
    are in use. 1 for a line; 0 for a point."""
    wide = matrix.astype(np.float64)
    spectrum = np.linalg.svd(wide - wide.mean(axis=0), compute_uv=False)
    if spectrum.sum() < 1e-9:
        return 0.0
    share = spectrum[spectrum > 1e-12] / spectrum.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def doubles(matrix: Matrix) -> int:
    """Return the number of rows that are equal to an earlier row, although their inputs differ."""
    return len(matrix) - len(np.unique(np.round(matrix, 6), axis=0)) if len(matrix) else 0


def closeness(matrix: Matrix, groups: Sequence[str]) -> tuple[float, float, float] | None:
    """Return (mean cosine inside groups, mean cosine between them, share of rows whose neighbor is of their group).

    None if there are too few rows, if no group has two rows, or if there is only one group.
    """
    names = np.array(groups)
    if len(names) < TOO_FEW_TO_GROUP or len(set(groups)) < 2:
        return None
    unit = normalized(matrix)
    close = unit @ unit.T
    same = names[:, None] == names[None, :]
    apart = ~same
    np.fill_diagonal(same, False)
    if not same.any():
        return None
    alone = close.copy()
    np.fill_diagonal(alone, -2.0)
    shared = same.any(axis=1)
    nearest = names[alone.argmax(axis=1)] == names
    return float(close[same].mean()), float(close[apart].mean()), float(nearest[shared].mean())
