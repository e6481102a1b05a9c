"""`rainbow`: thin verbs over the packages. Exit codes: 0 done, 1 the data or a gate says no, 2 wrong use.

A verb's module is loaded when the verb is used: loading them all takes a second, and ``--help`` needs one line of each.
"""

from __future__ import annotations

import errno
import importlib
import os
from typing import Any

import click

from rainbow_assets import taxonomy
from rainbow_assets.errors import RainbowError, UsageError

VERBS = {
    "init": ("init:init", "Lay out a new project: settings, workspace, an example song."),
    "demo": ("demo:demo", "Write a small corpus of 8 colors that can be heard."),
    "lint": ("songs:lint", "List every irregularity of the raw songs."),
    "build": ("build:build", "Make everything that is out of date."),
    "plan": ("lineage:plan", "Show what a build would do, and why."),
    "why": ("lineage:why", "Show why an asset is out of date."),
    "impact": ("lineage:impact", "Show what a change would touch."),
    "lineage": ("lineage:lineage", "Show where a segment came from, and what was made of it."),
    "release": ("release:release", "Publish one immutable version, or nothing."),
    "diff": ("release:diff", "Compare two published versions."),
    "verify": ("release:verify", "Check a published version against its manifest."),
    "threads": ("threads:threads", "Pack threads, measure what they overuse, check a proposal."),
    "chords": ("chords:chords", "Find chord progressions in a key."),
    "fitness": ("fitness:fitness", "Score how well music, sound or words fit a color."),
    "compose": ("compose:compose", "Compose pieces from a proposal or a thread."),
    "review": ("review:review", "Hear and judge the finished pieces in the browser."),
}
"""Verb -> (module of `rainbow_assets.verbs` and its command, the line that --help shows)."""
DISK = "the disk is full; free some space and run the command again"


class Verbs(click.Group):
    """Commands loaded by name; a person's errors are shown as sentences, and tracebacks are kept for bugs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which one uses them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of a verb."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(f"rainbow_assets.verbs.{module}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line for each verb, without loading it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; exit 2 for wrong use, 1 for data that says no, 130 for ctrl-C."""
        try:
            return super().invoke(ctx)
        except (UsageError, taxonomy.UnknownColor) as error:
            _stop(ctx, str(error), 2)
        except RainbowError as error:
            _stop(ctx, str(error), 1)
        except OSError as error:
            if error.filename is None:
                raise
            _stop(ctx, _of_the_disk(error), 1)
        except KeyboardInterrupt:
            _stop(ctx, "stopped; what was finished is kept, run the command again to go on", 130)


def _of_the_disk(error: OSError) -> str:
    """Return a sentence about a file or folder that cannot be used."""
    if error.errno == errno.ENOSPC:
        return f"{error.filename} cannot be written: {DISK}"
    return f"{error.filename} cannot be used: {error.strerror}; check that it exists and that you may read and write it"


def _stop(ctx: click.Context, sentence: str, code: int) -> None:
    click.secho(f"rainbow: {sentence}", err=True, fg="red")
    ctx.exit(code)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rainbow-assets")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.pass_context
def main(ctx: click.Context, quiet: bool) -> None:
    """From raw songs to a lineage-true, playable, versioned dataset."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if quiet:
        from rainbow_assets import progress

        progress.quiet = True


if __name__ == "__main__":
    main()
