"""The review server under attack: other users, foreign pages, slow and broken clients. Sockets, no client library."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from rainbow_assets.composition import review, server
from rainbow_assets.storage.files import Files
from rainbow_assets.storage.lock import writer_lock
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.composition.pages import ask, until
from rainbow_assets_tests.composition.pages import composed as composed
from rainbow_assets_tests.composition.pages import page as page

CHANGE = b'{"field": "notes", "value": "x", "was": ""}'


class Attack:
    """Sends bytes to a review server; ``below`` is its secret path."""

    def __init__(self, address: str, folder: Path) -> None:
        host, port, self.below = re.fullmatch(r"http://([^/]*):(\d+)(/.*)", address).groups()
        self.place, self.address = (host, int(port)), address
        self.target = f"{self.below}/api/{folder.name}/{review.read(folder)[0].midi_sha256}"

    def head(self, *lines: str, target: str = "", method: str = "POST") -> bytes:
        host = () if any(line.lower().startswith("host:") for line in lines) else (f"Host: 127.0.0.1:{self.place[1]}",)
        return "\r\n".join([f"{method} {target or self.target} HTTP/1.1", *host, *lines, "", ""]).encode("latin-1")

    def send(self, data: bytes, timeout: float = 8.0) -> bytes:
        """What comes back until the server closes, or sends nothing for a second."""
        found = b""
        with socket.create_connection(self.place, timeout) as client, suppress(OSError):
            with suppress(OSError):  # it may close before everything is sent
                client.sendall(data)
            while chunk := client.recv(1 << 16):
                found += chunk
                client.settimeout(1.0)
        return found

    def status(self, data: bytes) -> int:
        found = self.send(data)
        return int(found.split(b" ", 2)[1]) if found else 0

    def answers(self) -> bool:
        begun = time.monotonic()
        return ask(self.address, "GET", "/")[0] == 200 and time.monotonic() - begun < 5


@pytest.fixture
def attack(page: tuple[str, Path]) -> Attack:
    return Attack(*page)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.6)
    monkeypatch.setattr(server, "MOST_CLIENTS", 8)


def test_another_user_gets_no_page_and_no_secret(attack: Attack, page: tuple[str, Path], tmp_path: Path) -> None:
    """Whoever reaches the port, and whoever finds the link after it was used, is refused everything."""
    base, folder = attack.address.removesuffix(attack.below), page[1]
    secret = attack.below.strip("/").encode()
    for path in ("/", "/review.js", "/open/", "/open/guessed", "/open/%C3%A9", f"/pieces/{folder.name}/final_1-00000000.mid",
                 f"/api/{folder.name}/{'0' * 64}", f"{attack.below.upper()}/", f"{attack.below}x/"):
        status, body, headers = ask(base, "GET", path)
        assert status in (403, 404, 405) and secret not in body and "location" not in headers, path
    running = server.Running(ShardStore(str(tmp_path / "data")))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    try:
        assert ask(running.link, "HEAD", "")[0] == 403, "a preview of the link does not use it up"
        assert [ask(running.link, "GET", "")[0] for _ in range(3)] == [303, 403, 403]
    finally:
        running.stop()
        thread.join(10)


def test_foreign_hosts_and_pages_are_refused(attack: Attack) -> None:
    length = f"Connection: close\r\nContent-Length: {len(CHANGE)}"
    for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:80", "", "localhost@evil.example"):
        assert attack.status(attack.head(f"Host: {host}", length) + CHANGE) == 400, host
    assert attack.status(attack.head("Host: 127.0.0.1", "Host: evil.example", length) + CHANGE) == 400
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "http://[", "https://127.0.0.1"):
        assert attack.status(attack.head(f"Origin: {origin}", length) + CHANGE) == 403, origin
    own = f"Origin: http://127.0.0.1:{attack.place[1]}"
    assert attack.status(attack.head(own, length) + CHANGE) == 200


@pytest.mark.parametrize("body", [
    b"[" * 50_000, b'{"field":' * 10_000, b"", b"\xff\xfe", b"{", b"[1, 2]", b"3", b'"x"', b"null", b"9" * 5000, b"NaN",
    b'{"field": [], "value": {}, "was": null}', b'{"field": "notes", "value": "\\ud800", "was": ""}', b"\0" * 100])
def test_odd_bodies_are_refused(attack: Attack, body: bytes) -> None:
    assert attack.status(attack.head(f"Content-Length: {len(body)}", "Connection: close") + body) in (400, 409)


@pytest.mark.parametrize("lines", [
    ("Content-Length: 99999999999",), ("Transfer-Encoding: chunked",), ("Content-Length: 200000", "Expect: 100-continue")])
def test_a_body_is_not_read_beyond_its_limit(attack: Attack, lines: tuple[str, ...]) -> None:
    piece = b"x" * 200_000
    body = b"%x\r\n%s\r\n" % (len(piece), piece) * 5 if "chunked" in lines[0] else piece
    assert b"413" in attack.send(attack.head(*lines) + body)
    assert attack.answers()


@pytest.mark.parametrize("data", [
    b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * 100_000 + b"\r\n", b"GET /" + b"a" * 1_000_000,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"])
def test_what_is_not_http_is_refused(attack: Attack, hurried: None, data: bytes) -> None:
    assert attack.status(data) in (0, 400, 404, 501)
    assert attack.answers()


def test_requests_in_one_line_are_answered_in_turn(attack: Attack) -> None:
    """Pipelined: a change, a page that does not exist, and a last one."""
    change = attack.head(f"Content-Length: {len(CHANGE)}") + CHANGE
    found = attack.send(change + attack.head(target="/no", method="GET") + attack.head("Connection: close", method="GET"))
    assert re.findall(rb"HTTP/1.1 (\d+)", found) == [b"200", b"404", b"405"]


def test_silent_slow_and_many_clients_keep_nobody_waiting(attack: Attack, hurried: None) -> None:
    half = attack.head("Content-Length: 100") + b"{"
    once = attack.head(target=f"{attack.below}/", method="GET")
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(attack.place, 10)) for _ in range(40)]
        for number, client in enumerate(clients):
            with suppress(OSError):  # closed already: there are too many
                client.sendall((b"", half, once[:20], once + once[:20])[number % 4])
        assert attack.answers()
        # A byte now and then does not help.
        slow = stack.enter_context(socket.create_connection(attack.place, 10))
        begun = time.monotonic()
        with pytest.raises((ConnectionError, BrokenPipeError)):
            while time.monotonic() - begun < 8:
                slow.send(half[:1])
                half = half[1:]
                time.sleep(0.1)
        assert time.monotonic() - begun < 5
        for client in clients:
            with suppress(OSError):
                while client.recv(1 << 16):
                    pass
    assert attack.answers()


def test_no_folder_is_made_and_no_path_is_told(attack: Attack, page: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, change = page[1], {"field": "notes", "value": "x", "was": ""}
    before = sorted(folder.parent.iterdir())
    for song in ("unknown", "..", "%2e%2e", "a%00b", "A", "templates%2f..", "x" * 500):
        assert ask(attack.address, "POST", f"/api/{song}/{'0' * 64}", change)[0] in (400, 404, 409), song
    assert sorted(folder.parent.iterdir()) == before
    own = attack.target.removeprefix(attack.below)
    told = []
    monkeypatch.setattr(review, "WAIT_S", 0.1)
    with writer_lock(Files(str(folder))):
        told.append(ask(attack.address, "POST", own, change))
    piece = folder / review.read(folder)[0].midi_file
    piece.unlink()
    piece.symlink_to("/etc/hostname")
    told.append(ask(attack.address, "GET", f"/pieces/{folder.name}/{piece.name}"))
    (folder / "review.yml").rename(folder / "kept.yml")
    (folder / "review.yml").symlink_to("/etc/hostname")
    told += [ask(attack.address, "POST", own, change), ask(attack.address, "GET", "/")]
    for part in (folder.parents[1] / "shards/final_candidates/_all").glob("*.parquet"):
        part.write_bytes(b"damaged")
    told.append(ask(attack.address, "GET", "/"))
    assert [status for status, _, _ in told] == [409, 404, 409, 200, 500]
    for _, body, headers in told:
        assert str(folder.parents[1]).encode() not in body and b"/etc" not in body and "server" not in headers


def test_a_full_disk_is_told_and_the_verdict_is_kept(attack: Attack, page: tuple[str, Path]) -> None:
    """The disk is really full: no file of this process may grow beyond some bytes."""
    resource = pytest.importorskip("resource", reason="this system has no limits of file sizes")
    before = (page[1] / "review.yml").read_bytes()
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        found = attack.send(attack.head(f"Content-Length: {len(CHANGE)}", "Connection: close") + CHANGE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert b" 507 " in found and b"cannot be written (File too large)" in found
    assert (page[1] / "review.yml").read_bytes() == before
    assert attack.status(attack.head(f"Content-Length: {len(CHANGE)}", "Connection: close") + CHANGE) == 200


def test_a_stop_does_not_wait_for_a_paused_player(composed: Path) -> None:
    running = server.Running(ShardStore(str(composed)))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    host, port = re.fullmatch(r"http://(.*):(\d+)/open/.*", running.link).groups()
    with socket.create_connection((host, int(port)), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        running.stop()
        thread.join(server.STOP_S + 5)
        assert not thread.is_alive()


def test_the_browser_is_given_the_link_in_a_private_file(composed: Path, tmp_path: Path) -> None:
    """The arguments of a browser, which every user can list, have no link. The file is only its owner's, and goes."""
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" > {tmp_path}/asked\nfile=${{1#file://}}\nstat -c %a \"$(dirname $file)\" "
                       f">> {tmp_path}/asked\ngrep -o 'open/[^\"]*' $file >> {tmp_path}/asked\n")
    browser.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-m", "rainbow_assets.cli", "review"], stdout=subprocess.PIPE, text=True, env={
        **os.environ, "RAINBOW_DATA": str(composed), "BROWSER": f"{browser} %s", "TMPDIR": str(tmp_path)})
    try:
        assert process.stdout is not None
        base, link = re.search(r"(http://127.0.0.1:\d+)/(open/\S+)", process.stdout.readline()).groups()
        until(lambda: ask(base, "GET", "/")[0] == 404)
        asked, mode, inside = (tmp_path / "asked").read_text().splitlines()
        assert asked.startswith("file://") and link not in asked and inside == link and mode == "700"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert not Path(asked.removeprefix("file://")).parent.exists()
