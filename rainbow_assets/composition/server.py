"""The server of `rainbow review`: who may open the page, and how long it waits for a client.

It listens on 127.0.0.1, which every user of this machine reaches. So everything is below a secret path, which a link
that works once leads to. A user who sees the link later, for example in a log, cannot open the page with it.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from asyncio import BaseTransport, TimerHandle
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from rainbow_assets.composition.page import HEADERS, application
from rainbow_assets.errors import RainbowError
from rainbow_assets.storage.store import ShardStore

HOST = "127.0.0.1"
REQUEST_S = 10.0
"""Seconds in which a whole request must arrive, from the connection or from the answer before it."""
MOST_CLIENTS = 64
"""Open connections; with more, the one that has waited longest for its request is closed."""
STOP_S = 2
"""Seconds that a stop waits for answers. A paused player leaves its answer half read for as long as it is paused."""


class Impatient(H11Protocol):
    """HTTP for clients that may be slow, silent or many: none of them keeps a place that another one needs."""

    _deadline: TimerHandle

    def connection_made(self, transport: BaseTransport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Accept a client; close the one that has waited longest if there are too many."""
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self._await_request()
        if len(self.connections) > MOST_CLIENTS:
            waiting: Any = [one for one in self.connections if one.is_waiting]  # pyright: ignore
            min(waiting, key=lambda one: one._deadline.when()).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a client."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request of the client."""
        super().on_response_complete()
        self._deadline.cancel()
        self._await_request()

    @property
    def is_waiting(self) -> bool:
        """True while a request has not arrived as a whole."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_S, self._check)

    def _check(self) -> None:
        if self.is_waiting:
            self.transport.abort()
        elif not self.transport.is_closing():
            self._await_request()


def guarded(store: ShardStore, link: str) -> Starlette:
    """Return the page's application below a secret path, and ``/open/<link>``, which leads there once."""
    path, links = f"/{secrets.token_urlsafe(24)}", {link}

    async def open_page(request: Request) -> Response:
        given = request.path_params["link"].encode()
        # A browser may ask for the head alone to show a preview: that must not use the link up.
        for known in list(links) if request.method == "GET" else ():
            if secrets.compare_digest(given, known.encode()):
                links.discard(known)
                return RedirectResponse(f"{path}/", 303, HEADERS)
        return PlainTextResponse("this link was used already, or is of another review server; for a new one, stop the "
                                 "server and run: rainbow review\n", 403, HEADERS)

    return Starlette(
        routes=[Route("/open/{link}", open_page), Mount(path, application(store))],
        # A foreign page can make its own host name resolve to 127.0.0.1 (DNS rebinding): answer these hosts only.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])])


class Running:
    """A review server on 127.0.0.1; ``link`` is the URL that opens its page, once."""

    def __init__(self, store: ShardStore, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
            self._socket.listen()
        except OSError as error:
            self._socket.close()
            raise RainbowError(f"port {port} cannot be used ({error.strerror}); let the system choose one: rainbow "
                               "review --port 0") from error
        link = secrets.token_urlsafe(24)
        self.link = f"http://{HOST}:{self._socket.getsockname()[1]}/open/{link}"
        self._server = uvicorn.Server(uvicorn.Config(
            guarded(store, link), http=Impatient, ws="none", log_config=None, log_level="error", access_log=False,
            server_header=False, timeout_graceful_shutdown=STOP_S))

    def run(self) -> None:
        """Serve until the process is interrupted or another thread calls :meth:`stop`."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Ask the server to stop."""
        self._server.should_exit = True
