"""The data versions that Dagster shows, read without loading Dagster if nothing can have changed them.

Dagster takes a second to load, and a build that finds nothing to do needs only these versions. They are cached with a
stamp of the database that they came from (size, time and inode of the file and of its write-ahead log). While the stamp
is the same, no process has written an event, so the versions are still right. For any other storage than SQLite files,
and in case of doubt, Dagster is loaded.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.caches import read_cache, write_cache
from rainbow_assets.home import CONFIG, dagster_home, instance
from rainbow_assets.storage.store import WHOLE, ShardStore

if TYPE_CHECKING:
    from dagster import DagsterInstance

CACHE = "dagster_versions.json"
SETTLED_NS = 2_000_000_000
"""Minimum age of a stamp that is trusted: file systems have coarse clocks, so a later write may get the same time."""
Shards = Iterable[tuple[str, str]]


def known_versions(shards: Shards, store: ShardStore) -> dict[tuple[str, str], str]:
    """Return the data version that Dagster shows for each (asset, partition), without those that it does not know."""
    wanted = sorted(set(shards))
    place, cache = _place(dagster_home()), store.cache_path(CACHE)
    if place is not None and cache is not None:
        kept = read_cache(cache)
        if kept.get("place") == place and kept.get("stamp") == _stamp(kept.get("database")):
            versions = kept.get("versions")
            if isinstance(versions, dict) and all(_name(shard) in versions for shard in wanted):
                return {shard: found for shard in wanted if (found := versions[_name(shard)])}
    return _asked(wanted, place, cache)


def _asked(wanted: list[tuple[str, str]], place: list[str] | None, cache: Path | None) -> dict[tuple[str, str], str]:
    """Return the versions from Dagster, and cache them if no process wrote to its database meanwhile."""
    with instance() as here:
        database = _database(here)
        before, begun = _stamp(database), time.time_ns()
        found = _versions(here, wanted)
    stamp = _stamp(database)
    if place is None or cache is None or stamp is None or stamp != before:
        return found
    if max(mark[1] for mark in stamp if mark) < begun - SETTLED_NS:
        write_cache(cache, {"place": place, "database": database, "stamp": stamp,
                            "versions": {_name(shard): found.get(shard) for shard in wanted}})
    return found


def _versions(here: DagsterInstance, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the data version in the latest event of each shard that has one, with one query per asset."""
    import dagster as dg

    from rainbow_assets.orchestration.events import DATA_VERSION_TAG

    found = {}
    for asset, shards in groupby(wanted, key=itemgetter(0)):
        key, partitions = dg.AssetKey(asset), [partition for _, partition in shards]
        if partitions == [WHOLE]:
            record = here.get_latest_data_version_record(key)
            made = record.asset_materialization if record else None
            tags = {WHOLE: dict(made.tags or {})} if made else {}
        else:
            tags = here.event_log_storage.get_latest_tags_by_partition(
                key, dg.DagsterEventType.ASSET_MATERIALIZATION, [DATA_VERSION_TAG], partitions)
        found.update({(asset, partition): own[DATA_VERSION_TAG] for partition, own in tags.items()
                      if DATA_VERSION_TAG in own})
    return found


def _name(shard: tuple[str, str]) -> str:
    return "/".join(shard)


def _place(home: Path) -> list[str] | None:
    """Return everything that decides where Dagster's database is, or None if an environment variable may decide."""
    try:
        config = (home / CONFIG).read_bytes()
    except OSError:
        config = b""
    if b"env:" in config:
        return None
    return [str(home), os.getcwd(), hashlib.sha256(config).hexdigest()]


def _database(here: DagsterInstance) -> str | None:
    """Return the SQLite file with the latest event of each asset, or None for any other storage."""
    path: Any = getattr(here.event_log_storage, "path_for_shard", None)
    return str(path("index")) if path else None


def _stamp(database: Any) -> list[list[int] | None] | None:
    """Return size, time and inode of the database and of its write-ahead log, or None if there is no database."""
    if not isinstance(database, str):
        return None
    found = [_mark(database), _mark(f"{database}-wal")]
    return found if found[0] else None


def _mark(path: str) -> list[int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    # A process that only opens the database makes an empty log and deletes it at the end, so an empty log is ignored.
    return [stat.st_size, stat.st_mtime_ns, stat.st_ino] if stat.st_size else None
