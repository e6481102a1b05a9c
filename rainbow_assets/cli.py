"""`rainbow`: thin verbs over the rooms. Exit codes: 0 done, 1 the data or a gate says no, 2 wrong use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from rainbow_assets import settings, taxonomy
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.verbs import lineage, songs
from rainbow_assets.verbs.build import build, stop_if_failed
from rainbow_assets.verbs.chords import chords
from rainbow_assets.verbs.compose import compose
from rainbow_assets.verbs.fitness import fitness
from rainbow_assets.verbs.release import diff, rehearse, verify
from rainbow_assets.verbs.review import review
from rainbow_assets.verbs.threads import threads


class Verbs(click.Group):
    """A group of commands that shows a person's errors as sentences and keeps tracebacks for bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            click.echo(f"rainbow: {error}", err=True)
            ctx.exit(2)
        except RainbowError as error:
            click.echo(f"rainbow: {error}", err=True)
            ctx.exit(1)
        except taxonomy.UnknownColor as error:
            click.echo(f"rainbow: {error}", err=True)
            ctx.exit(2)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rainbow-assets")
def main() -> None:
    """From raw songs to a lineage-true, playable, versioned dataset."""


@main.command()
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
    """Write a small corpus of 8 colors that can be heard, or stand-in media for existing manifests."""
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


@main.command()
@click.option("--version", help="Version to publish, for example 0.3.0 (default: proposed from what changed).")
@click.option("--push", is_flag=True, help="Publish to RAINBOW_HUB; without it, to the folder hub under RAINBOW_DATA.")
@click.option("--include-preview/--no-preview", default=True, show_default=True, help="Publish the playable previews.")
@click.option("--preview-samples", default=20, show_default=True, type=click.IntRange(1, 1000), help="Rows per color.")
@click.option("--public", is_flag=True, help="Make a new repository public; private by default.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent and which gates stand in the way; send nothing.")
def release(
    version: str | None, push: bool, include_preview: bool, preview_samples: int, public: bool, as_json: bool,
    dry_run: bool,
) -> None:
    """Publish one immutable version: every color and every gate, or nothing."""
    if dry_run:
        rehearse(version, push, preview_samples, include_preview, as_json)
        return
    from rainbow_assets import jobs
    from rainbow_assets.definitions import defs
    from rainbow_assets.release.commands import hear, published
    from rainbow_assets.release.publish import open_hub

    config: dict[str, Any] = {"push": push, "public": public, "preview_samples": preview_samples,
                              "include_preview": include_preview}
    if version:
        config["version"] = version
    stop_if_failed(jobs.run_release(defs, config))
    if as_json:
        click.echo(json.dumps(published(settings.roots(), version, open_hub(push)), indent=1, sort_keys=True))
    else:
        click.echo(hear(settings.roots(), version, open_hub(push)))


VERBS = (songs.lint, build, lineage.plan, lineage.why, lineage.impact, lineage.lineage, diff, verify, threads,
         chords, fitness, compose, review)
for verb in VERBS:
    main.add_command(verb)


if __name__ == "__main__":
    main()
