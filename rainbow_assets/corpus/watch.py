"""Looking at the raw songs: which colors differ from what `base_manifest` last took in, and by which files."""

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
"""How many files of a color are named."""


@dataclass(frozen=True)
class Observation:
    """One color as it lies on disk: ``version`` is the ledger's own token for the source, by content digest.

    ``changed`` names the files that differ from the last build, as ``song/file (added|changed|removed)``.
    ``problem`` is a sentence where the color is not to be believed; then nothing else may be used.
    """

    color: str
    version: str
    songs: int
    files: int
    changed: tuple[str, ...]
    problem: str | None = None


def observe(store: ShardStore, rules: settings.Rules | None = None) -> list[Observation]:
    """Look at every color; raise ``UsageError`` where there is no corpus folder, or nothing of it any more.

    A file is read only where its size, modification time, change time or inode moved since it was last read.
    """
    root, store = corpus_root(), store.remembering()
    rules = rules or settings.default_rules()
    sights = [_observe(store, color, rules) for color in COLOR_NAMES]
    if not any(sight.songs for sight in sights) and any(sight.problem for sight in sights):
        raise UsageError(f"the corpus folder {root} holds no songs, but songs were built from it; nothing was deleted. "
                         f"Is its disk mounted? If they were deleted on purpose, run: rainbow build --allow-deletes")
    return sights


def _observe(store: ShardStore, color: str, rules: settings.Rules) -> Observation:
    shard = store.shard(BASE_MANIFEST.name, color)
    try:
        source = load_source(shard)
        version = source_token(shard)
        problem = guards.vanished(reconcile(BASE_MANIFEST, shard, rules))
    except FileNotFoundError as error:
        return Observation(color, "", 0, 0, (),
                           f"{error.filename} went away while it was being read; it is looked at again")
    except RainbowError as error:
        return Observation(color, "", 0, 0, (), str(error))
    before = recorded_files(shard)
    now = {folder.name for folder in source.folders}
    changed = [line for song in sorted(now | set(before)) for line in _moved(song, before.get(song, {}),
                                                                            source.of(song))]
    return Observation(color, version, len(now), len(source.digests), tuple(changed), problem)


def _moved(song: str, old: dict[str, str], new: dict[str, str]) -> list[str]:
    """The files of one song that differ, each with how."""
    return [f"{song}/{name} ({'added' if name not in old else 'removed' if name not in new else 'changed'})"
            for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
