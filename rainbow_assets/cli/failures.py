"""How verbs that start a run of Dagster's end if it failed: with the cause of each failed step, and exit code 1."""

from __future__ import annotations

import sys
from typing import Any

import click

from rainbow_assets.cli.styles import complain


def stop_if_failed(result: Any) -> None:
    """Exit 1 with why each step of a run failed, what was not run because of it, and where the whole log is."""
    if result.success:
        return
    from rainbow_assets.orchestration import jobs, runs

    found = runs.failures(result)
    for failure in found:
        complain(f"{failure.step}: {failure.sentence}")
    skipped = jobs.skipped(result)
    if skipped:
        complain(f"not run because of that: {', '.join(skipped)}")
    if any(failure.bug for failure in found) or not found:
        click.echo(f"This is a bug, please report it. The whole log is that of run {result.run_id[:8]} in the Dagster "
                   "UI; run: dagster dev", err=True)
    sys.exit(1)
