"""`rainbow lint`: list every irregularity of the raw songs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rainbow_assets import settings
from rainbow_assets.errors import UsageError
from rainbow_assets.terminal import say


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the anomalies as JSON.")
@click.argument("corpus", required=False, type=click.Path(path_type=Path))
def lint(corpus: Path | None, as_json: bool) -> None:
    """List every irregularity of the raw songs.

    Each entry names the song, the file, the line or field, and what was done about it.

    CORPUS is a folder of songs (default: RAINBOW_CORPUS). Exit code 1 if a song is quarantined.
    """
    from rainbow_assets.corpus.lint import lint_report

    root = corpus or settings.roots().corpus
    if not root.is_dir():
        raise UsageError(f"the corpus folder {root} does not exist; set RAINBOW_CORPUS, or write one: rainbow demo")
    report = lint_report(root)
    say(report.to_json() if as_json else report.to_text())
    sys.exit(1 if report.quarantined else 0)
