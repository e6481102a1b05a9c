"""Colors on a terminal for states and errors. Click removes them elsewhere, and if NO_COLOR is set."""

from __future__ import annotations

import re

import click

STATES = {"fresh": "green", "nothing to do": "green", "stale": "yellow", "to compute": "yellow", "waiting": "yellow",
          "blocked": "red", "failed": "red", "damaged": "red"}
"""Word -> its color. The color only repeats the word, so the text is complete without colors."""
_WORDS = re.compile(rf"\b({'|'.join(STATES)})\b")


def styled(text: str) -> str:
    """Return ``text`` with the words of states in their colors; reasons and costs, which may quote them, stay plain."""
    return "\n".join(line if line.lstrip().startswith(("because ", "costs ")) else _line(line)
                     for line in text.split("\n"))


def _line(line: str) -> str:
    return _WORDS.sub(lambda found: click.style(found[0], fg=STATES[found[0]]), line)


def complain(sentence: str) -> None:
    """Print an error on standard error, red on a terminal."""
    click.secho(f"rainbow: {sentence}", err=True, fg="red")
