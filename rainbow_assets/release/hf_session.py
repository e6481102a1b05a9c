"""The one HTTP client of this program and of huggingface_hub: it waits and asks again while the Hub cannot answer.

huggingface_hub repeats some requests (lists, uploads) and others not (refs, commits, tags), each for as long as the
server wants. Here the rule is one for all, below the library, and it ends: an answer that stays bad becomes an error
that the library does not repeat. Every request of ours may be sent twice: a commit names its parent, and whether a
tag or repository exists already is looked at. Xet transfers have a client of their own, which repeats by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from time import monotonic
from typing import Any, TypeVar

import httpx2
from huggingface_hub import close_session, get_session, set_client_factory
from huggingface_hub.utils import parse_ratelimit_headers

from rainbow_assets import progress
from rainbow_assets.errors import RainbowError
from rainbow_assets.terminal import say

ANSWER_S = 300.0
"""The library mostly sets no timeout, and the Hub may need minutes to answer a commit of thousands of files."""
ATTEMPTS = 8
"""With the waits below, a Hub that restarts has two minutes."""
PATIENCE_S = 600.0
"""No attempt starts later than this after the first. The Hub counts requests in windows of 300 s: two fit."""
LONGEST_S = 60.0
"""The longest wait, in seconds, if the server asks for none: 1, 2, 4, 8, 16, 32, 60."""
PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that may be others a moment later."""
ASIDES = ("/api/agent-harnesses", "/api/telemetry/")
"""What the library asks for its own statistics, and does without: once is enough."""
_BROKEN = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
Result = TypeVar("Result")


class Unavailable(RainbowError):
    """The Hub gave no useful answer within the attempts and seconds that a request has."""


class PatientClient(httpx2.Client):
    """Repeats requests that were not answered, within ``ATTEMPTS`` and ``PATIENCE_S``, and shows each wait."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stopped = threading.Event()

    def close(self) -> None:
        """Close the connections, and end the waits of other threads."""
        self.stopped.set()
        super().close()

    def build_request(self, *args: Any, **kwargs: Any) -> httpx2.Request:
        """Make a request that ends, and that can be sent again from where its file was."""
        if not isinstance(kwargs.get("timeout"), int | float):
            kwargs["timeout"] = ANSWER_S
        request = super().build_request(*args, **kwargs)
        body: Any = kwargs.get("data")
        if hasattr(body, "seek"):
            request.extensions["rewind"] = partial(body.seek, body.tell())
        return request

    def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        """Return the first answer that is not one of ``PASSING``; raise ``Unavailable``."""
        if request.url.path.startswith(ASIDES):
            return super().send(request, **kwargs)
        begun = monotonic()
        for attempt in range(1, ATTEMPTS + 1):
            request.extensions.get("rewind", lambda: None)()
            try:
                answer = super().send(request, **kwargs)
            except _BROKEN as error:
                # The name alone: the message of such an error may contain an address with a signature.
                problem, asked = type(error).__name__, None
            else:
                if answer.status_code not in PASSING:
                    return answer
                problem, asked = f"status {answer.status_code}", wait_of(answer.headers)
                answer.close()
            wait = min(2.0 ** (attempt - 1), LONGEST_S) if asked is None else asked
            if attempt == ATTEMPTS or monotonic() - begun + wait > PATIENCE_S:
                raise Unavailable(_given_up(problem, attempt, asked))
            if not progress.quiet:
                say(f"the Hub did not answer ({problem}); waiting {wait:.0f} s, then attempt {attempt + 1} of "
                    f"{ATTEMPTS}", err=True)
            pause(wait, self.stopped)
        raise AssertionError("the loop ends by return or raise")


def _given_up(problem: str, attempts: int, asked: float | None) -> str:
    tried = f"no answer in {attempts} attempts (the last: {problem})" if attempts > 1 else problem
    if asked and attempts < ATTEMPTS:
        return f"{tried}; the Hub asks to wait {asked:,.0f} s, more than the {PATIENCE_S:,.0f} s that a request has"
    return tried


def wait_of(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that an answer asks to wait (``Retry-After`` or the Hub's ``RateLimit``), or None.

    >>> wait_of({"Retry-After": "12"})
    12.0
    """
    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds + 1)  # whole seconds, rounded down
    value = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):  # none, or a date without a time zone
        return None


def pause(seconds: float, stopped: threading.Event) -> None:
    """Wait, unless the program is stopped."""
    if stopped.wait(seconds):
        raise Unavailable("the program was stopped")


def stoppable(work: Callable[[], Result]) -> Result:
    """Return the result of ``work``, done in a thread: ctrl-C or SIGTERM ends the wait for it at once.

    The library sends files in threads, and would wait for those, with all their attempts, before anything is removed.
    """
    threads = ThreadPoolExecutor(1)
    try:
        return threads.submit(work).result()
    except BaseException as error:
        if not isinstance(error, Exception):
            close_session()
        raise
    finally:
        threads.shutdown(wait=False)


def client() -> httpx2.Client:
    """Return a new client with the library's own hooks."""
    return PatientClient(event_hooks=_hooks(), follow_redirects=True)


@cache
def _hooks() -> Mapping[str, list[Any]]:
    """Return the hooks of the library's client, which keep its offline mode."""
    return get_session().event_hooks


@cache
def install() -> None:
    """Let every request of this process to the Hub pass through :class:`PatientClient`."""
    _hooks()
    set_client_factory(client)
