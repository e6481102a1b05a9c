"""A block that must end in time: what waits for something that never comes fails the test and does not stop the run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def in_time(seconds: int, what: str = "it") -> Iterator[None]:
    """Raise ``TimeoutError``, which names ``what``, if the block takes longer than ``seconds``."""
    def late(*_: object) -> None:
        raise TimeoutError(f"{what} took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
