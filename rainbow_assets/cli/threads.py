"""`rainbow threads`: pack the agents' raw threads, measure what they overuse, and check a proposal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rainbow_assets import progress
from rainbow_assets.cli.groups import WholeSummaries
from rainbow_assets.cli.options import AS_JSON
from rainbow_assets.layout import document
from rainbow_assets.terminal import say

if TYPE_CHECKING:
    from rainbow_assets.threads.commands import Answer

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=WholeSummaries)
def threads() -> None:
    """Pack threads, measure what they overuse, check a proposal."""


def _print(answer: Answer, as_json: bool) -> None:
    say(document(answer.values, sort_keys=True) if as_json else answer.text)
    sys.exit(answer.exit_code)


@threads.command()
@click.option("--source", type=FOLDER, help="Folder of raw threads (default: RAINBOW_THREADS).")
@click.option("--out", type=FOLDER, help="Folder for packed threads (default: below RAINBOW_DATA).")
@click.option("--prune", "do_prune", is_flag=True, help="Move the files that packing excludes out of the source.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; change nothing.")
@click.option("--verify", is_flag=True, help="Read every packed file, and pack threads with damaged ones again.")
@click.option("--undo", is_flag=True, help="Move the files of the last prune back to the source.")
@click.option("--confirm", is_flag=True, help="Delete the files that the last prune moved out of the source.")
@AS_JSON
def shrinkwrap(
    source: Path | None, out: Path | None, do_prune: bool, dry_run: bool, verify: bool, undo: bool, confirm: bool,
    as_json: bool,
) -> None:
    """Pack each raw thread into a folder with a manifest.

    The source does not change, except with --prune.
    """
    from rainbow_assets.threads import commands
    from rainbow_assets.threads.source import packed_folder, source_folder

    with progress.bar("packing") as tick:
        answer = commands.shrinkwrap_command(
            source or source_folder(), out or packed_folder(), do_prune=do_prune, dry_run=dry_run, verify=verify,
            undo=undo, confirm=confirm, tick=tick)
    _print(answer, as_json)


@threads.command()
@click.option("--manifests", type=FOLDER, help="Folder of manifests to measure (default: the packed threads).")
@AS_JSON
def feedback(manifests: Path | None, as_json: bool) -> None:
    """Measure what threads overuse, and derive constraints.

    It measures keys, tempi, phrases and titles. The constraints are for the next threads.
    """
    from rainbow_assets.threads import commands
    from rainbow_assets.threads.source import packed_folder

    packed = packed_folder()
    _print(commands.feedback_command(manifests or packed, write_to=None if manifests else packed.parent), as_json)


@threads.command()
@click.argument("proposal", type=FILE)
@click.option("--constraints", type=FILE, help="File of constraints to check against (default: those of the feedback).")
@AS_JSON
def check(proposal: Path, constraints: Path | None, as_json: bool) -> None:
    """Check a proposal against the constraints.

    Prints which constraints PROPOSAL breaks. Exit code 1 if they exclude it.
    """
    from rainbow_assets.threads import commands
    from rainbow_assets.threads.measured import OUTPUT
    from rainbow_assets.threads.source import packed_folder

    _print(commands.check_command(proposal, constraints or packed_folder().parent / OUTPUT), as_json)
