"""`rainbow build`: build what is stale, through Dagster.

A plan cannot foresee everything (keys that an asset makes itself, ranks among all rows). So a run includes every asset
that reads something stale, and each asset compares its real inputs. Afterwards the plan is made again, to find raw
files that changed meanwhile.

Dagster and its definitions are loaded only if there is something to run, so that an empty build is fast.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import progress, settings, taxonomy
from rainbow_assets.cli.failures import stop_if_failed
from rainbow_assets.cli.options import AS_JSON, ONE_COLOR, AssetType
from rainbow_assets.errors import RainbowError
from rainbow_assets.layout import document
from rainbow_assets.terminal import say
from rainbow_assets.text import counted, some

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rainbow_assets.ingest.anomalies import Anomaly
    from rainbow_assets.lineage.plan import Planned
    from rainbow_assets.lineage.row_asset import RowAsset
    from rainbow_assets.storage.store import ShardStore

LOSSES = 10
"""The number of songs and stems without rows that a build names."""
WALKS = 3
"""How often a build starts again because raw files changed while it ran."""


@click.command()
@ONE_COLOR
@click.option("--asset", "assets", type=AssetType(), multiple=True, help="Asset to build (repeatable; default: all).")
@click.option("--repair", "do_repair", is_flag=True, help="Check every stored file first and rebuild the damaged ones.")
@click.option("--allow-deletes", is_flag=True, help="Accept that many songs disappeared at once.")
@AS_JSON
def build(color: str | None, assets: tuple[str, ...], do_repair: bool, allow_deletes: bool, as_json: bool) -> None:
    """Build everything that is out of date.

    One process builds all colors through Dagster, so that its UI shows the run.
    """
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.home import dagster_home
    from rainbow_assets.lineage import render
    from rainbow_assets.lineage.plan import plan as make_plan
    from rainbow_assets.storage.store import ShardStore

    dagster_home()  # an unusable home fails before the plan is made
    begun = time.monotonic()
    colors = (color,) if color else taxonomy.COLOR_NAMES
    store = ShardStore(settings.roots().data)
    # Assets on request are built only when named: a changed lyric must not start a training.
    chosen = {name: GRAPH[name] for name in assets} or {
        name: asset for name, asset in GRAPH.items() if not asset.on_request}
    if do_repair:
        _repair(chosen, store, colors, as_json)

    def plan_of(wanted: Collection[str], colors: tuple[str, ...]) -> list[Planned]:
        return [entry for entry in make_plan(GRAPH, store, colors, allow_deletes=allow_deletes)
                if entry.asset in wanted]

    planned, made, whole = plan_of(chosen, colors), BuildSummary(), not assets and color is None
    waiting = _waiting(planned, store)
    for _ in range(WALKS if whole else 1):
        if waiting:
            names = _with_readers(waiting, chosen, color is None)
            _run(made, waiting, colors, names, allow_deletes, begun if as_json else None)
            everything = [name for name, asset in GRAPH.items() if not asset.on_request]
            waiting = _waiting(plan_of(everything, taxonomy.COLOR_NAMES), store)
    lost = _losses(store, colors) if made.assets else []
    if as_json:
        made.dump(begun, lost)
    else:
        say(made.text() if made.assets else render.summary(planned), states=not made.assets)
        _show(lost)
    if waiting and whole:
        raise RainbowError(f"after {WALKS} builds {_places(waiting)} are out of date again, because raw files change "
                           "while they are read; wait until they are written, then run the command again")
    if waiting and not progress.quiet:
        say(f"still out of date: {_places(waiting)}; run: rainbow build", err=True)


def _losses(store: ShardStore, colors: tuple[str, ...]) -> list[Anomaly]:
    """Return the songs and stems of ``colors`` that have no row."""
    from rainbow_assets.segments.losses import anomalies, losses_of

    return anomalies(losses_of(store, colors))


def _show(lost: list[Anomaly]) -> None:
    songs = sum(anomaly.kind == "song_without_rows" for anomaly in lost)
    if lost:
        say(f"without rows: {counted(songs, 'song')}, and {counted(len(lost) - songs, 'stem')} of other songs")
    for anomaly in lost[:LOSSES]:
        say(f"{anomaly.severity}: {anomaly.of}, {anomaly.where}: {anomaly.message} [{anomaly.kind}]")
    if len(lost) > LOSSES:
        say(f"and {len(lost) - LOSSES} more; for all of them run: rainbow build --json")


def _repair(steps: dict[str, Any], store: ShardStore, colors: tuple[str, ...], to_error: bool) -> None:
    from rainbow_assets.lineage import repair

    shards = sum(len(colors if step.colored else step.partitions) for step in steps.values())
    with progress.bar("examining") as tick:
        done = iter(range(1, shards + 1))
        damages = repair.repair(steps, store, colors, lambda where: tick("shards", next(done), shards))
    for damage in damages:
        say(f"damaged: {damage}", states=True, err=to_error)
    say(f"examined {counted(shards, 'shard')}, {counted(len(damages), 'file')} damaged", err=to_error)


def _waiting(planned: list[Planned], store: ShardStore) -> list[Planned]:
    """Return the shards that a run has work for: stale ones, and fresh ones that Dagster shows as something else.

    Dagster may show an older version, or a problem of the last build that has been fixed since.
    """
    from rainbow_assets.lineage.materialize import problem
    from rainbow_assets.lineage.plan import FRESH
    from rainbow_assets.orchestration.versions import known_versions

    fresh = {(entry.asset, entry.partition): store.shard(entry.asset, entry.partition).require_index().data_version
             for entry in planned if entry.state == FRESH}
    shown = known_versions(fresh, store) if fresh else {}
    return [entry for entry in planned
            if fresh.get(where := (entry.asset, entry.partition)) is None or shown.get(where) != fresh[where]
            or problem(store.shard(*where)) is not None]


def _with_readers(waiting: list[Planned], chosen: dict[str, RowAsset], all_colors: bool) -> list[str]:
    """Return the assets of ``waiting`` and all assets downstream of them, in the order of the graph.

    Without ``all_colors``, assets that read every color are left out, because the other colors may be out of date.
    """
    found = {entry.asset for entry in waiting}
    for name, step in chosen.items():
        if found & set(step.reads) and (step.colored or all_colors):
            found.add(name)
    return [name for name in chosen if name in found]


def _places(entries: list[Planned]) -> str:
    return some([f"{entry.asset}/{entry.partition}" for entry in entries], 3)


def _run(
    made: BuildSummary, waiting: list[Planned], colors: tuple[str, ...], assets: list[str], allow_deletes: bool,
    json_since: float | None,
) -> None:
    """Run ``assets`` from the first color of ``waiting`` to the last, and add the results to ``made``.

    Exits with 1 if a step fails. If ``json_since`` is set (when the command started), the results are printed as JSON
    before that.
    """
    from rainbow_assets.definitions import defs
    from rainbow_assets.orchestration import jobs

    places = [colors.index(entry.partition) for entry in waiting if entry.partition in colors]
    span = colors[min(places):max(places) + 1] if places else colors
    result = jobs.run_colors(defs, span, assets, allow_deletes)
    shards = [shard.as_dict() for shard in jobs.shards(result)] if json_since is not None else []
    made.add(jobs.by_asset(result), shards, span)
    if json_since is not None and not result.success:
        made.dump(json_since)
    stop_if_failed(result)


class BuildSummary:
    """The results of all runs of one build."""

    def __init__(self) -> None:
        self.assets: dict[str, tuple[int, int]] = {}
        self.shards: list[dict[str, Any]] = []
        self.colors: list[str] = []

    def add(
        self, by_asset: dict[str, tuple[int, int]], shards: list[dict[str, Any]], colors: tuple[str, ...]
    ) -> BuildSummary:
        """Add a run: {asset: (rows computed, rows removed)}, its shards, its colors."""
        for asset, (computed, removed) in by_asset.items():
            before = self.assets.get(asset, (0, 0))
            self.assets[asset] = before[0] + computed, before[1] + removed
        self.shards += shards
        self.colors = [color for color in taxonomy.COLOR_NAMES if color in {*self.colors, *colors}]
        return self

    def text(self) -> str:
        """Return one line for a person; assets in which no row changed are only counted."""
        moved = [asset for asset, numbers in self.assets.items() if any(numbers)]
        computed, removed = (sum(numbers[place] for numbers in self.assets.values()) for place in (0, 1))
        span = self.colors[0] + (f" to {self.colors[-1]}" if len(self.colors) > 1 else "")
        rest = len(self.assets) - len(moved)
        same = f"; no row changed in {counted(rest, 'asset')} that read them" if moved and rest else ""
        return (f"built {', '.join(moved or self.assets)} for {span}: {counted(computed, 'row')} computed, "
                f"{removed:,} removed{same}")

    def dump(self, begun: float, lost: Sequence[Anomaly] = ()) -> None:
        """Print the results as JSON, by asset and by shard, with what has no row (``lost``)."""
        assets = {asset: {"computed": computed, "removed": removed}
                  for asset, (computed, removed) in self.assets.items()}
        say(document({
            "assets": assets, "colors": self.colors,
            "computed": sum(computed for computed, _ in self.assets.values()),
            "removed": sum(removed for _, removed in self.assets.values()),
            "seconds": round(time.monotonic() - begun, 3), "shards": self.shards,
            "without_rows": [{"song": anomaly.of, **anomaly.as_dict()} for anomaly in lost],
        }, sort_keys=True))
        sys.stdout.flush()
