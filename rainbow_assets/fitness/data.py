"""Training data in memory: targets, vectors and rolls, joined by key; each join must be one to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from rainbow_assets import taxonomy
from rainbow_assets.embeddings import tables
from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness import roll, targets
from rainbow_assets.fitness.modalities import SCHEMA, SOURCES
from rainbow_assets.storage.shard import Shard
from rainbow_assets.storage.store import ShardStore

MODALITIES = ("audio", "midi", "concept", "lyric")
VECTORS = {"audio": ("audio_embeddings", tables.SOUND), "concept": ("concept_embeddings", tables.CONCEPT),
           "lyric": ("lyric_embeddings", tables.LYRIC)}
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class BrokenJoin(RainbowError):
    """Rows of two tables do not match one to one."""


@dataclass(frozen=True)
class TrainingData:
    """n rows. ``target`` float32[n, 3, 3] and ``mask`` bool[n, 3] (False: no such mode), ``has`` modality -> bool[n].

    ``vectors``: audio, concept, lyric -> float32[n, dims]; a missing vector is zeros, which the model does not read.
    ``notes`` are each row's notes on the roll, None if it has none.
    """

    keys: list[str]
    songs: list[str]
    colors: list[str]
    splits: list[str]
    folds: npt.NDArray[np.int64]
    target: Floats
    mask: Flags
    vectors: dict[str, Floats]
    has: dict[str, Flags]
    notes: list[roll.Notes | None]
    specs: dict[str, str] = field(default_factory=dict)
    """audio, concept, lyric -> digest of the spec that its vectors were made with."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def dims(self) -> dict[str, int]:
        """Length of each kind of vector."""
        return {name: int(matrix.shape[1]) for name, matrix in self.vectors.items()}

    def take(self, places: Sequence[int] | npt.NDArray[np.int64]) -> TrainingData:
        """Return the rows at ``places``."""
        at = np.asarray(places, np.int64)
        chosen = at.tolist()
        return TrainingData(
            [self.keys[n] for n in chosen], [self.songs[n] for n in chosen], [self.colors[n] for n in chosen],
            [self.splits[n] for n in chosen], self.folds[at], self.target[at], self.mask[at],
            {name: matrix[at] for name, matrix in self.vectors.items()},
            {name: flags[at] for name, flags in self.has.items()}, [self.notes[n] for n in chosen], self.specs)

    def only(self, *names: str) -> TrainingData:
        """Return the same rows with all modalities except ``names`` hidden."""
        return replace(self, has={name: flags if name in names else np.zeros_like(flags)
                                  for name, flags in self.has.items()})

    def with_colors(self, colors: Sequence[str]) -> TrainingData:
        """Return the same rows with other colors and the targets of these."""
        target, mask = encode(colors)
        return replace(self, colors=list(colors), target=target, mask=mask)


def encode(colors: Sequence[str]) -> tuple[Floats, Flags]:
    """Return (targets float32[n, 3, 3], mask bool[n, 3]) of ``colors``."""
    known = {color: targets.vectors(color) for color in set(colors)}
    if not colors:
        return np.zeros((0, 3, 3), np.float32), np.zeros((0, 3), bool)
    return (np.stack([known[color][0] for color in colors]).astype(np.float32),
            np.stack([known[color][1] for color in colors]))


def load(store: ShardStore) -> TrainingData:
    """Return the used rows of `fusion_training_set`, sorted by key, with their vectors and rolls.

    Raises ``BrokenJoin`` if a row's vector or roll is missing or duplicated, or if vectors have several lengths.
    """
    table = store.shard("fusion_training_set").frame(SCHEMA)
    rows = table.filter(pl.any_horizontal(f"uses_{name}" for name in SOURCES)).sort("segment_id")
    keys = rows["segment_id"].to_list()
    place = {key: n for n, key in enumerate(keys)}
    target, mask = encode(rows["rainbow_color"].to_list())
    has, vectors = {}, {}
    for name, (asset, vector) in VECTORS.items():
        has[name] = rows[f"uses_{name}"].to_numpy()
        vectors[name] = _matrix(store, asset, vector, place, has[name])
    has["midi"] = rows["uses_roll"].to_numpy()
    return TrainingData(keys, rows["song_id"].to_list(), rows["rainbow_color"].to_list(), rows["split"].to_list(),
                        rows["fold"].cast(pl.Int64).to_numpy(), target, mask, vectors, has,
                        _notes(store, place, has["midi"]), {name: _spec(rows, name) for name in VECTORS})


def _spec(rows: pl.DataFrame, name: str) -> str:
    found = rows[f"{name}_digest"].drop_nulls().str.split("@").list.last().unique().sort().to_list()
    if len(found) > 1:
        raise BrokenJoin(f"the {name} vectors were made with {len(found)} different specs; materialize "
                         f"{VECTORS[name][0]} for all colors")
    return found[0] if found else ""


def _matrix(store: ShardStore, asset: str, vector: str, place: dict[str, int], wanted: Flags) -> Floats:
    found: Floats | None = None
    seen = np.zeros(len(place), bool)
    for table in _tables(store, asset, ["segment_id", vector]):
        column = table.column(vector)
        kept = table.filter(column.is_valid())
        values = kept.column(vector).combine_chunks()
        dims = len(values[0]) if len(values) else 0
        if not dims:
            continue
        found = np.zeros((len(place), dims), np.float32) if found is None else found
        if {dims, found.shape[1]} != set(values.value_lengths().to_pylist()):
            raise BrokenJoin(f"{asset} has vectors of several lengths; materialize it for all colors")
        matrix = np.asarray(values.flatten()).reshape(len(values), dims)
        for number, key in enumerate(kept.column("segment_id").to_pylist()):
            at = place.get(key)
            if at is None:
                continue
            if seen[at]:
                raise BrokenJoin(f"{asset} has two rows for {key}; run: rainbow build --repair")
            seen[at], found[at] = True, matrix[number]
    _require(asset, place, wanted, seen)
    if found is not None and not np.isfinite(found).all():
        raise BrokenJoin(f"{asset} has a vector with a number that is not finite; run: rainbow build --repair")
    return np.zeros((len(place), 1), np.float32) if found is None else found


def _notes(store: ShardStore, place: dict[str, int], wanted: Flags) -> list[roll.Notes | None]:
    notes: list[roll.Notes | None] = [None] * len(place)
    seen = np.zeros(len(place), bool)
    for table in _tables(store, "piano_rolls", ["segment_id", "notes"]):
        for key, found in zip(table.column("segment_id").to_pylist(), roll.notes_of(table.column("notes")),
                              strict=True):
            at = place.get(key)
            if at is None or found is None:
                continue
            if seen[at]:
                raise BrokenJoin(f"piano_rolls has two rows for {key}; run: rainbow build --repair")
            seen[at], notes[at] = True, found
    _require("piano_rolls", place, wanted, seen)
    return notes


def _tables(store: ShardStore, asset: str, columns: list[str]) -> Iterator[pa.Table]:
    for color in taxonomy.COLOR_NAMES:
        shard: Shard = store.shard(asset, color)
        if shard.index() is not None:
            for _, table in shard.tables(columns):
                yield table


def _require(asset: str, place: dict[str, int], wanted: Flags, seen: Flags) -> None:
    missing = [key for key, n in place.items() if wanted[n] and not seen[n]]
    if missing:
        raise BrokenJoin(f"{asset} lacks {len(missing)} rows that fusion_training_set refers to, for example "
                         f"{missing[0]}; materialize {asset} and fusion_training_set again")
