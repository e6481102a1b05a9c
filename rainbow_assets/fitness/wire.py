"""Training data as one message for another machine: numpy's npz with JSON inside, without pickle."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from rainbow_assets.fitness import roll
from rainbow_assets.fitness.data import TrainingData
from rainbow_assets.fitness.settings import FitnessRules


def pack(train: TrainingData, validation: TrainingData, rules: FitnessRules, seed: int) -> bytes:
    """Return a message with everything that a training needs."""
    arrays = {"job": _text({"rules": asdict(rules), "seed": seed})}
    for side, rows in (("train", train), ("validation", validation)):
        arrays |= {f"{side}/{name}": value for name, value in _arrays(rows).items()}
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpack(message: bytes) -> tuple[TrainingData, TrainingData, FitnessRules, int]:
    """Return the arguments of :func:`pack` from its message."""
    with np.load(io.BytesIO(message), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    job = json.loads(arrays["job"].tobytes())
    sides = [_rows({name.removeprefix(f"{side}/"): value for name, value in arrays.items()
                    if name.startswith(f"{side}/")}) for side in ("train", "validation")]
    return sides[0], sides[1], FitnessRules(**job["rules"]), int(job["seed"])


def _text(value: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _arrays(rows: TrainingData) -> dict[str, np.ndarray[Any, Any]]:
    labels = {name: getattr(rows, name) for name in ("keys", "songs", "colors", "splits", "specs")}
    lengths = [-1 if notes is None else len(notes) for notes in rows.notes]
    return {
        "labels": _text(labels), "folds": rows.folds, "lengths": np.array(lengths, np.int32),
        "notes": np.concatenate([np.zeros(0, roll.NOTE), *(item for item in rows.notes if item is not None)]),
        **{f"has/{name}": flags for name, flags in rows.has.items()},
        **{f"vector/{name}": matrix for name, matrix in rows.vectors.items()},
    }


def _rows(arrays: dict[str, np.ndarray[Any, Any]]) -> TrainingData:
    labels = json.loads(arrays["labels"].tobytes())
    notes: list[roll.Notes | None] = []
    at = 0
    for length in arrays["lengths"].tolist():
        notes.append(None if length < 0 else arrays["notes"][at:at + length])
        at += max(length, 0)
    rows = TrainingData(
        labels["keys"], labels["songs"], labels["colors"], labels["splits"], arrays["folds"],
        np.zeros((0, 3, 3), np.float32), np.zeros((0, 3), bool),
        {name.removeprefix("vector/"): item for name, item in arrays.items() if name.startswith("vector/")},
        {name.removeprefix("has/"): item for name, item in arrays.items() if name.startswith("has/")},
        notes, labels["specs"])
    return rows.with_colors(labels["colors"])
