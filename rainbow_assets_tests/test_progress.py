"""Bars reach the terminal, and a log gets a line now and then, even while a run sends standard error elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys
from rainbow_assets import progress
progress.QUIET_EVERY_S = float(sys.argv[2])
with progress.keep_stderr():
    step = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
    terminal = os.dup(2)
    os.dup2(step, 2)  # what Dagster does for the time of a step
    for asset in ("segments", "preview"):
        with progress.bar(asset) as tick:
            for done in range(1, 4):
                tick("Green[/x]\\x1b[2J", done, 3)
    os.dup2(terminal, 2)
print("after", file=sys.stderr)
"""
LABEL = r"Green[/x]\u001b[2J"
"""How a label is shown that has the markup of rich and clears the screen."""


def command(step: Path, seconds: float) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(step), str(seconds)]


def test_a_log_gets_lines_and_the_step_none(tmp_path: Path) -> None:
    step = tmp_path / "step.err"
    done = subprocess.run(command(step, 0), capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[:2] == [f"segments {LABEL}: 1 of 3", f"segments {LABEL}: 2 of 3"]
    assert done.stderr.splitlines()[-1] == "after" and step.read_text() == ""
    quiet = subprocess.run(command(step, 60), capture_output=True, text=True, check=True)
    assert quiet.stderr.splitlines() == ["after"], "less than a minute for all bars together says nothing"


def test_a_terminal_gets_bars_and_the_step_none(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo terminals")
    step, (terminal, end) = tmp_path / "step.err", pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command(step, 60), stdout=end, stderr=end, env=environment):
        os.close(end)
        shown = b""
        while True:
            try:
                read = os.read(terminal, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not read:
                break
            shown += read
    os.close(terminal)
    text = shown.decode("utf-8", "replace")
    assert f"segments {LABEL}" in text and f"preview {LABEL}" in text and "3/3" in text and "\x1b[2J" not in text
    assert step.read_text() == ""
