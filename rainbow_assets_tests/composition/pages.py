"""A running review server over a composed song, and requests to it."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rainbow_assets.composition import sound
from rainbow_assets.composition.server import Running
from rainbow_assets.storage.store import ShardStore
from rainbow_assets_tests.composition import songs

EVIL = "Rain <script>document.title='evil'</script> & \"Station\""


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAINBOW_CHORDS", str(root / "no"))
        patch.setenv("RAINBOW_THREADS", str(root / "no"))
        patch.setattr(sound, "renderer", lambda soundfont="": sound.Plain())
        store = ShardStore(str(root))
        songs.commissioned(store, title=EVIL, concept="<img src=x onerror=\"document.title='evil'\">")
        made = songs.build(store)
        assert songs.computed(made)
    return root


@pytest.fixture
def page(composed: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A running server over a copy: the address of its page, and the song's folder."""
    shutil.copytree(composed, tmp_path / "data")
    server = Running(ShardStore(str(tmp_path / "data")))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield opened(server.link), next((tmp_path / "data/compositions").glob("green-*"))
    server.stop()
    thread.join(10)


def opened(link: str) -> str:
    """The address that a link leads to."""
    status, _, headers = ask(link, "GET", "")
    assert status == 303
    return link.partition("/open")[0] + headers["location"].rstrip("/")


def ask(address: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    host, port, below = re.fullmatch(r"http://([^/]*):(\d+)(.*)", address).groups()
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request(method, below + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    except OSError:
        return 0, b"", {}
    finally:
        connection.close()


def until(true: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found
