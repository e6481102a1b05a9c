"""The data files of a release: ``<config>/<split>-<Color>-<n:05d>.parquet``, cut at song borders.

A file has songs of one split and color, so that a reader who loads one split cannot get a row of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rainbow_assets.corpus.splits import SPLITS, TRAIN
from rainbow_assets.errors import RainbowError
from rainbow_assets.release.features import with_features
from rainbow_assets.release.song_records import SongRecord
from rainbow_assets.storage.parquet import (
    ParquetFile,
    Source,
    Unreadable,
    open_parquet,
    read_batches,
    write_parquet,
)
from rainbow_assets.storage.shard import Shard
from rainbow_assets.taxonomy import COLOR_NAMES

FILE_BYTES = 100 * 1000 * 1000
"""Largest size of a data file."""
_FILL = 95 * 1000 * 1000
"""Encoded bytes planned per file; the rest is room for page headers, indexes and the footer."""
_MEDIA_BATCH, _BATCH = 16, 8192
"""Rows read at a time with and without media: rows with media are large."""
_BUFFER = 1 << 20
"""Read-ahead per column. Without it (or with ``pre_buffer``) the reader loads a whole row group into memory."""


SongTable = tuple[str, pa.Table]
"""A song, and some of its rows."""


class UnreleasableTable(RainbowError):
    """A table that cannot be published: its parts do not match its schema, or a row is too large."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """One parquet part; all of its rows belong to ``group`` (a song). ``open`` returns its path or its content."""

    group: str
    name: str
    open: Callable[[], Source]

    @classmethod
    def at(cls, group: str, path: Path) -> PartFile:
        """Return a part on the local disk."""
        return cls(group, path.name, lambda: path)


def shard_parts(shard: Shard, song_of: Callable[[str], str] = str) -> list[PartFile]:
    """Return the live parts of ``shard`` in order; each is verified by digest when it is opened.

    ``song_of`` returns the song of a part's group, which may be a stem.
    """
    def opener(name: str, sha256: str) -> Callable[[], Source]:
        def open_verified() -> Source:
            shard.verify(name, sha256)
            return shard.files.source(name)
        return open_verified

    return [PartFile(song_of(part.group), f"{shard.where}/{part.name}", opener(part.name, part.sha256))
            for part in shard.require_index().parts]


@dataclass(frozen=True)
class ReleaseTable:
    """A table to publish.

    ``shards`` maps colors to parts in published order, with a song's parts next to each other. ``schema`` has the
    published columns, in order, with their meaning as field metadata ``doc``; parts may have more columns. ``media``
    columns are stored plain. ``card_section`` is Markdown about the table. With ``below``, only rows whose column is
    less than a number are published, for example ``("preview_rank", 10)``. ``listing`` returns the rows to publish of
    a color and song, with the columns that parts do not have; they are joined by ``key``, and a listed row that no part
    has is an error. ``splits`` maps songs to their splits; without it, all rows are in train. One table is the
    ``default`` config.
    """

    config: str
    shards: Mapping[str, Sequence[PartFile]]
    schema: pa.Schema
    card_section: str = ""
    media: tuple[str, ...] = ()
    default: bool = False
    below: tuple[str, int] | None = None
    listing: Callable[[str, str], pa.Table] | None = None
    key: str = "segment_id"
    splits: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A written data file; ``path`` is relative to the release, ``songs`` has the rows of each song in it."""

    config: str
    color: str
    split: str
    path: str
    rows: int
    bytes: int
    sha256: str
    songs: Mapping[str, SongRecord]


@dataclass(frozen=True)
class BundleConfig:
    """A written config: its table, its files by color and split, and the colors that have no rows."""

    table: ReleaseTable
    files: tuple[BundleFile, ...]
    empty: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Rows over all colors."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """File bytes over all colors."""
        return sum(file.bytes for file in self.files)

    def rows_by_color(self) -> dict[str, int]:
        """Rows per color, zeros included, in the order of the Rainbow Table."""
        return {color: sum(file.rows for file in self.files if file.color == color) for color in COLOR_NAMES}

    def rows_by_split(self) -> dict[str, int]:
        """Rows per split that has any, train first."""
        return {split: sum(file.rows for file in self.files if file.split == split) for split in SPLITS
                if any(file.split == split for file in self.files)}

    def songs_by_split(self) -> dict[str, dict[str, int]]:
        """Songs per color that has any, in order, and split, zeros included."""
        songs: dict[tuple[str, str], set[str]] = {}
        for file in self.files:
            songs.setdefault((file.color, file.split), set()).update(file.songs)
        return {color: {split: len(songs.get((color, split), ())) for split in SPLITS}
                for color in COLOR_NAMES if any(own == color for own, _ in songs)}


@dataclass(frozen=True)
class Bundle:
    """All written configs, and a sentence for each config that was not written because every color is empty."""

    configs: tuple[BundleConfig, ...]
    skipped: Mapping[str, str]

    @property
    def files(self) -> tuple[BundleFile, ...]:
        """All data files, in order of config and color."""
        return tuple(file for config in self.configs for file in config.files)


def write_bundle(
    tables: Sequence[ReleaseTable], folder: Path, progress: Callable[[BundleFile], object] | None = None
) -> Bundle:
    """Write every table below ``folder`` (which exists); call ``progress`` after each file.

    Memory is bounded by one row group. A file contains whole songs; only a song larger than a file is split over
    several. Raises ``UnreleasableTable``.
    """
    configs, skipped = [], {}
    for table in tables:
        unknown = sorted(set(table.shards) - set(COLOR_NAMES))
        if unknown:
            raise UnreleasableTable(f"{table.config} has rows for {unknown[0]!r}, which is not a color of the table")
        files: list[BundleFile] = []
        for color in COLOR_NAMES:
            for split, parts in _by_split(table, color).items():
                for file in _write_files(table, color, split, parts, folder):
                    files.append(file)
                    if progress:
                        progress(file)
        filled = {file.color for file in files}
        if files:
            configs.append(BundleConfig(table, tuple(files), tuple(c for c in COLOR_NAMES if c not in filled)))
        else:
            skipped[table.config] = f"{table.config} has no rows in any color, so it is not a config of this version"
    return Bundle(tuple(configs), skipped)


def _by_split(table: ReleaseTable, color: str) -> dict[str, list[PartFile]]:
    """Return the parts of ``color`` by the split of their songs; raise if a song with rows has none."""
    found: dict[str, list[PartFile]] = {split: [] for split in SPLITS}
    for part in table.shards.get(color, ()):
        split = TRAIN if table.splits is None else table.splits.get(part.group)
        if split is not None:
            found[split].append(part)
        elif _encoded_bytes(table, part):  # a quarantined song has a part without rows, and no split
            raise UnreleasableTable(f"{table.config}: the song {part.group} has no split; run: rainbow build")
    return found


def _write_files(
    table: ReleaseTable, color: str, split: str, parts: Sequence[PartFile], folder: Path
) -> Iterator[BundleFile]:
    schema = with_features(table.schema)
    number = 0
    for rows in _planned(table, color, parts):
        path = f"{table.config}/{split}-{color}-{number:05d}.parquet"
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        tally = _Tally(split, table.key if table.key in table.schema.names else None)
        written = write_parquet(target, tally.counted(rows), schema, table.media)
        if written.rows == 0:  # ``below`` or the listing left no row of these songs
            target.unlink()
            continue
        if written.bytes > FILE_BYTES:
            raise UnreleasableTable(f"{path} has {written.bytes:,} bytes, more than a data file may; one row of "
                                    f"{', '.join(tally.songs)} is too large to publish")
        number += 1
        yield BundleFile(table.config, color, split, path, written.rows, written.bytes, written.sha256, tally.songs)


@dataclass
class _Tally:
    """Counts the rows of each song while they are written."""

    split: str
    key: str | None
    songs: dict[str, SongRecord] = field(default_factory=dict)

    def counted(self, rows: Iterable[SongTable]) -> Iterator[pa.Table]:
        for song, table in rows:
            if len(table):
                keys = map(str, table[self.key].to_pylist()) if self.key else ()
                self.songs[song] = self.songs.get(song, SongRecord(self.split)).plus(len(table), keys)
            yield table


def _planned(table: ReleaseTable, color: str, parts: Sequence[PartFile]) -> Iterator[Iterable[SongTable]]:
    """Yield the rows of each file.

    A song of half a file or more has its own file. So a song that grows can move only the borders of its small
    neighbors, and later files keep their bytes: less to upload, and less to download.
    """
    waiting: list[PartFile] = []
    filled = 0

    def flush() -> Iterator[Iterable[SongTable]]:
        if waiting:
            chosen = list(waiting)
            waiting.clear()
            yield _rows(table, color, chosen)

    seen: set[str] = set()
    for song, group in groupby(parts, key=lambda part: part.group):
        if song in seen:
            raise UnreleasableTable(f"{table.config}: the parts of song {song} are not next to each other; sort the "
                                    "table's parts by song")
        seen.add(song)
        own = list(group)
        size = sum(_encoded_bytes(table, part) for part in own)
        if size == 0:
            continue
        if size * 2 >= _FILL or filled + size > _FILL:
            yield from flush()
            filled = 0
        if size > _FILL:
            yield from _runs(_rows(table, color, own), bool(table.media))
            continue
        waiting += own
        filled += size
        if size * 2 >= _FILL:
            yield from flush()
            filled = 0
    yield from flush()


def _runs(rows: Iterable[SongTable], media: bool) -> Iterator[Iterable[SongTable]]:
    """Split one song's rows into runs of at most ``_FILL`` bytes; read a run to its end before taking the next one."""
    source = ((song, table.slice(start, step)) for song, table in rows for step in (1 if media else 1024,)
              for start in range(0, table.num_rows, step))
    following = next(source, None)

    def run() -> Iterator[SongTable]:
        nonlocal following
        filled = 0
        # ``filled == 0``: a run has at least one row, or a row larger than a file would be asked for again and again.
        while following is not None and (filled == 0 or filled + following[1].nbytes <= _FILL):
            filled += following[1].nbytes
            yield following
            following = next(source, None)

    while following is not None:
        yield run()


def _read(table: ReleaseTable, part: PartFile, use: Callable[[ParquetFile], Any]) -> Any:
    try:
        with open_parquet(part.open()) as file:
            missing = [name for name in _needed(table, file.schema_arrow.names) if name not in file.schema_arrow.names]
            if missing:
                raise UnreleasableTable(f"{table.config}: {part.name} has no column {missing[0]!r}, which is "
                                        "published; materialize it again")
            return use(file)
    except Unreadable as error:
        raise UnreleasableTable(f"{table.config}: {part.name} cannot be read ({error}); run: rainbow build") from error


def _needed(table: ReleaseTable, present: Sequence[str]) -> list[str]:
    """Return the columns to read from a part with the columns ``present``: published ones, and those that select rows.

    With a listing, published columns that the part does not have come from the listing.
    """
    wanted = [name for name in table.schema.names if table.listing is None or name in present]
    chooses = [table.below[0]] if table.below else []
    return [*wanted, *(name for name in [*chooses, *([table.key] if table.listing else [])] if name not in wanted)]


def _encoded_bytes(table: ReleaseTable, part: PartFile) -> int:
    """Return the bytes of the published columns of ``part`` before compression; 0 if it has no rows."""
    def total(file: ParquetFile) -> int:
        wanted, found = set(table.schema.names), 0
        for group in range(file.metadata.num_row_groups):
            row_group = file.metadata.row_group(group)
            for number in range(row_group.num_columns):
                column = row_group.column(number)
                if column.path_in_schema.partition(".")[0] in wanted:
                    found += column.total_uncompressed_size
        return found if file.metadata.num_rows else 0

    return _read(table, part, total)


def _rows(table: ReleaseTable, color: str, parts: Iterable[PartFile]) -> Iterator[SongTable]:
    """Yield (song, published rows) of ``parts``, batch by batch; raise if a listed row is missing."""
    for song, own in groupby(parts, key=lambda part: part.group):
        listed = table.listing(color, song) if table.listing else None
        found = 0
        for part in own:
            for rows in _part_rows(table, part, listed):
                found += len(rows)
                yield song, rows
        if listed is not None and found != len(listed):
            raise UnreleasableTable(f"{table.config}: {len(listed) - found} of {len(listed)} rows of {song} are "
                                    "missing; run: rainbow build --repair")


def _part_rows(table: ReleaseTable, part: PartFile, listed: pa.Table | None) -> Iterator[pa.Table]:
    try:
        with open_parquet(part.open(), _BUFFER) as file:
            wanted, size = _needed(table, file.schema_arrow.names), _MEDIA_BATCH if table.media else _BATCH
            for batch in read_batches(file, size, wanted):
                rows = pa.Table.from_batches([batch])
                if table.below:
                    rows = rows.filter(pc.call_function("less", [rows[table.below[0]], pa.scalar(table.below[1])]))
                if listed is not None:
                    rows = joined(rows, listed, table.key)
                yield rows.select(table.schema.names).cast(table.schema)
    except Unreadable as error:
        raise UnreleasableTable(f"{table.config}: {part.name} cannot be read ({error}); run: rainbow build") from error


def joined(rows: pa.Table, listed: pa.Table, key: str = "segment_id") -> pa.Table:
    """Return the listed ones of ``rows``, in their order, with the columns that only the listing has."""
    place = pc.call_function("index_in", [rows[key]], pc.SetLookupOptions(listed[key]))
    kept, place = rows.filter(place.is_valid()), place.drop_null()
    for name in listed.column_names:
        if name not in rows.column_names:
            kept = kept.append_column(listed.schema.field(name), listed[name].take(place))
    return kept
