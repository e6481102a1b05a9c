"""Progress bars on standard error for work that takes a while; silent where nobody watches a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_EVERY_S = 60.0
"""Without a terminal, one plain line at most this often."""
quiet = False
"""Set by ``rainbow --quiet``: no progress at all."""


@contextmanager
def bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield ``tick(label, done, total)``: a bar on a terminal, a plain line now and then in a log."""
    if quiet:
        yield lambda label, done, total: None
        return
    if not sys.stderr.isatty():
        yield _plain(title)
        return
    from rich.console import Console  # slow to load, and needed on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        tasks: dict[str, int] = {}

        def tick(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = int(shown.add_task(f"{title} {label}", total=total))
            shown.update(tasks[label], completed=done)  # type: ignore[arg-type]

        yield tick


def _plain(title: str) -> Callable[[str, int, int], None]:
    last = [time.monotonic()]

    def tick(label: str, done: int, total: int) -> None:
        if time.monotonic() - last[0] >= QUIET_EVERY_S:
            last[0] = time.monotonic()
            print(f"{title} {label}: {done} of {total}", file=sys.stderr, flush=True)

    return tick
