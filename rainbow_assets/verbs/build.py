"""`rainbow build`: exactly the work that is stale, through Dagster, and nothing where nothing is."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from rainbow_assets import progress, rooms, settings, taxonomy
from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage import catalog, gates, render, repair
from rainbow_assets.lineage.materialize import problem
from rainbow_assets.lineage.plan import FRESH, Planned
from rainbow_assets.lineage.plan import plan as make_plan
from rainbow_assets.storage.store import ShardStore
from rainbow_assets.text import counted


@click.command()
@click.option("--color", help="Only this color.")
@click.option("--asset", "assets", multiple=True, help="Only this asset (may be given several times).")
@click.option("--repair", "mend", is_flag=True, help="Check every stored file first and rebuild the damaged ones.")
@click.option("--allow-deletes", is_flag=True, help="Accept that many songs disappeared at once.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def build(color: str | None, assets: tuple[str, ...], mend: bool, allow_deletes: bool, as_json: bool) -> None:
    """Make everything that is out of date.

    All colors are materialized in one process, through Dagster, so that the run is in its UI.
    """
    colors = (taxonomy.by_name(color).name,) if color else taxonomy.COLOR_NAMES
    steps, store = rooms.steps(), ShardStore(settings.roots().data)
    # Models are trained where they are named: a changed lyric must not cost a training.
    chosen = {name: catalog.step(name) for name in assets} or {
        name: step for name, step in steps.items() if not step.on_request}
    if mend:
        _repair(chosen, store, colors, as_json)
    planned = [entry for entry in make_plan(steps, store, colors, allow_deletes=allow_deletes) if entry.asset in chosen]
    waiting = _waiting(planned, store)
    if not waiting:
        click.echo(json.dumps({"assets": {}, "computed": 0, "removed": 0}) if as_json else render.summary(planned))
        return
    _run(waiting, colors, allow_deletes, as_json)


def _repair(steps: dict[str, Any], store: ShardStore, colors: tuple[str, ...], to_error: bool) -> None:
    shards = sum(len(colors if step.colored else catalog.partitions(step)) for step in steps.values())
    with progress.bar("examining") as tick:
        done = iter(range(1, shards + 1))
        damages = repair.repair(steps, store, colors, lambda where: tick("shards", next(done), shards))
    for damage in damages:
        click.echo(f"damaged: {damage}", err=to_error)
    click.echo(f"examined {counted(shards, 'shard')}, {counted(len(damages), 'file')} damaged", err=to_error)


def _waiting(planned: list[Planned], store: ShardStore) -> list[Planned]:
    """The shards that a run has something to do for: stale, blocked, unchecked, left behind, or unknown to Dagster."""
    from rainbow_assets import jobs

    versions = jobs.known_versions({(entry.asset, entry.partition) for entry in planned})
    found = []
    for entry in planned:
        shard = store.shard(entry.asset, entry.partition)
        busy = entry.state != FRESH or gates.blocked(store, entry.asset, entry.partition) or problem(shard)
        if busy or versions.get((entry.asset, entry.partition)) != shard.require_index().data_version:
            found.append(entry)
    return found


def _run(waiting: list[Planned], colors: tuple[str, ...], allow_deletes: bool, as_json: bool) -> None:
    """Run the assets of ``waiting`` from their first color to their last, and say what was done."""
    from rainbow_assets import jobs
    from rainbow_assets.definitions import defs

    assets = list(dict.fromkeys(entry.asset for entry in waiting))
    places = [colors.index(entry.partition) for entry in waiting if entry.partition in colors]
    span = colors[min(places):max(places) + 1] if places else colors
    result = jobs.run_colors(defs, span, assets, allow_deletes)
    stop_if_failed(result)
    computed, removed = jobs.rows(result)
    if as_json:
        made = {asset: {"computed": one, "removed": two} for asset, (one, two) in jobs.by_asset(result).items()}
        answer = {"assets": made, "colors": list(span), "computed": computed, "removed": removed}
        click.echo(json.dumps(answer, indent=1, sort_keys=True))
        return
    click.echo(f"built {', '.join(assets)} for {span[0]}" + (f" to {span[-1]}" if len(span) > 1 else "")
               + f": {counted(computed, 'row')} computed, {removed:,} removed")


def stop_if_failed(result: Any) -> None:
    """Exit 1 with the sentences of the steps that failed."""
    if result.success:
        return
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            sentence = failure.user_failure_data.description.strip()
        else:
            sentence = cause(failure.error)
        click.echo(f"rainbow: {event.step_key}: {sentence}", err=True)
    sys.exit(1)


def cause(error: Any) -> str:
    """Return the first cause of a step's failure: its message, and where in the code if it is a bug.

    Dagster wraps what a step raises ("Error occurred while executing op"); the cause is the last of the chain.
    """
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "the step failed without an error; the run's log is in the Dagster UI"
    sentence = error.message.partition(": ")[2].strip() or error.message.strip()
    if error.cls_name in _sentences(RainbowError):
        return sentence
    where = [line.strip() for line in error.stack if "rainbow_assets" in line]
    place = f"\n{where[-1]}" if where else ""
    return f"{error.message.strip()}{place}\nThis is a bug; the whole traceback is in the run's log, in the Dagster UI"


def _sentences(kind: type[RainbowError]) -> set[str]:
    """Return the names of all errors that are a sentence for a person."""
    return {kind.__name__}.union(*(_sentences(below) for below in kind.__subclasses__()))
