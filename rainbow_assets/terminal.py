"""What a person reads on the terminal. Only this module writes there, so that no text from outside commands it."""

from __future__ import annotations

import re
from typing import TextIO

import click

from rainbow_assets.text import plain

STATES = {"fresh": "green", "nothing to do": "green", "stale": "yellow", "to compute": "yellow", "waiting": "yellow",
          "blocked": "red", "failed": "red", "damaged": "red"}
"""Word -> its color. The color only repeats the word, so the text is complete without colors."""
_WORDS = re.compile(rf"\b({'|'.join(STATES)})\b")


def say(text: str, *, err: bool = False, states: bool = False, file: TextIO | None = None) -> None:
    """Print ``text``, control characters written out; with ``states``, the words of states in their colors.

    Reasons and costs, which may quote these words, stay plain. Click removes colors where there is no terminal, and if
    NO_COLOR is set. JSON keeps its value.
    """
    shown = plain(text)
    if states:
        shown = "\n".join(line if line.lstrip().startswith(("because ", "costs ")) else _colored(line)
                          for line in shown.split("\n"))
    click.echo(shown, err=err, file=file)


def _colored(line: str) -> str:
    return _WORDS.sub(lambda found: click.style(found[0], fg=STATES[found[0]]), line)


def complain(sentence: str) -> None:
    """Print an error on standard error, red on a terminal."""
    click.secho(plain(f"rainbow: {sentence}"), err=True, fg="red")
