"""Progress bars on standard error; without a terminal, a plain line from time to time."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from rainbow_assets.terminal import say
from rainbow_assets.text import line

if TYPE_CHECKING:
    from rich.progress import Progress

QUIET_EVERY_S = 60.0
"""Minimum seconds between two plain lines without a terminal, over all bars of the process."""
quiet = False
"""Set by ``rainbow --quiet``: no progress at all."""
Tick = Callable[[str, int, int], None]
_kept: list[TextIO] = []
_shown: list[Progress] = []
"""The open display, if any. A bar inside another bar is added to it: a terminal has room for one display."""
_last = [time.monotonic()]


@contextmanager
def keep_stderr() -> Iterator[None]:
    """Keep showing bars on the current standard error while a run redirects it.

    Dagster redirects the standard error of a step to a file. A bar there would be invisible and would fill the file.
    """
    try:
        stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    except (io.UnsupportedOperation, OSError, AttributeError):  # a test or a notebook replaced sys.stderr
        yield
        return
    _kept.append(stream)
    try:
        yield
    finally:
        _kept.remove(stream)
        stream.close()


def _stream() -> TextIO:
    return _kept[-1] if _kept else sys.stderr


@contextmanager
def bar(title: str) -> Iterator[Tick]:
    """Yield ``tick(label, done, total)``, which moves a bar on a terminal and prints plain lines elsewhere.

    A bar inside another one is shown below it and disappears when it is done.
    """
    if quiet:
        yield lambda label, done, total: None
    elif not _stream().isatty():
        yield _plain(title)
    elif _shown:
        yield from _tasks(_shown[-1], title)
    else:
        with _display() as shown:
            _shown.append(shown)
            try:
                yield from _tasks(shown, title)
            finally:
                _shown.remove(shown)


def _display() -> Progress:
    from rich.console import Console  # slow to load, and needed on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    label = TextColumn("{task.description:<34}", markup=False)
    columns = (label, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # rich must not redirect the streams: results that are printed meanwhile belong on standard output.
    return Progress(*columns, console=Console(file=_stream()), transient=True, redirect_stdout=False,
                    redirect_stderr=False)


def _tasks(shown: Progress, title: str) -> Iterator[Tick]:
    tasks: dict[str, Any] = {}

    def tick(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = shown.add_task(line(f"{title} {label}"), total=total)
        shown.update(tasks[label], completed=done, total=total)

    try:
        yield tick
    finally:
        shown.refresh()  # show the last state, which the display's own refresh rate may skip
        for task in tasks.values():
            shown.remove_task(task)


def _plain(title: str) -> Tick:
    def tick(label: str, done: int, total: int) -> None:
        if time.monotonic() - _last[0] >= QUIET_EVERY_S:
            _last[0] = time.monotonic()
            say(f"{title} {label}: {done} of {total}", file=_stream())

    return tick
