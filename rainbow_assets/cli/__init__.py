"""`rainbow`: the command line, one thin module per verb.

Exit codes: 0 done; 1 a problem with the data, a closed gate or a disk error; 2 wrong use or configuration. A verb's
module is loaded only when the verb is used, because loading all of them takes a second. A test calls it like this::

    CliRunner().invoke(main, ["plan", "--json"])
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from types import TracebackType
from typing import Any

import click
from click.shell_completion import CompletionItem

from rainbow_assets import __version__, progress, taxonomy
from rainbow_assets.errors import FULL, TOO_LITTLE_MEMORY, RainbowError, UsageError, of_the_disk
from rainbow_assets.layout import Lines, layout
from rainbow_assets.terminal import Log, complain, say

VERBS = {
    "init": ("init:init", "Create a new project: settings, workspace, an example song."),
    "demo": ("demo:demo", "Write a small demo corpus of 8 colors, with sound."),
    "lint": ("songs:lint", "List every irregularity of the raw songs."),
    "build": ("build:build", "Build everything that is out of date."),
    "plan": ("lineage:plan", "Show what a build would do, and why."),
    "why": ("lineage:why", "Show why an asset is out of date."),
    "impact": ("lineage:impact", "Show what a change would touch."),
    "lineage": ("lineage:lineage", "Show where a segment came from, and what was made from it."),
    "release": ("release:release", "Publish one immutable version of all colors."),
    "diff": ("release:diff", "Compare two published versions."),
    "verify": ("release:verify", "Check a published version against its manifest."),
    "threads": ("threads:threads", "Pack threads, measure what they overuse, check a proposal."),
    "chords": ("chords:chords", "Find chord progressions in a key."),
    "fitness": ("fitness:fitness", "Score how well music, sound or words fit a color."),
    "compose": ("compose:compose", "Compose pieces from a proposal or a thread."),
    "review": ("review:review", "Listen to the finished pieces and judge them in the browser."),
}
"""Verb -> (module of `rainbow_assets.cli` and its command, the line that --help shows)."""
SECTIONS = {
    "Start": ("init", "demo", "lint"),
    "Build": ("build", "plan", "why", "impact", "lineage"),
    "Publish": ("release", "diff", "verify"),
    "Threads and music": ("threads", "chords", "fitness", "compose", "review"),
}
"""The verbs as --help groups them, in the order in which people use them."""
REPORT = "https://huggingface.co/datasets/earthlyframes/white-training-data/discussions"
LEAST_MEMORY = 4 << 30
"""Bytes of address space (ulimit -v) below which libraries in C++ and Rust abort the program without a sentence."""
STOPPED = 130
"""Exit code after ctrl-C (or SIGTERM), as shells expect it."""


class Verbs(click.Group):
    """Commands that are loaded by name. Errors of data and usage are shown as messages; only bugs show a traceback."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program: a bug shows its traceback and where to report it."""
        sys.excepthook = _report
        # SIGTERM unwinds as ctrl-C does, so that what was being written is removed; Dagster does the same in its runs.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        logging.lastResort = Log(logging.WARNING)
        return super().__call__(*args, **kwargs)

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Run the command line. Wrong use is printed as every other text: click would print a wrong word as it is."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **kwargs)
        try:
            code = super().main(*args, standalone_mode=False, **kwargs)
        except click.ClickException as error:
            say(_wrong_use(error), err=True)
            sys.exit(error.exit_code)
        except click.Abort:
            say("Aborted!", err=True)
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which people use them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of a verb."""
        if cmd_name not in VERBS:
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        return getattr(importlib.import_module(f"rainbow_assets.cli.{module}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line for each verb, without loading it."""
        for section, names in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, VERBS[name][1]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a verb without loading all of them."""
        found = [CompletionItem(name, help=summary) for name, (_, summary) in VERBS.items()
                 if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; exit with 2 for wrong use, 1 for bad data, closed gates and disk errors, 130 for ctrl-C."""
        try:
            _require_memory()
            return super().invoke(ctx)
        except (UsageError, taxonomy.UnknownColor) as error:
            _stop(ctx, str(error), 2)
        except RainbowError as error:
            _stop(ctx, str(error), 1)
        except OSError as error:
            # An error without a file is a bug of the program, unless the disk is full.
            if error.errno is None or (error.filename is None and error.errno not in FULL):
                raise
            _stop(ctx, of_the_disk(error.errno, error.filename and os.fsdecode(error.filename)), 1)
        except MemoryError:
            _stop(ctx, TOO_LITTLE_MEMORY, 1)
        except KeyboardInterrupt:
            _stop(ctx, "stopped; finished work is kept, run the command again to continue", STOPPED)


def _wrong_use(error: click.ClickException) -> Lines:
    """Return what click would print: the usage, where to find help, and the error, which may quote a word as given."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return layout([f"Error: {error.format_message()}"])
    usage = context.get_usage().split("\n")
    if isinstance(error, click.exceptions.NoArgsIsHelpError | click.MissingParameter):
        # These texts have several lines, and no word of the command line.
        own = error.format_message().split("\n")
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            return layout(own)
        return layout([*usage, f"Try '{context.command_path} --help' for help.", "", f"Error: {own[0]}", *own[1:]])
    return layout([*usage, f"Try '{context.command_path} --help' for help.", "", f"Error: {error.format_message()}"])


def _require_memory() -> None:
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST_MEMORY:
        raise UsageError(f"this process may use {limit >> 20:,} MB of memory, and at least {LEAST_MEMORY >> 20:,} MB "
                         "are needed; run: ulimit -v unlimited")


def _stop(ctx: click.Context, sentence: str, code: int) -> None:
    complain(sentence)
    ctx.exit(code)


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # A message quotes what was read, so Python may not print it as it is.
    say(layout("".join(traceback.format_exception(kind, error, trace)).rstrip().split("\n")), err=True)
    complain(f"this is a bug in version {__version__}; report it with the lines above: {REPORT}")


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rainbow")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.pass_context
def main(ctx: click.Context, quiet: bool) -> None:
    """Turn raw songs into a versioned, playable dataset in which every row can be traced.

    Exit codes: 0 done; 1 a problem with the data, a closed gate or a disk error; 2 wrong use or configuration.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    progress.quiet = quiet
