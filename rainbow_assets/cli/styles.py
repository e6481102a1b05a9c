"""Colors on a terminal: the words of states and errors. Click leaves them out elsewhere, and with NO_COLOR."""

from __future__ import annotations

import re

import click

STATES = {"fresh": "green", "nothing to do": "green", "stale": "yellow", "to compute": "yellow", "waiting": "yellow",
          "blocked": "red", "failed": "red", "damaged": "red"}
"""Word -> its color. The words stand in the text as well, so that nothing is said by color alone."""
_WORDS = re.compile(rf"\b({'|'.join(STATES)})\b")


def styled(text: str) -> str:
    """Return ``text`` with the words of states in their colors; reasons, which quote what they like, are left plain."""
    return "\n".join(line if line.lstrip().startswith(("because ", "costs ")) else _line(line)
                     for line in text.split("\n"))


def _line(line: str) -> str:
    return _WORDS.sub(lambda found: click.style(found[0], fg=STATES[found[0]]), line)


def complain(sentence: str) -> None:
    """Print an error on standard error, red on a terminal."""
    click.secho(f"rainbow: {sentence}", err=True, fg="red")
