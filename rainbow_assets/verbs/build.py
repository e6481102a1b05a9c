"""`rainbow build`: exactly the work that is stale, through Dagster, and nothing where nothing is.

Dagster and its definitions are loaded when there is something to run: a build with nothing to do does not wait for
them.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import settings, taxonomy
from rainbow_assets.text import counted
from rainbow_assets.verbs.failures import stop_if_failed
from rainbow_assets.verbs.options import AS_JSON, ONE_COLOR, AssetType
from rainbow_assets.verbs.styles import styled

if TYPE_CHECKING:
    from rainbow_assets.lineage.plan import Planned
    from rainbow_assets.storage.store import ShardStore


@click.command()
@ONE_COLOR
@click.option("--asset", "assets", type=AssetType(), multiple=True, help="Only this asset (repeatable).")
@click.option("--repair", "mend", is_flag=True, help="Check every stored file first and rebuild the damaged ones.")
@click.option("--allow-deletes", is_flag=True, help="Accept that many songs disappeared at once.")
@AS_JSON
def build(color: str | None, assets: tuple[str, ...], mend: bool, allow_deletes: bool, as_json: bool) -> None:
    """Make everything that is out of date.

    All colors are materialized in one process, through Dagster, so that the run is in its UI.
    """
    from rainbow_assets import rooms
    from rainbow_assets.home import dagster_home
    from rainbow_assets.lineage import catalog, render
    from rainbow_assets.lineage.plan import plan as make_plan
    from rainbow_assets.storage.store import ShardStore

    dagster_home()  # one that is missing is told before anything else is done
    begun = time.monotonic()
    colors = (color,) if color else taxonomy.COLOR_NAMES
    steps, store = rooms.steps(), ShardStore(settings.roots().data)
    # Models are trained where they are named: a changed lyric must not cost a training.
    chosen = {name: catalog.step(name) for name in assets} or {
        name: step for name, step in steps.items() if not step.on_request}
    if mend:
        _repair(chosen, store, colors, as_json)
    planned = [entry for entry in make_plan(steps, store, colors, allow_deletes=allow_deletes) if entry.asset in chosen]
    waiting = _waiting(planned, store)
    if waiting:
        _run(waiting, colors, allow_deletes, as_json, begun)
    elif as_json:
        _dump({}, [], [], begun)
    else:
        click.echo(styled(render.summary(planned)))


def _repair(steps: dict[str, Any], store: ShardStore, colors: tuple[str, ...], to_error: bool) -> None:
    from rainbow_assets import progress
    from rainbow_assets.lineage import catalog, repair

    shards = sum(len(colors if step.colored else catalog.partitions(step)) for step in steps.values())
    with progress.bar("examining") as tick:
        done = iter(range(1, shards + 1))
        damages = repair.repair(steps, store, colors, lambda where: tick("shards", next(done), shards))
    for damage in damages:
        click.echo(styled(f"damaged: {damage}"), err=to_error)
    click.echo(f"examined {counted(shards, 'shard')}, {counted(len(damages), 'file')} damaged", err=to_error)


def _waiting(planned: list[Planned], store: ShardStore) -> list[Planned]:
    """The shards that a run has something to do for: stale, blocked, unchecked, left behind, or unknown to Dagster."""
    from rainbow_assets.dagster_versions import known_versions
    from rainbow_assets.lineage import gates
    from rainbow_assets.lineage.materialize import problem
    from rainbow_assets.lineage.plan import FRESH

    def busy(entry: Planned) -> bool:
        blocked = gates.blocked(store, entry.asset, entry.partition)
        return bool(entry.state != FRESH or blocked or problem(store.shard(entry.asset, entry.partition)))

    found = {(entry.asset, entry.partition): busy(entry) for entry in planned}
    versions = known_versions(found, store) if planned else {}
    return [entry for entry in planned if found[entry.asset, entry.partition] or versions.get(
        (entry.asset, entry.partition)) != store.shard(entry.asset, entry.partition).require_index().data_version]


def _run(waiting: list[Planned], colors: tuple[str, ...], allow_deletes: bool, as_json: bool, begun: float) -> None:
    """Run the assets of ``waiting`` from their first color to their last, and print what was done."""
    from rainbow_assets import jobs
    from rainbow_assets.definitions import defs

    assets = list(dict.fromkeys(entry.asset for entry in waiting))
    places = [colors.index(entry.partition) for entry in waiting if entry.partition in colors]
    span = colors[min(places):max(places) + 1] if places else colors
    result = jobs.run_colors(defs, span, assets, allow_deletes)
    if as_json:
        _dump(jobs.by_asset(result), [made.as_dict() for made in jobs.shards(result)], list(span), begun)
    stop_if_failed(result)
    if not as_json:
        computed, removed = jobs.rows(result)
        click.echo(f"built {', '.join(assets)} for {span[0]}" + (f" to {span[-1]}" if len(span) > 1 else "")
                   + f": {counted(computed, 'row')} computed, {removed:,} removed")


def _dump(
    by_asset: dict[str, tuple[int, int]], shards: list[dict[str, Any]], colors: list[str], begun: float
) -> None:
    """Print what was made, in numbers by asset and by shard."""
    assets = {asset: {"computed": computed, "removed": removed} for asset, (computed, removed) in by_asset.items()}
    click.echo(json.dumps({
        "assets": assets, "colors": colors, "computed": sum(computed for computed, _ in by_asset.values()),
        "removed": sum(removed for _, removed in by_asset.values()),
        "seconds": round(time.monotonic() - begun, 3), "shards": shards,
    }, indent=1, sort_keys=True, ensure_ascii=False))
    sys.stdout.flush()
