"""The page of `rainbow review`: a local Starlette application that plays pieces and writes review.yml."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
from pathlib import Path
from typing import Any

import uvicorn
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from rainbow_assets import taxonomy
from rainbow_assets.composition import pictures, review
from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import STAGES
from rainbow_assets.composition.scoring import MEANINGS
from rainbow_assets.composition.songs import SONG, of_store
from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness.contract import NOT_DISCRIMINATIVE
from rainbow_assets.pages import environment
from rainbow_assets.storage.lock import ShardBusy
from rainbow_assets.storage.store import ShardStore

HOST = "127.0.0.1"
PAGES = Path(__file__).parent / "pages"
# Titles and concepts come from agents: if one got past the escaping, the browser would still not run its scripts.
POLICY = ("default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; media-src 'self'; "
          "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
MOST_BODY = 100_000
_PIECE = re.compile(rf"final_\d+-[0-9a-f]{{8}}(\.({'|'.join(STAGES)}))?\.(flac|mid)")
_TYPES = {"flac": "audio/flac", "mid": "audio/midi", "css": "text/css", "js": "text/javascript"}
_ENVIRONMENT = environment(PAGES)


def songs(store: ShardStore) -> list[dict[str, Any]]:
    """Return what the page shows: every song with its pieces, best first, and their verdicts."""
    shard = store.shard("final_candidates")
    if shard.index() is None:
        return []
    by_song: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(shard.rows(without=("flac", "stems", "harmony")), key=lambda row: row["final_id"]):
        by_song.setdefault(row["song_id"], []).append(row)
    return [_song(of_store(store) / song_id, rows) for song_id, rows in by_song.items()]


def _song(folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    problem, verdicts = "", {}
    try:
        verdicts = {verdict.midi_sha256: verdict for verdict in review.read(folder)}
    except ReviewError as error:
        problem = str(error)
    first = rows[0]
    return {
        "song_id": folder.name, "title": first["title"], "color": first["rainbow_color"], "key": first["key"],
        "bpm": first["bpm"], "time_signature": first["time_signature"], "thread": first["thread_id"] or "",
        "concept": first["concept"], "hex": taxonomy.by_name(first["rainbow_color"]).hex.lstrip("#"),
        "status": MEANINGS.get(first["scorer_status"], first["scorer_status"]), "problem": problem,
        "warn": first["scorer_status"] == NOT_DISCRIMINATIVE,
        "pieces": [_piece(folder.name, row, verdicts[row["midi_sha256"]]) for row in rows
                   if row["midi_sha256"] in verdicts],
    }


def _piece(song_id: str, row: dict[str, Any], verdict: review.HumanVerdict) -> dict[str, Any]:
    parts = from_midi(row["midi"])
    top, bottom = (int(text) for text in row["time_signature"].split("/"))
    bar = Meter(top, bottom).bar_ticks
    stem = f"/pieces/{song_id}/{Path(verdict.midi_file).stem}"
    return {
        "name": row["final_id"].rpartition(".")[2].replace("_", " "), "sha": row["midi_sha256"],
        "total": row["total"], "fitness": row["fitness"], "lineage": row["lineage"],
        "roll": Markup(pictures.piano_roll(parts, row["bars"] * bar, bar)),  # noqa: S704  (numbers only)
        "mix": f"{stem}.flac", "midi": f"{stem}.mid",
        "stems": [(name, f"{stem}.{name}.flac") for name in STAGES if name in parts],
        "status": verdict.status, "label": verdict.label, "notes": verdict.notes,
    }


def application(store: ShardStore) -> Starlette:
    """Return the application; it writes review.yml files only, and only if its own page asks."""
    # Another page in the same browser can send requests to this address, but it cannot read the token.
    token = secrets.token_urlsafe(24)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
               "Referrer-Policy": "no-referrer"}

    def shown() -> str:
        found = songs(store)
        pieces = [piece for song in found for piece in song["pieces"]]
        decided = sum(piece["status"] != review.PENDING for piece in pieces)
        return _ENVIRONMENT.get_template("review.html.j2").render(
            songs=found, token=token, pieces=len(pieces), decided=decided)

    async def page(request: Request) -> Response:
        try:
            return HTMLResponse(await run_in_threadpool(shown), headers=headers)
        except RainbowError as error:
            return Response(f"{error}\n", 500, headers, "text/plain")

    async def own_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("review.css", "review.js"):
            return Response("this file does not exist\n", 404, headers, "text/plain")
        return FileResponse(PAGES / name, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])

    async def piece(request: Request) -> Response:
        song, name = request.path_params["song"], request.path_params["name"]
        path = of_store(store) / song / review.PIECES / name
        if not SONG.fullmatch(song) or not _PIECE.fullmatch(name) or not path.is_file():
            return Response("this piece no longer exists; reload the page\n", 404, headers, "text/plain")
        return FileResponse(path, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])

    async def change(request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("x-rainbow-token", ""), token):
            return JSONResponse({"problem": "the page was loaded from another review server; reload it"}, 403, headers)
        body = await request.body()
        try:
            asked: dict[str, Any] = json.loads(body) if len(body) <= MOST_BODY else {}
            field, value, was = (asked[name] for name in ("field", "value", "was"))
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"problem": "the request must contain field, value and was"}, 400, headers)
        song, sha = request.path_params["song"], request.path_params["sha"]
        if not all(isinstance(item, str) for item in (field, value, was)) or not SONG.fullmatch(song):
            return JSONResponse({"problem": "field, value and was must be strings"}, 400, headers)
        try:
            fields = await run_in_threadpool(review.change, of_store(store) / song, sha, field, value, was)
        except (ReviewError, ShardBusy) as error:
            return JSONResponse({"problem": str(error)}, 409, headers)
        fields["status"] = review.STATUSES[fields["status"].strip().lower()]
        return JSONResponse(fields, headers=headers)

    routes = [Route("/", page), Route("/{name}", own_file), Route("/pieces/{song}/{name}", piece),
              Route("/api/{song}/{sha}", change, methods=["POST"])]
    # A foreign page can make its own host name resolve to 127.0.0.1 (DNS rebinding): answer these hosts only.
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])])


class Running:
    """A review server on 127.0.0.1; ``address`` is its URL."""

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
        self.address = f"http://{HOST}:{self._socket.getsockname()[1]}/"
        self._server = uvicorn.Server(uvicorn.Config(application(store), log_level="warning", access_log=False))

    def run(self) -> None:
        """Serve until the process is interrupted or another thread calls :meth:`stop`."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Ask the server to stop."""
        self._server.should_exit = True
