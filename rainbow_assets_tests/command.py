"""The command line in this process, as a person meets it: an exit code and text, never a traceback."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from rainbow_assets.cli import main


def rainbow(*words: str) -> Result:
    """Run ``rainbow WORDS``. A bug comes out as itself: every other end is an exit code."""
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert "Traceback" not in done.output
    return done


def parsed(done: Result) -> Any:
    """What a verb with ``--json`` wrote: standard output alone, since a slow machine shows progress on the other one."""
    return json.loads(done.stdout)
