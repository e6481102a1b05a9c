"""Gates: a shard whose current state has not passed its checks is not read by a build or a release.

Only the verdict file beside the shard decides, so that the command line, the UI, automation, a later run and a new
Dagster home all get the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import verdicts
from rainbow_assets.lineage.row_asset import RowAsset
from rainbow_assets.storage.shard import DamagedShard, MissingShard
from rainbow_assets.storage.store import WHOLE, ShardStore


class Blocked(RainbowError):
    """A shard may not be used; the message names the check that failed or has not run, and what to do."""


@dataclass(frozen=True)
class Shut:
    """Why a shard may not be used.

    ``failed``: a check failed on its current state, or it is damaged, so that checking again would change nothing. If
    False, a check has not run on the current state yet.
    """

    sentence: str
    failed: bool


def require(store: ShardStore, asset: RowAsset, partition: str = WHOLE) -> None:
    """Raise ``Blocked`` unless every check of ``asset`` has passed on the live data of ``partition``."""
    problem = blocked(store, asset, partition)
    if problem is not None:
        raise Blocked(problem)


def shut(step: RowAsset, store: ShardStore, partition: str) -> Iterator[str]:
    """Yield why ``partition`` of ``step`` may not be built: a shard that it reads may not be used, or waits itself.

    Optional shards may be missing. A shard further downstream of a failed check may not be used either, even if its
    own checks passed: it was built from older rows.
    """
    for asset, upstream in _read(step, store, partition):
        sentence = blocked(store, asset, upstream)
        if sentence is not None:
            yield sentence
    todo = list(_read(step, store, partition))
    seen = {(asset.name, upstream) for asset, upstream in todo}
    while todo:
        asset, upstream = todo.pop(0)
        for further in _read(asset, store, upstream):
            where = further[0].name, further[1]
            if where in seen:
                continue
            seen.add(where)
            todo.append(further)
            found = shut_by(store, *further)
            if found is not None and found.failed:
                yield f"{asset.name}/{upstream} waits: {found.sentence}"


def _read(step: RowAsset, store: ShardStore, partition: str) -> Iterator[tuple[RowAsset, str]]:
    """Yield (asset, partition) of every shard that ``partition`` of ``step`` reads, without missing optional ones."""
    for asset in step.reads:
        for upstream in step.read_partitions(asset, partition):
            if asset not in step.optional or store.shard(asset, upstream).index() is not None:
                yield step.upstream(asset), upstream


def require_upstreams(step: RowAsset, store: ShardStore, partition: str) -> None:
    """Raise ``Blocked`` unless every shard that ``partition`` of ``step`` reads may be used."""
    for sentence in shut(step, store, partition):
        raise Blocked(sentence)


def blocked(store: ShardStore, asset: RowAsset, partition: str = WHOLE) -> str | None:
    """Return why ``asset`` in ``partition`` may not be used, or None if it may."""
    found = shut_by(store, asset, partition)
    return found.sentence if found else None


def shut_by(store: ShardStore, asset: RowAsset, partition: str = WHOLE) -> Shut | None:
    """Return why ``asset`` in ``partition`` may not be used and if that is final (``failed``), or None if it may."""
    shard = store.shard(asset.name, partition)
    again = f"dagster asset materialize -m rainbow_assets.definitions --select {asset.name}" + (
        "" if partition == WHOLE else f" --partition {partition}"
    )
    try:
        index = shard.require_index()
        known = verdicts.read(shard)
    except (MissingShard, DamagedShard) as error:
        return Shut(str(error), isinstance(error, DamagedShard))
    for check in asset.checks:
        verdict = verdicts.current(shard, check, known)
        if verdict is None:
            older = any(v.check == check.name for v in known)
            why = "has not run on the current data" if older else "has never run"
            return Shut(f"{shard.where} is blocked: its check {check.name} {why}; run: {again}", False)
        if not verdict.passed:
            return Shut(f"{shard.where} is blocked: its check {check.name} failed on data version "
                        f"{index.data_version}: {verdict.message}", True)
    return None
