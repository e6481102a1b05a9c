"""Whatever the Hub answers for a moment, every request is asked again, within a bound, and each wait is shown."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import constants, get_session

from rainbow_assets import progress
from rainbow_assets.release import hf_session
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError
from rainbow_assets.release.manifest import read_manifest
from rainbow_assets_tests.hub_server.server import Hub, running
from rainbow_assets_tests.release import small

NAME = "earth/songs"
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    shards = small.preview_parts(root / "parts", {"Red": ("02_01",), "Green": ("05_01",)}, 1, 0.1)
    small.stage(root / "new", [small.preview_table(shards)], "0.3.0")
    return root / "new"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with running() as hub:
        yield hub


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, which take no time: only the clock of the session goes on."""
    found: list[float] = []
    monkeypatch.setattr(hf_session, "pause", lambda seconds, stopped: found.append(seconds))
    monkeypatch.setattr(hf_session, "monotonic", lambda: sum(found))
    return found


def hub_of(server: Hub) -> HuggingFaceHub:
    return HuggingFaceHub(f"hf://{NAME}", server.endpoint, "hf_writer")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_every_request_of_a_publish_is_asked_again(
    status: int, server: Hub, release: Path, waits: list[float], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each request fails at first, the uploads and the commit too, and the Hub names the wait."""
    monkeypatch.setattr(progress, "quiet", False)
    asked = itertools.count()
    server.refuse = lambda line: (status, {"error": "later"}, {"Retry-After": "7"}) if next(asked) % 2 == 0 else None
    assert hub_of(server).publish(release, read_manifest(release, "here")).outcome == "published"
    server.refuse = lambda line: None
    assert list(server.repositories.datasets[NAME].tags) == ["v0.3.0"]
    assert len(waits) >= 15 and set(waits) == {7.0}
    assert f"the Hub did not answer (status {status}); waiting 7 s, then attempt 2 of 8" in capsys.readouterr().err


def test_a_lost_answer_of_any_request_is_asked_for_again(server: Hub, release: Path, waits: list[float]) -> None:
    """The server does what each request wants and the answer is lost, every second time."""
    asked = itertools.count()
    server.ask = lambda token: "reset_after" if next(asked) % 2 == 0 else ""
    hub_of(server).publish(release, read_manifest(release, "here"))
    server.ask = lambda token: ""
    kept = server.repositories.datasets[NAME]
    assert kept.tags == {"v0.3.0": kept.head} and len(kept.order) == 2 and waits


def test_attempts_end(server: Hub, waits: list[float]) -> None:
    server.refuse = lambda line: (503, {"error": "down"}, {})
    with pytest.raises(HubError, match=r"checking the token failed: no answer in 8 attempts .*status 503.*same command"):
        hub_of(server).establish()
    assert len(server.log) == hf_session.ATTEMPTS and waits == [1, 2, 4, 8, 16, 32, 60]


def test_seconds_end(server: Hub, waits: list[float]) -> None:
    server.refuse = lambda line: (429, {"error": "busy"}, {"Retry-After": "250"})
    with pytest.raises(HubError, match="the Hub asks to wait 250 s, more than the 600 s that a request has"):
        hub_of(server).establish()
    assert waits == [250, 250]


def test_a_wait_that_is_too_long_is_not_begun(server: Hub, waits: list[float]) -> None:
    server.refuse = lambda line: (429, {"error": "busy"}, {"Retry-After": "3600"})
    with pytest.raises(HubError, match="status 429; the Hub asks to wait 3,600 s"):
        hub_of(server).establish()
    assert waits == [] and len(server.log) == 1


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"Retry-After": "12"}, 12.0), ({"retry-after": " 0 "}, 0.0),
    ({"Retry-After": "Fri, 01 May 2026 12:01:30 GMT"}, 90.0), ({"Retry-After": "Fri, 01 May 2026 11:00:00 GMT"}, 0.0),
    ({"RateLimit": '"api";r=0;t=55'}, 56.0), ({"RateLimit": '"api";r=9;t=55'}, None),
    ({}, None), ({"Retry-After": "soon"}, None), ({"Retry-After": "-3"}, None), ({"Retry-After": ""}, None),
])
def test_the_wait_is_what_the_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert hf_session.wait_of(headers, NOW) == seconds


def test_all_requests_of_the_library_end_and_its_statistics_are_asked_for_once(
    server: Hub, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_of(server)
    session: Any = get_session()
    assert isinstance(session, hf_session.PatientClient)
    monkeypatch.setattr(hf_session, "ANSWER_S", 12.0)
    assert session.build_request("GET", server.endpoint, timeout=None).extensions["timeout"]["read"] == 12.0
    assert session.build_request("GET", server.endpoint, timeout=3).extensions["timeout"]["read"] == 3
    server.refuse = lambda line: (503, {}, {})
    assert session.get(f"{server.endpoint}{hf_session.ASIDES[0]}").status_code == 503 and waits == []


def test_a_closed_client_ends_the_waits_of_other_threads() -> None:
    arrived, found = threading.Event(), list[str]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        arrived.set()
        return httpx2.Response(503, headers={"Retry-After": "500"})

    def ask() -> None:
        try:
            client.get("http://hub/")
        except hf_session.Unavailable as error:
            found.append(str(error))

    client = hf_session.PatientClient(transport=httpx2.MockTransport(answer))
    thread = threading.Thread(target=ask)
    thread.start()
    assert arrived.wait(60)
    client.close()
    thread.join(60)
    assert found == ["the program was stopped"]
