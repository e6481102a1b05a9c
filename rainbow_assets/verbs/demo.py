"""`rainbow demo`: a small corpus that can be heard, or stand-in media for existing manifests."""

from __future__ import annotations

from pathlib import Path

import click

from rainbow_assets import settings
from rainbow_assets.errors import UsageError
from rainbow_assets.verbs.build import stop_if_failed


@click.command()
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--songs-per-color", default=2, show_default=True, type=click.IntRange(1, 12))
@click.option("--stems-for", type=click.Path(path_type=Path), help="Render stand-in media for existing manifests.")
@click.option("--out", "target", type=click.Path(path_type=Path), help="Where the stand-ins go.")
@click.option("--songs", help="Only these songs, for example 01_01,05_03.")
@click.option("--shuffle-colors", is_flag=True, help="Deal the songs out to the colors at random: a control.")
@click.option("--run", is_flag=True, help="Build every asset from the demo corpus and publish it to a folder.")
def demo(
    out: Path | None, songs_per_color: int, stems_for: Path | None, target: Path | None, songs: str | None,
    shuffle_colors: bool, run: bool,
) -> None:
    """Write a small corpus of 8 colors that can be heard.

    With --stems-for it renders stand-in media for existing manifests instead.
    """
    from rainbow_assets.demo import commands

    if stems_for is not None:
        if target is None:
            raise UsageError("--stems-for needs --out DIR, the folder that the songs and their stand-ins go to")
        chosen = [name.strip() for name in songs.split(",") if name.strip()] if songs else None
        click.echo(commands.standins(stems_for, target, chosen))
        return
    root = target or out or settings.roots().corpus
    click.echo(commands.corpus(root, songs_per_color, shuffle_colors))
    if run:
        _build_and_release()


def _build_and_release() -> None:
    from rainbow_assets import jobs
    from rainbow_assets.definitions import defs
    from rainbow_assets.release.commands import hear

    click.echo("building every asset ...")
    result = jobs.run_colors(defs)
    stop_if_failed(result)
    result = jobs.run_release(defs, {})
    stop_if_failed(result)
    click.echo(hear(settings.roots()))
