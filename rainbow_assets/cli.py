"""`rainbow`: thin verbs over the rooms. Exit codes: 0 done, 1 the data or a gate says no, 2 wrong use."""

from __future__ import annotations

from typing import Any

import click

from rainbow_assets import taxonomy
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.verbs import lineage, songs
from rainbow_assets.verbs.build import build
from rainbow_assets.verbs.chords import chords
from rainbow_assets.verbs.compose import compose
from rainbow_assets.verbs.demo import demo
from rainbow_assets.verbs.fitness import fitness
from rainbow_assets.verbs.init import init
from rainbow_assets.verbs.release import diff, release, verify
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


VERBS = (init, demo, release, songs.lint, build, lineage.plan, lineage.why, lineage.impact, lineage.lineage, diff,
         verify, threads, chords, fitness, compose, review)
for verb in VERBS:
    main.add_command(verb)


if __name__ == "__main__":
    main()
