"""Progress bars on standard error for work that takes a while; plain lines, now and then, where nobody watches."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

QUIET_EVERY_S = 60.0
"""Without a terminal, one plain line at most this often, over all bars of the process."""
quiet = False
"""Set by ``rainbow --quiet``: no progress at all."""
Tick = Callable[[str, int, int], None]
_kept: list[TextIO] = []
_shown: list[Progress] = []
"""The display that bars inside of bars join: a terminal has room for one."""
_last = [time.monotonic()]


@contextmanager
def keep_stderr() -> Iterator[None]:
    """Show bars where standard error goes now, even while a run sends it elsewhere.

    Dagster sends the standard error of a step into a file: a bar there is no bar, and the file becomes noise.
    """
    try:
        stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    except (io.UnsupportedOperation, OSError, AttributeError):  # a test or a notebook put something else there
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
    """Yield ``tick(label, done, total)``: a bar on a terminal, a plain line now and then in a log.

    A bar inside another one is shown below it, and goes when it is done.
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

    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Without the redirection, results that are printed meanwhile stay on standard output.
    return Progress(*columns, console=Console(file=_stream()), transient=True, redirect_stdout=False,
                    redirect_stderr=False)


def _tasks(shown: Progress, title: str) -> Iterator[Tick]:
    tasks: dict[str, Any] = {}

    def tick(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = shown.add_task(f"{title} {label}", total=total)
        shown.update(tasks[label], completed=done, total=total)

    try:
        yield tick
    finally:
        shown.refresh()  # how far it came, even where the display's own rhythm would have missed it
        for task in tasks.values():
            shown.remove_task(task)


def _plain(title: str) -> Tick:
    def tick(label: str, done: int, total: int) -> None:
        if time.monotonic() - _last[0] >= QUIET_EVERY_S:
            _last[0] = time.monotonic()
            print(f"{title} {label}: {done} of {total}", file=_stream(), flush=True)

    return tick
