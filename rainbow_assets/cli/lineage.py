"""`rainbow plan | why | impact | lineage`: what is stale, why, what a change would touch, where a row came from.

The graph is loaded when a verb runs, not for its help.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rainbow_assets import settings, taxonomy
from rainbow_assets.cli.options import AS_JSON, ONE_COLOR, AssetType, ColorType, TargetType
from rainbow_assets.errors import UsageError
from rainbow_assets.layout import document
from rainbow_assets.terminal import say

if TYPE_CHECKING:
    from rainbow_assets.corpus.hypothesis import Hypothesis
    from rainbow_assets.lineage.plan import Planned
    from rainbow_assets.storage.store import ShardStore


def _colors(color: str | None) -> list[str]:
    return [color] if color else list(taxonomy.COLOR_NAMES)


def _store() -> ShardStore:
    from rainbow_assets.storage.store import ShardStore

    return ShardStore(settings.roots().data)


def _planned(color: str | None, allow_deletes: bool = False) -> list[Planned]:
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.lineage.plan import plan as make_plan

    return make_plan(GRAPH, _store(), _colors(color), allow_deletes=allow_deletes)


def _dump(value: Any) -> None:
    say(document(value, sort_keys=True))


@click.command()
@ONE_COLOR
@click.option("--html", type=click.Path(path_type=Path), help="Write the plan as an HTML page to this file.")
@click.option("--allow-deletes", is_flag=True, help="Plan as if many songs had been deleted on purpose.")
@AS_JSON
def plan(color: str | None, html: Path | None, allow_deletes: bool, as_json: bool) -> None:
    """Show what a build would do, and why.

    It changes nothing.
    """
    from rainbow_assets.lineage import render
    from rainbow_assets.lineage.plan import FRESH

    planned = _planned(color, allow_deletes)
    if html is not None:
        from rainbow_assets.assets import GRAPH
        from rainbow_assets.lineage import page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(page.plan_page(GRAPH, planned), "utf-8", newline="\n")
        say(f"wrote {html}")
    elif as_json:
        _dump({"shards": [entry.as_dict() for entry in planned], "summary": render.summary(planned),
               "stale": sum(entry.state != FRESH and not entry.on_request for entry in planned)})
    else:
        say(render.plan_tree(planned), states=True)


@click.command()
@click.argument("asset", type=AssetType())
@ONE_COLOR
@AS_JSON
def why(asset: str, color: str | None, as_json: bool) -> None:
    """Show why an asset is out of date.

    Prints the reasons for ASSET and for every asset upstream of it.
    """
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.lineage import gates, render
    from rainbow_assets.lineage.plan import FRESH

    step, followed = GRAPH[asset], GRAPH.followed([asset])
    planned = [entry for entry in _planned(color) if entry.asset in followed]
    chosen = [entry for entry in planned if entry.asset == asset or entry.state != FRESH]
    if as_json:
        _dump([entry.as_dict() for entry in chosen])
        return
    for name in dict.fromkeys([asset, *(entry.asset for entry in reversed(chosen))]):
        text = render.why([entry for entry in chosen if entry.asset == name], name)
        if text:
            say(text, states=True)
    if step.on_request and not any(entry.asset == asset for entry in chosen):
        say(f"{asset}: it is built only when named. {gates.blocked(_store(), step)}")


@click.command()
@click.argument("target", type=TargetType())
@click.option("--with", "content", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Suppose that the file TARGET has the content of this file.")
@click.option("--removed", is_flag=True, help="Suppose that the file or song TARGET is deleted.")
@click.option("--color", "other", type=ColorType(), help="Suppose that the song TARGET has this color.")
@AS_JSON
def impact(target: str, content: Path | None, removed: bool, other: str | None, as_json: bool) -> None:
    """Show what a change would touch.

    TARGET is a raw file, a song, a segment, a color, or a module of the code. Its content is supposed to change to
    something unknown; a song keeps its name and color. With one of the options, a raw file or a song changes as given,
    and the result is as exact as a plan.
    """
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.corpus import targets
    from rainbow_assets.corpus.hypothesis import Hypothesis, supposed
    from rainbow_assets.lineage import render
    from rainbow_assets.lineage.impact import difference
    from rainbow_assets.lineage.impact import impact as follow
    from rainbow_assets.release.directory_hub import releases_of

    store = _store()
    if sum(map(bool, (content, removed, other))) > 1:
        raise UsageError("--with, --removed and --color exclude each other; use one of them")
    if content or removed or other:
        before = _planned(None, allow_deletes=True)
        with supposed(change := Hypothesis(target, content, removed, other)):
            entries = difference(before, _planned(None, allow_deletes=True), store)
        supposition = _sentence(change)
    else:
        entries = follow(GRAPH, store, targets.resolve(target, store, GRAPH))
        supposition = (f"supposed: {target} changes to something unknown; songs keep their names and colors, and stems "
                       "and MIDI files their length, tempo, key and start")
    segments = {key for entry in entries if entry.asset == "segments" for key in entry.keys}
    releases = releases_of(settings.roots().data, segments)
    if as_json:
        _dump({"supposed": supposition, "touched": [entry.as_dict() for entry in entries], "releases": releases})
    else:
        say(supposition)
        say(render.touched(entries, releases))


def _sentence(change: Hypothesis) -> str:
    if change.color:
        return f"supposed: {change.target} has the color {change.color}"
    return f"supposed: {change.target} " + ("is deleted" if change.removed else f"has the content of {change.content}")


@click.command()
@click.argument("segment_id")
@AS_JSON
def lineage(segment_id: str, as_json: bool) -> None:
    """Show where a segment came from, and what was made from it.

    Prints its files, manifest fields and code, then the tables and releases that contain it.
    """
    from rainbow_assets.assets import GRAPH
    from rainbow_assets.corpus import targets
    from rainbow_assets.lineage import render, trace
    from rainbow_assets.release.directory_hub import releases_of

    store = _store()
    song = targets.song_of_segment(segment_id)
    color = targets.color_of_song(song, store) if song else None
    if song is None or color is None:
        raise UsageError(f"no segment {segment_id!r} has been built; write an id like 05_03_t02_0012000")
    document = trace.trace(GRAPH, store, color, "segments", segment_id)
    document["files"], document["fields"] = _raw(store, color, song, segment_id)
    document["releases"] = releases_of(settings.roots().data, {segment_id})
    if as_json:
        _dump(document)
    else:
        say(render.lineage_tree(document))


def _raw(store: ShardStore, color: str, song: str, segment: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the raw files of a segment with their digests, and the manifest fields of its stem."""
    import polars as pl

    from rainbow_assets.corpus.changes import recorded_files
    from rainbow_assets.corpus.ids import stem_of
    from rainbow_assets.ingest.names import closest

    stem = pl.DataFrame({"key": [segment]}).select(stem_of(pl.col("key")))["key"][0]
    shard = store.shard("base_manifest", color)
    part = next(part for part in shard.require_index().parts if part.group == song)
    rows = {row["stem_id"]: row for row in shard.read_part(part).to_pylist()}
    row = rows.get(stem) or next(iter(rows.values()))
    files = recorded_files(shard).get(song, {})
    named = [row["lrc_file"], closest(f"{song}.yml", files)]
    own = [row["audio_file"], row["midi_file"] or row["midi_group_file"]]
    named += own if stem in rows else [row["main_audio_file"]]
    fields = {name: row[name] for name in ("title", "concept", "bpm", "key", "timecode", "track_id", "description")
              if name in row and (stem in rows or name not in ("track_id", "description"))}
    return {f"{song}/{name}": files[name] for name in named if name and name in files}, fields
