"""What the terminal shows: texts from outside command no screen, and start no line of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rainbow_assets.layout import document, layout
from rainbow_assets.terminal import complain, say
from rainbow_assets.text import CONTROL
from rainbow_assets_tests.command import rainbow

ROOT = Path(__file__).resolve().parents[1]
EVIL = "x\x1b[31m\x9b2J\nError: forged"


@pytest.mark.parametrize("words", [
    [EVIL], [f"--{EVIL}"], ["build", "--color", EVIL], ["build", EVIL], ["plan", f"--{EVIL}"], ["chords", "--length", EVIL],
    ["threads", EVIL], ["lint", EVIL], ["threads", "check", EVIL], ["why", EVIL], ["impact", EVIL], ["lineage", EVIL],
    ["impact", "Green", "--color", EVIL], ["chords", EVIL], ["fitness", "score", EVIL, "--color", "Green"],
    ["compose", f"{EVIL}.yml"], ["verify", EVIL], ["diff", EVIL, "0.1.0"], ["release", "--version", EVIL],
    ["chords", "--weights", EVIL], ["chords", "--rhythm", EVIL], ["build", "--asset", EVIL],
], ids=lambda words: " ".join(words).replace(EVIL, "EVIL"))
def test_a_wrong_word_of_the_command_line_is_shown_on_one_line(project: Path, words: list[str]):
    done = rainbow(*words)
    assert done.exit_code == 2, done.output
    assert CONTROL.search(done.output) is None
    assert not any(line.startswith("Error: forged") for line in done.output.splitlines()), done.output


def test_wrong_use_is_shown_as_click_does(project: Path):
    assert rainbow("why").output.splitlines() == [
        "Usage: main why [OPTIONS] ASSET", "Try 'main why --help' for help.", "", "Error: Missing argument 'ASSET'."]
    assert rainbow().output.startswith("Usage: main [OPTIONS] COMMAND [ARGS]...\n\n  Turn raw songs")


def test_only_a_layout_has_several_lines(capsys: pytest.CaptureFixture[str]):
    say(EVIL)
    complain(EVIL)
    say(layout([f"title: {EVIL}", layout(["one", "two"])]))
    say(document({"a": EVIL}))
    out, err = capsys.readouterr()
    shown = r"x\u001b[31m\u009b2J\nError: forged"
    assert out.split("\n") == [shown, f"title: {shown}", "one", "two", "{", rf' "a": "{shown}"', "}", ""]
    assert err == f"rainbow: {shown}\n"


def test_a_bug_shows_no_text_as_it_is():
    program = ("import logging, sys\nfrom rainbow_assets import cli\n"
               "def bug(context):\n logging.getLogger('rainbow_assets').error('read %s', EVIL)\n raise ValueError(EVIL)\n"
               f"EVIL = {EVIL!r}\ncli.Verbs.invoke = lambda self, context: bug(context)\nsys.argv = ['rainbow', 'lint']\ncli.main()")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1 and done.stdout == ""
    assert CONTROL.search(done.stderr) is None
    assert "read x\\u001b[31m" in done.stderr and "ValueError: x\\u001b[31m" in done.stderr and "this is a bug" in done.stderr
