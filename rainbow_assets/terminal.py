"""What a person reads on the terminal. Only this module writes there, so that no text from outside commands it."""

from __future__ import annotations

import logging
import re
from typing import TextIO

import click

from rainbow_assets.layout import layout, shown
from rainbow_assets.text import line

STATES = {"fresh": "green", "nothing to do": "green", "stale": "yellow", "to compute": "yellow", "waiting": "yellow",
          "blocked": "red", "failed": "red", "damaged": "red"}
"""Word -> its color. The color only repeats the word, so the text is complete without colors."""
_WORDS = re.compile(rf"\b({'|'.join(STATES)})\b")


def say(text: str, *, err: bool = False, states: bool = False, file: TextIO | None = None) -> None:
    """Print ``text``: one line, or a ``Lines``; with ``states``, the words of states are in their colors.

    Control characters are written out. Reasons and costs, which may quote the words of states, stay plain. Click
    removes colors where there is no terminal, and if NO_COLOR is set.
    """
    text = shown(text)
    if states:
        text = "\n".join(one if one.lstrip().startswith(("because ", "costs ")) else _colored(one)
                         for one in text.split("\n"))
    click.echo(text, err=err, file=file)


def _colored(text: str) -> str:
    return _WORDS.sub(lambda found: click.style(found[0], fg=STATES[found[0]]), text)


def complain(sentence: str) -> None:
    """Print an error on standard error, red on a terminal."""
    click.secho(line(f"rainbow: {sentence}"), err=True, fg="red")


class Log(logging.Handler):
    """Prints log messages, and the tracebacks in them, on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print ``record``."""
        say(layout(self.format(record).split("\n")), err=True)
