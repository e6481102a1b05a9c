"""Observing the raw songs: which colors differ from the last build of `base_manifest`, and by which files."""

from __future__ import annotations

from dataclasses import dataclass

from rainbow_assets import settings
from rainbow_assets.corpus.base_manifest import BASE_MANIFEST
from rainbow_assets.corpus.changes import recorded_files
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.corpus.source import load_source, source_token
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.lineage import guards
from rainbow_assets.lineage.ledger import reconcile
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.taxonomy import COLOR_NAMES

NAMED = 20
"""Number of changed files that a report lists for each color."""


@dataclass(frozen=True)
class Observation:
    """One color as it is on disk: ``version`` is the ledger's token of the source, a digest of its content.

    ``changed`` lists the files that differ from the last build, as ``song/file (added|changed|removed)``.
    ``problem`` is a sentence if the observation cannot be trusted; then the other fields must not be used.
    """

    color: str
    version: str
    songs: int
    files: int
    changed: tuple[str, ...]
    problem: str | None = None


def observe(store: ShardStore, rules: settings.Rules | None = None) -> list[Observation]:
    """Return an observation of every color; raise ``UsageError`` if the corpus folder or all of its songs disappeared.

    A file is read only if its size, modification time, change time or inode differs from the last time it was read.
    """
    root, store = corpus_root(), store.remembering()
    rules = rules or settings.default_rules()
    found = [_observe(store, color, rules) for color in COLOR_NAMES]
    # An unmounted disk looks like an empty folder: without this, a sensor would ask for the removal of every row.
    if not any(one.songs for one in found) and any(one.problem for one in found):
        raise UsageError(f"the corpus folder {root} has no songs, but songs were built from it; nothing was deleted. "
                         f"Mount its disk, or if they were deleted on purpose, run: rainbow build --allow-deletes")
    return found


def _observe(store: ShardStore, color: str, rules: settings.Rules) -> Observation:
    shard = store.shard(BASE_MANIFEST.name, color)
    try:
        source = load_source(shard)
        version = source_token(shard)
        problem = guards.vanished(reconcile(BASE_MANIFEST, shard, rules))
    except FileNotFoundError as error:
        return Observation(color, "", 0, 0, (),
                           f"{error.filename} disappeared while it was read; the next observation reads it again")
    except RainbowError as error:
        return Observation(color, "", 0, 0, (), str(error))
    before = recorded_files(shard)
    now = {folder.name for folder in source.folders}
    changed = [line for song in sorted(now | set(before)) for line in _moved(song, before.get(song, {}),
                                                                            source.of(song))]
    return Observation(color, version, len(now), len(source.digests), tuple(changed), problem)


def _moved(song: str, old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Return the files of one song that differ, each with the kind of change."""
    return [f"{song}/{name} ({'added' if name not in old else 'removed' if name not in new else 'changed'})"
            for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
