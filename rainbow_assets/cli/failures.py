"""Reporting a failed Dagster run: the cause of each failed step, and exit code 1."""

from __future__ import annotations

import sys
from typing import Any

from rainbow_assets.terminal import complain, say


def stop_if_failed(result: Any) -> None:
    """If a run failed, print why each step failed, which steps did not run, and where the log is; exit with 1."""
    if result.success:
        return
    from rainbow_assets.orchestration import jobs, runs

    found = runs.failures(result)
    for failure in found:
        complain(f"{failure.step}: {failure.sentence}")
    skipped = jobs.skipped(result)
    if skipped:
        complain(f"not built because of that: {', '.join(skipped)}")
    if any(failure.bug for failure in found) or not found:
        say(f"This is a bug; report it. The log is that of run {result.run_id[:8]} in the Dagster UI; "
            "run: dagster dev", err=True)
    sys.exit(1)
