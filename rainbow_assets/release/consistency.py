"""Checks that a version has one state: its edges name the shards that it lists, and its tables agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import polars as pl

from rainbow_assets.release.manifest import key_of
from rainbow_assets.sound.fingerprint import alike
from rainbow_assets.storage.parquet import Source, open_parquet, read_parquet
from rainbow_assets.text import some

SONGS = {"base_manifest": "id"}
"""The song's column in configs that do not call it ``song_id``."""
FACTS = ("title", "bpm", "key", "rainbow_color", "split")
"""Facts of a song that several tables repeat under one name."""
SAME_ROWS = (("training_full", "training_segments"),)
"""Tables that must have the same keys."""
ONE_SPLIT = ("preview", "preview_mix")
"""Tables of songs whose only split, train, has songs of every split."""
DIGESTS = {"audio_digest": "audio", "midi_digest": "midi"}
"""Column -> the table that has what it is the digest of. Other tables with this column must name the same."""
ALIKE, FEWEST = 0.3, 32
"""Songs are copies if they share this part of their sound prints, and can be compared if each has 32 hashes.

Measured: copies (other gain, rate, format, start) .33 to 1, songs of one generator with equal drum patterns up to .24.
"""
_REMEDY = "remove the copies, or list the songs in splits.train"
COMMON = 30
"""A hash that more songs have is a common rhythm and no sign of a copy."""
AMONG = (("preview", "audio"), ("preview_mix", "audio"), ("midi", "training_segments"))
"""(table, table that must have each of its keys)."""


def edges(provenance: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each shard that was made from another state than the one that the version lists.

    Versions made before edges were recorded have none.
    """
    shards: Mapping[str, Mapping[str, str]] = provenance.get("shards", {})
    found = []
    for asset, partitions in sorted(provenance.get("edges", {}).items()):
        for partition, read in sorted(partitions.items()):
            for where, version in sorted(read.items()):
                name, _, other = where.partition("/")
                listed = shards.get(name, {}).get(other or partition)
                if listed is not None and listed != version:
                    found.append(f"{asset}/{partition} was made from {name}/{other or partition} {version[:12]}, and "
                                 f"the version lists {listed[:12]}")
    return found


class Tables:
    """The keys, songs and facts of a version's tables, collected file by file."""

    def __init__(self) -> None:
        self.keys: dict[str, set[str]] = {}
        self.songs: dict[str, set[str]] = {}
        self.facts: dict[tuple[str, str], tuple[Any, str]] = {}
        self.digests: dict[tuple[str, str], dict[str, str]] = {}
        self.sounds: dict[str, set[str]] = {}
        self.prints: dict[str, set[int]] = {}
        self.splits: dict[str, str] = {}
        self.found: dict[str, None] = {}

    def add(self, config: str, path: str, data: Source, split: str | None = None) -> None:
        """Add one data file of ``config`` and ``split``, if versions had splits; ``path`` is its name in sentences."""
        with open_parquet(data) as file:
            columns = file.schema_arrow.names
        key, song = (name if name in columns else None for name in (key_of(config), SONGS.get(config, "song_id")))
        facts = [name for name in FACTS if name in columns and song]
        digests = [name for name in DIGESTS if name in columns and key]
        wanted = [name for name in (key, song, *facts, *digests) if name]
        frame = pl.DataFrame(pl.from_arrow(read_parquet(data, wanted)))
        if key:
            self._add_keys(config, path, frame[key].cast(pl.String))
            for name in digests:
                known = self.digests.setdefault((name, config), {})
                known.update(frame.select(pl.col(key).cast(pl.String), name).drop_nulls().iter_rows())
        if song:
            self.songs.setdefault(config, set()).update(frame[song].drop_nulls().cast(pl.String))
            for row in frame.select(song, *facts).unique(maintain_order=True).iter_rows(named=True):
                name = str(row.pop(song))
                self._add_facts(config, name, row)
                if split is not None and config not in ONE_SPLIT:
                    self._add_facts(f"the files of {config}", name, {"split": split})
        if song and {"audio_digest", "split"} <= set(columns):
            read = [song, "split", *(name for name in ("audio_digest", "sound_print") if name in columns)]
            self._add_sounds(song, pl.DataFrame(pl.from_arrow(read_parquet(data, read))))

    def _add_keys(self, config: str, path: str, keys: pl.Series) -> None:
        known = self.keys.setdefault(config, set())
        fresh = set(keys)
        twice = sorted(known & fresh) or sorted(keys.filter(keys.is_duplicated()).unique())
        if twice:
            self.found[f"{path}: {config} has two rows with the key {some(twice)}"] = None
        known |= fresh

    def _add_facts(self, config: str, song: str, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            before, where = self.facts.setdefault((song, name), (value, config))
            if not _same(value, before):
                self.found[f"the song {song} has {name} {before!r} in {where} and {value!r} in {config}"] = None

    def _add_sounds(self, song: str, frame: pl.DataFrame) -> None:
        for name, sound, split in frame.select(song, "audio_digest", "split").drop_nulls().iter_rows():
            self.sounds.setdefault(sound, set()).add(name)
            self.splits[name] = split
        if "sound_print" in frame.columns:
            for name, hashes in frame.select(song, "sound_print").drop_nulls().iter_rows():
                self.prints.setdefault(name, set()).update(hashes)

    def _other_digests(self) -> Iterator[str]:
        for (column, config), named in self.digests.items():
            owner = DIGESTS[column]
            own = self.digests.get((column, owner))
            if own is None or config == owner:
                continue
            if apart := sorted(key for key, digest in named.items() if own.get(key) != digest):
                yield f"{config} has another {column} than {owner}, or {owner} lacks the row: {some(apart)}"
            if config in ("training_segments", "training_full") and (
                    apart := sorted(key for key in own if "_t00_" not in key and key not in named)):
                yield f"{owner} has rows for which {config} has no {column}: {some(apart)}"

    def _in_two_splits(self) -> Iterator[str]:
        equal = Counter(tuple(sorted(songs)) for songs in self.sounds.values())
        apart = {songs: count for songs, count in sorted(equal.items()) if self._differ(songs)}
        named = {pair for songs in apart for pair in combinations(songs, 2)}
        for songs, count in apart.items():
            yield f"{self._named(songs)} have {count} equal sounds in different splits; {_REMEDY}"
        for pair, share in self._alike():
            if pair not in named:
                yield (f"{self._named(pair)} are in different splits, and {share:.0%} of their sound is alike, as in "
                       f"two exports of a song; {_REMEDY}")

    def _differ(self, songs: tuple[str, ...]) -> bool:
        return len({self.splits[song] for song in songs}) > 1

    def _named(self, songs: tuple[str, ...]) -> str:
        return " and ".join(f"{song} ({self.splits[song]})" for song in songs)

    def _alike(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Yield the pairs of songs in different splits with nearly the same sound, and the share that both have.

        Only songs with a hash in common are compared.
        """
        owners: dict[int, list[str]] = {}
        for song, hashes in sorted(self.prints.items()):
            for value in hashes if len(hashes) >= FEWEST else ():
                owners.setdefault(value, []).append(song)
        pairs = {pair for songs in owners.values() if 1 < len(songs) <= COMMON for pair in combinations(songs, 2)}
        for pair in sorted(pairs):
            share = alike(*(self.prints[song] for song in pair))
            if share >= ALIKE and self._differ(pair):
                yield pair, share

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each contradiction between the tables."""
        yield from self.found
        yield from self._in_two_splits()
        yield from self._other_digests()
        for one, other in SAME_ROWS:
            if one in self.keys and other in self.keys and (apart := sorted(self.keys[one] ^ self.keys[other])):
                yield f"{one} and {other} do not have the same rows: {some(apart)}"
        for one, other in AMONG:
            if one in self.keys and other in self.keys and (apart := sorted(self.keys[one] - self.keys[other])):
                yield f"{one} has rows that {other} lacks: {some(apart)}"
        if "audio" in self.keys and "training_segments" in self.keys:
            heard = {key for key in self.keys["audio"] if "_t00_" not in key}
            if apart := sorted(heard - self.keys["training_segments"]):
                yield f"audio has stems that training_segments lacks: {some(apart)}"
        whole = self.songs.get("base_manifest")
        for config, songs in self.songs.items():
            if whole is not None and (apart := sorted(songs - whole)):
                yield f"{config} has songs that base_manifest lacks: {some(apart)}"


def _same(one: Any, other: Any) -> bool:
    # Some tables keep numbers in 32 bits, others in 64.
    numbers = isinstance(one, float) and isinstance(other, float)
    return one == other or (numbers and math.isclose(one, other, rel_tol=1e-6))
