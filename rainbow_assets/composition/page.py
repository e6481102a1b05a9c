"""The page of `rainbow review`: a local Starlette application that plays pieces and writes review.yml."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rainbow_assets import taxonomy
from rainbow_assets.composition import pictures, review
from rainbow_assets.composition.errors import ReviewError
from rainbow_assets.composition.meter import Meter
from rainbow_assets.composition.midi import from_midi
from rainbow_assets.composition.model import STAGES
from rainbow_assets.composition.scoring import MEANINGS
from rainbow_assets.composition.songs import SONG, of_store
from rainbow_assets.door import inside
from rainbow_assets.errors import RainbowError
from rainbow_assets.fitness.contract import NOT_DISCRIMINATIVE
from rainbow_assets.pages import environment
from rainbow_assets.storage.store import ShardStore

PAGES = Path(__file__).parent / "pages"
# Titles and concepts come from agents: if one got past the escaping, the browser would still not run its scripts.
POLICY = ("default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; media-src 'self'; "
          "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
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
    stem = f"pieces/{song_id}/{Path(verdict.midi_file).stem}"
    return {
        "name": row["final_id"].rpartition(".")[2].replace("_", " "), "sha": row["midi_sha256"],
        "total": row["total"], "fitness": row["fitness"], "lineage": row["lineage"],
        "roll": Markup(pictures.piano_roll(parts, row["bars"] * bar, bar)),  # noqa: S704  (numbers only)
        "mix": f"{stem}.flac", "midi": f"{stem}.mid",
        "stems": [(name, f"{stem}.{name}.flac") for name in STAGES if name in parts],
        "status": verdict.status, "label": verdict.label, "notes": verdict.notes,
    }


def application(store: ShardStore) -> Starlette:
    """Return the application; it writes review.yml files only."""

    def shown() -> str:
        found = songs(store)
        pieces = [piece for song in found for piece in song["pieces"]]
        decided = sum(piece["status"] != review.PENDING for piece in pieces)
        return _ENVIRONMENT.get_template("review.html.j2").render(songs=found, pieces=len(pieces), decided=decided)

    async def page(request: Request) -> Response:
        try:
            return HTMLResponse(await run_in_threadpool(shown), headers=HEADERS)
        except (RainbowError, OSError) as error:
            # Only the terminal shows the whole message, because it may name a folder of this machine.
            logging.getLogger("rainbow_assets").error("the pieces cannot be shown: %s", error)
            return _text("the pieces cannot be shown; the terminal shows why", 500)

    async def own_file(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("review.css", "review.js"):
            return _text("this file does not exist", 404)
        return FileResponse(PAGES / name, headers=HEADERS, media_type=_TYPES[name.rpartition(".")[2]])

    async def piece(request: Request) -> Response:
        song, name = request.path_params["song"], request.path_params["name"]
        folder = of_store(store) / song / review.PIECES
        if not SONG.fullmatch(song) or not _PIECE.fullmatch(name) or not (folder / name).is_file() or not inside(
                folder / name, folder):
            return _text("this piece no longer exists; reload the page", 404)
        return FileResponse(folder / name, headers=HEADERS, media_type=_TYPES[name.rpartition(".")[2]])

    async def change(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin not in (None, f"http://{request.headers['host']}"):
            return _problem("changes are accepted from the review page only", 403)
        body = await _body(request)
        if body is None:
            # The rest of the body is not read.
            return _problem(f"a request has at most {MOST_BODY:,} bytes; shorten the notes", 413,
                            {"Connection": "close"})
        try:
            asked: dict[str, Any] = json.loads(body)
            field, value, was = (asked[name] for name in ("field", "value", "was"))
        except (ValueError, TypeError, KeyError, RecursionError):
            return _problem("the request must contain field, value and was", 400)
        song, sha = request.path_params["song"], request.path_params["sha"]
        if not all(isinstance(item, str) for item in (field, value, was)) or not SONG.fullmatch(song):
            return _problem("field, value and was must be strings", 400)
        try:
            fields = await run_in_threadpool(review.change, of_store(store) / song, sha, field, value, was)
        except ReviewError as error:
            return _problem(str(error), 409)
        except OSError as error:
            return _problem(f"{song}/{review.FILE} cannot be written ({error.strerror}); correct that, then try again",
                            507)
        fields["status"] = review.STATUSES[fields["status"].strip().lower()]
        return JSONResponse(fields, headers=HEADERS)

    routes = [Route("/", page), Route("/{name}", own_file), Route("/pieces/{song}/{name}", piece),
              Route("/api/{song}/{sha}", change, methods=["POST"])]
    return Starlette(routes=routes, exception_handlers={ClientDisconnect: lambda request, error: Response()})


async def _body(request: Request) -> bytes | None:
    """Return the body, or None as soon as it has more than ``MOST_BODY`` bytes, however many it promises."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            return None
    return body


def _text(sentence: str, status: int) -> Response:
    return PlainTextResponse(f"{sentence}\n", status, HEADERS)


def _problem(sentence: str, status: int, more: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"problem": sentence}, status, {**HEADERS, **(more or {})})
