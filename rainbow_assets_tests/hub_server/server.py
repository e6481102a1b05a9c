"""The loopback Hub's HTTP server, with a place to break every single request."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from rainbow_assets_tests.hub_server.repositories import Refusal, Repositories, git_blob, is_lfs

FAULTS = ("reset", "reset_after", "timeout", "429", "500", "truncated", "etag", "full", "stop")
"""How a request can fail. ``reset_after``: the server did it, the answer is lost. ``stop`` calls ``on_stop``."""
PAGE = 1000
"""Files in one answer of a listing, as on the Hub."""
_NAME = r"(?P<name>[\w.-]+/[\w.-]+)"


@dataclass
class Hub:
    """A running server: what it keeps, what was asked of it, and which request (from 0) fails in which way."""

    repositories: Repositories = field(default_factory=Repositories)
    log: list[str] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    fault: tuple[int, str] | None = None
    struck: str | None = None
    on_stop: Callable[[], object] = lambda: None
    before: Callable[[str], object] = lambda line: None
    ask: Callable[[str], str] = lambda token: ""
    """Called with a request's token before it is served; returns how it fails, or ""."""
    after: Callable[[], object] = lambda: None
    """Called after each request was served; what it raises is kept in ``wrong``."""
    wrong: list[BaseException] = field(default_factory=list)
    refuse: Callable[[str], tuple[int, Any, dict[str, str]] | None] = lambda line: None
    """Called with each request; what it returns is the answer instead of the usual one."""
    page: int = PAGE
    served: Callable[[], object] = lambda: None
    """Called when a request has ended, answered or not."""
    timeout_s: float = 3.0
    endpoint: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def break_request(self, number: int | None, kind: str = "500") -> None:
        """Let the ``number``-th request from now on fail; None: none."""
        with self.lock:
            self.log.clear()
            self.sent.clear()
            self.struck, self.repositories.full = None, False
            self.fault = None if number is None else (number, kind)


def _signed(token: str | None) -> str:
    """Return what an address has of the token that it was made for; the token itself would be in logs."""
    return hashlib.sha256((token or "").encode()).hexdigest()[:16]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet, at once: else each answer waits 40 ms for the client to confirm the head.
    wbufsize = -1
    disable_nagle_algorithm = True
    hub: Hub
    fault = ""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: tests read ``Hub.log``."""

    @property
    def token(self) -> str | None:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def _handle(self) -> None:
        try:
            self._take()
        finally:
            self.hub.served()

    def _take(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            data = b"".join(self._chunks())
        line = f"{self.command} {urlsplit(self.path).path}"
        hub = self.hub
        hub.before(line)
        # Files are sent to addresses that the Hub signs, without the token.
        by = parse_qs(urlsplit(self.path).query).get("by", [""])[0]
        asked = hub.ask(self.token or next((one for one in hub.repositories.readers if _signed(one) == by), ""))
        with hub.lock:
            self.fault = asked or (hub.fault[1] if hub.fault and len(hub.log) == hub.fault[0] else "")
            hub.log.append(line)
            if self.fault:
                hub.struck = f"{self.fault} at {line}"
        if self.fault == "stop":
            hub.on_stop()
        if self.fault == "timeout":
            time.sleep(hub.timeout_s)
        if self.fault in ("stop", "timeout", "reset"):
            self._reset()
        elif self.fault == "429":
            self._answer(429, {"error": "Too many requests"}, {"Retry-After": "1"})
        elif self.fault == "500":
            self._answer(500, {"error": "Internal error"})
        else:
            self._serve(data)

    def _serve(self, data: bytes) -> None:
        hub = self.hub
        try:
            path = unquote(urlsplit(self.path).path)
            with hub.lock:
                hub.repositories.full = self.fault == "full"
                status, body, headers = hub.refuse(f"{self.command} {path}") or self._route(path, data)
                self._look()
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
            headers = {"X-Error-Message": refusal.message, **({"X-Error-Code": refusal.code} if refusal.code else {})}
        finally:
            hub.repositories.full = False
        if self.fault == "reset_after":
            self._reset()
        else:
            self._answer(status, body, headers)

    def _look(self) -> None:
        try:
            self.hub.after()
        except Exception as error:
            self.hub.wrong.append(error)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _reset(self) -> None:
        """Close with RST, as a dying host does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        if self.fault == "etag":
            given = {k: '"' + "0" * 64 + '"' if "etag" in k.lower() else v for k, v in given.items()}
        self.send_response(status)
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        if self.fault == "truncated" and self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self._reset()
        elif self.command != "HEAD":
            self.wfile.write(data)

    def _route(self, path: str, data: bytes) -> tuple[int, Any, dict[str, str]]:
        known = self.hub.repositories.readers | self.hub.repositories.strangers
        if self.token and self.token not in known and not path.startswith("/_lfs"):
            raise Refusal(401, message="Invalid credentials in Authorization header")
        for pattern, answer in ROUTES:
            match = re.fullmatch(pattern, f"{self.command} {path}")
            if match:
                found = answer(self, data, **match.groupdict())
                return found if isinstance(found, tuple) else (200, found, {})
        raise Refusal(404, message=f"no route for {self.command} {path}")

    def _write(self, name: str) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        if self.token not in self.hub.repositories.writers:
            raise Refusal(403, message="You don't have the rights to write to this repository")
        return repository

    def whoami(self, data: bytes) -> Any:
        if not self.token:
            raise Refusal(401, message="Invalid username or password.")
        return self.hub.repositories.person(self.token)

    def auth_check(self, data: bytes, name: str) -> Any:
        self._write(name)
        return {}

    def create(self, data: bytes) -> Any:
        wanted = json.loads(data)
        if self.token not in self.hub.repositories.writers:
            raise Refusal(403, message="You don't have the rights to create a dataset under the namespace")
        name = f"{wanted.get('organization') or 'earth'}/{wanted['name']}"
        private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.repositories.create(name, private)
        return {"url": f"{self.hub.endpoint}/datasets/{name}", "name": name}

    def model(self, data: bytes, name: str) -> Any:
        if name not in self.hub.repositories.models:
            raise Refusal(404, "RepoNotFound", "Repository not found")
        return {"id": name, "modelId": name, "sha": "0" * 40, "siblings": [], "tags": [], "private": False}

    def validate(self, data: bytes) -> Any:
        return {"errors": [], "warnings": []}

    def info(self, data: bytes, name: str, rev: str | None = None) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        commit = repository.resolve(rev or "main")
        return {"_id": "0" * 24, "id": name, "sha": commit, "private": repository.private, "gated": False,
                "disabled": False, "tags": [], "downloads": 0, "likes": 0,
                "siblings": [{"rfilename": path} for path in sorted(repository.commits[commit])]}

    def refs(self, data: bytes, name: str) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit}
                for tag, commit in repository.tags.items()]
        return {"branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": repository.head}],
                "tags": tags, "converts": []}

    def tree(self, data: bytes, name: str, rev: str, below: str | None = None) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        tree = repository.commits[repository.resolve(rev)]
        recursive = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
        prefix = f"{below}/" if below else ""
        found, folders = [], set()
        for path in sorted(tree):
            if not path.startswith(prefix):
                continue
            parts = path.removeprefix(prefix).split("/")
            folders.update(prefix + "/".join(parts[:n]) for n in range(1, len(parts) if recursive else min(2, len(parts))))
            if recursive or len(parts) == 1:
                found.append(self.hub.repositories.entry(path, tree[path]))
        if below and not found and not folders:
            raise Refusal(404, "EntryNotFound", f"{below} does not exist on {rev}")
        whole = [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in sorted(folders)] + found
        start = int(parse_qs(urlsplit(self.path).query).get("cursor", ["0"])[0])
        rest = {}
        if start + self.hub.page < len(whole):
            address = f"{self.hub.endpoint}{urlsplit(self.path).path}?recursive={recursive}&cursor={start + self.hub.page}"
            rest = {"Link": f'<{address}>; rel="next"'}
        return 200, whole[start : start + self.hub.page], rest

    def paths_info(self, data: bytes, name: str, rev: str) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        tree = repository.commits[repository.resolve(rev)]
        if "json" in (self.headers.get("Content-Type") or ""):
            wanted = json.loads(data)["paths"]
        else:
            wanted = parse_qs(data.decode())["paths"]
        folders = [path for path in wanted if any(name.startswith(f"{path}/") for name in tree)]
        return [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in folders] + [
            self.hub.repositories.entry(path, tree[path]) for path in wanted if path in tree]

    def preupload(self, data: bytes, name: str, rev: str) -> Any:
        repository = self._write(name)
        tree = repository.commits[repository.resolve(rev)]
        files = []
        for item in json.loads(data)["files"]:
            held = tree.get(item["path"])
            oid = None if held is None else held[0] if held[2] else git_blob(self.hub.repositories.blobs[held[0]])
            mode = "lfs" if is_lfs(item["path"], item["size"]) else "regular"
            files.append({"path": item["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": files}

    def batch(self, data: bytes, name: str) -> Any:
        self._write(name)
        base, objects = self.hub.endpoint, []
        for item in json.loads(data)["objects"]:
            entry = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.hub.repositories.blobs:
                entry["actions"] = {"upload": {"href": f"{base}/_lfs/{item['oid']}?by={_signed(self.token)}", "header": {}},
                                    "verify": {"href": f"{base}/_lfs/verify", "header": {}}}
            objects.append(entry)
        return {"transfer": "basic", "objects": objects}

    def put(self, data: bytes, oid: str) -> Any:
        if hashlib.sha256(data).hexdigest() != oid:
            raise Refusal(400, message="the sha256 of the body is not the object's")
        self.hub.repositories.keep(data)
        self.hub.sent[oid] = len(data)
        return b""

    def verify(self, data: bytes) -> Any:
        wanted = json.loads(data)
        if len(self.hub.repositories.blobs.get(wanted["oid"], b"")) != wanted["size"]:
            raise Refusal(404, message="the object is not there")
        return {}

    def commit(self, data: bytes, name: str, rev: str) -> Any:
        repository = self._write(name)
        lines = [json.loads(line) for line in data.splitlines() if line.strip()]
        commit = self.hub.repositories.commit(repository, lines, base64.b64decode)
        return {"commitOid": commit, "commitUrl": f"{self.hub.endpoint}/datasets/{name}/commit/{commit}", "success": True}

    def tag(self, data: bytes, name: str, rev: str) -> Any:
        repository, tag = self._write(name), json.loads(data)["tag"]
        if tag in repository.tags:
            raise Refusal(409, message=f"Tag {tag} already exists")
        repository.tags[tag] = repository.resolve(rev)
        return {}

    def file(self, data: bytes, name: str, rev: str, path: str) -> Any:
        repository = self.hub.repositories.dataset(name, self.token)
        commit = repository.resolve(rev)
        held = repository.commits[commit].get(path)
        if held is None:
            raise Refusal(404, "EntryNotFound", f"{path} does not exist on {rev}")
        body = self.hub.repositories.blobs[held[0]]
        headers = {"ETag": f'"{held[0] if held[2] else git_blob(body)}"', "X-Repo-Commit": commit,
                   "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        if held[2]:
            headers |= {"X-Linked-Etag": f'"{held[0]}"', "X-Linked-Size": str(held[1])}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted is None:
            return 200, body, headers
        start, end = int(wanted[1]), min(int(wanted[2] or len(body) - 1), len(body) - 1)
        if start >= len(body):
            return 416, b"", {"Content-Range": f"bytes */{len(body)}"}
        return 206, body[start : end + 1], {**headers, "Content-Range": f"bytes {start}-{end}/{len(body)}"}


ROUTES: tuple[tuple[str, Callable[..., Any]], ...] = (
    (r"GET /api/whoami-v2", _Handler.whoami),
    (r"POST /api/repos/create", _Handler.create),
    (r"POST /api/validate-yaml", _Handler.validate),
    (rf"GET /api/models/{_NAME}", _Handler.model),
    (rf"GET /api/datasets/{_NAME}", _Handler.info),
    (rf"GET /api/datasets/{_NAME}/revision/(?P<rev>[^/]+)", _Handler.info),
    (rf"GET /api/datasets/{_NAME}/auth-check/write", _Handler.auth_check),
    (rf"GET /api/datasets/{_NAME}/refs", _Handler.refs),
    (rf"GET /api/datasets/{_NAME}/tree/(?P<rev>[^/]+)(/(?P<below>.+))?", lambda self, data, name, rev, below=None:
        self.tree(data, name, rev, below)),
    (rf"POST /api/datasets/{_NAME}/paths-info/(?P<rev>[^/]+)", _Handler.paths_info),
    (rf"POST /api/datasets/{_NAME}/preupload/(?P<rev>[^/]+)", _Handler.preupload),
    (rf"POST /api/datasets/{_NAME}/commit/(?P<rev>[^/]+)", _Handler.commit),
    (rf"POST /api/datasets/{_NAME}/tag/(?P<rev>[^/]+)", _Handler.tag),
    (rf"POST /datasets/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (r"PUT /_lfs/(?P<oid>[0-9a-f]{64})", _Handler.put),
    (r"POST /_lfs/verify", _Handler.verify),
    (rf"(GET|HEAD) /datasets/{_NAME}/resolve/(?P<rev>[^/]+)/(?P<path>.+)", _Handler.file),
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what the tests are about; any other error shows as a missing answer."""


@contextmanager
def running() -> Iterator[Hub]:
    """Run a Hub on a free port of the loopback interface."""
    hub = Hub()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
