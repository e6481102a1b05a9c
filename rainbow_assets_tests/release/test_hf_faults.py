"""Every request to the Hub may fail in every way: readers see the old version or the new one, and a re-run completes."""

from __future__ import annotations

import copy
import random
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from rainbow_assets.release import hf_session
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError, VersionConflict
from rainbow_assets.release.manifest import NAME as MANIFEST
from rainbow_assets.release.manifest import Manifest, read_manifest
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.hub_server.server import FAULTS, Hub, running
from rainbow_assets_tests.release import small

NAME = "earth/songs"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions of two songs; Red is longer in the second, and Violet is gone from it."""
    root = tmp_path_factory.mktemp("releases")
    shards = small.preview_parts(root / "parts", {"Red": ("02_01",), "Violet": ("08_01",)}, 1, 0.1)
    small.stage(root / "old", [small.preview_table(shards)], "0.3.0")
    more = small.preview_parts(root / "more", {"Red": ("02_01",), "Green": ("05_01",)}, 2, 0.1)
    small.stage(root / "new", [small.preview_table(more)], "0.4.0")
    return root / "old", root / "new"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(hf_session, "ANSWER_S", 2.0)
    monkeypatch.setattr(hf_session, "pause", lambda seconds, stopped: None)
    with running() as hub:
        hub.timeout_s = 2.5
        yield hub


def manifest(folder: Path) -> Manifest:
    return read_manifest(folder, "here")


def publish(server: Hub, folder: Path) -> str:
    return HuggingFaceHub(f"hf://{NAME}", server.endpoint, "hf_writer").publish(folder, manifest(folder)).outcome


def files_of(folder: Path) -> dict[str, str]:
    """Paths and sha256 of everything that a version is."""
    found = manifest(folder)
    return {MANIFEST: found.digest, **{entry.path: entry.sha256 for entry in found.files}}


def seen(server: Hub, revision: str) -> dict[str, str]:
    """Paths and sha256 of everything that a reader of ``revision`` sees."""
    kept = server.repositories.datasets[NAME]
    return {path: file[0] for path, file in kept.commits[kept.resolve(revision)].items() if path != ".gitattributes"}


def require_whole(server: Hub, old: Path, new: Path, what: str) -> None:
    """The old version stands; main is the old or the new one; the new tag is absent or the new version."""
    tags = server.repositories.datasets[NAME].tags
    assert seen(server, "v0.3.0") == files_of(old), what
    assert seen(server, "main") in (files_of(old), files_of(new)), f"torn: {what}"
    assert set(tags) <= {"v0.3.0", "v0.4.0"}, what
    if "v0.4.0" in tags:
        assert seen(server, "v0.4.0") == files_of(new), what


def require_complete(server: Hub, old: Path, new: Path, what: str) -> None:
    server.break_request(None)
    publish(server, new)
    require_whole(server, old, new, what)
    assert seen(server, "v0.4.0") == seen(server, "main") == files_of(new), what


def inject(server: Hub, releases: tuple[Path, Path], faults: int, home: Path) -> int:
    """Publish the new version over the old one with one broken request, ``faults`` times; return how often it broke.

    When every request has been broken in every way, the run that would complete the version is broken as well.
    """
    old, new = releases
    publish(server, old)
    start = copy.deepcopy(server.repositories)
    server.break_request(None)
    publish(server, new)
    requests = len(server.log)
    assert requests > 15
    rng = random.Random(7)
    pairs = [(number, kind) for kind in FAULTS for number in range(requests)]
    rng.shuffle(pairs)
    struck = 0
    for turn in range(faults):
        number, kind = pairs[turn % len(pairs)]
        server.repositories = copy.deepcopy(start)
        break_one(server, new, home, number, kind)
        assert server.struck is not None, f"{kind} at request {number} never happened"
        struck += 1
        require_whole(server, old, new, server.struck)
        if turn >= len(pairs):
            break_one(server, new, home, *rng.choice([pair for pair in pairs if pair[1] != "stop"]))
            require_whole(server, old, new, f"{kind} at request {number}, then {server.struck}")
        require_complete(server, old, new, f"{kind} at request {number}, then {server.struck}")
    return struck


def break_one(server: Hub, new: Path, home: Path, number: int, kind: str) -> None:
    """Publish the new version with one broken request; a sentence is all that may come of it."""
    server.break_request(number, kind)
    try:
        publish_in(server, new, home) if kind == "stop" else publish(server, new)
    except HubError as error:
        assert "\n" not in str(error) and "hf_writer" not in str(error)


def publish_in(server: Hub, folder: Path, home: Path) -> None:
    """Publish in a process that is killed (SIGKILL) while its request is being served."""
    env = client.environment(server.endpoint, home)
    with client.start(client.PUBLISH, env, str(folder), f"hf://{NAME}") as process:
        server.on_stop = process.kill
        process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kind", FAULTS)
def test_a_commit_that_breaks_leaves_a_whole_version(
    kind: str, server: Hub, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    """The one request that matters most, broken in every way; for ``full``, the first upload."""
    old, new = releases
    publish(server, old)
    start = copy.deepcopy(server.repositories)
    server.break_request(None)
    publish(server, new)
    number = next(place for place, line in enumerate(server.log) if ("PUT" if kind == "full" else "/commit/") in line)
    server.repositories = start
    server.break_request(number, kind)
    try:
        publish_in(server, new, tmp_path) if kind == "stop" else publish(server, new)
        failed = kind == "stop"
    except HubError as error:
        failed = "\n" not in str(error)
    # What may pass is asked again, also a commit whose answer got lost; a full disk is not, and a process is gone.
    assert failed == (kind in ("full", "stop"))
    assert server.struck is not None
    require_whole(server, old, new, server.struck)
    require_complete(server, old, new, server.struck)


@pytest.mark.counted
def test_any_request_may_break(server: Hub, releases: tuple[Path, Path], tmp_path: Path) -> None:
    assert inject(server, releases, count("hub_faults"), tmp_path) == count("hub_faults")


@pytest.mark.heavy
def test_two_hundred_broken_requests_and_no_torn_release(
    server: Hub, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    assert inject(server, releases, 200, tmp_path) == 200


@pytest.mark.parametrize("line", ["/commit/", "/tag/"])
def test_of_two_publishers_at_once_the_first_to_commit_wins_and_the_other_says_why(
    line: str, server: Hub, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    """While one is about to commit (or to tag), a rival publishes the same version with other bytes."""
    old, new = releases
    rival = tmp_path / "rival"
    parts = small.preview_parts(tmp_path / "parts", {"Blue": ("06_01",)}, 1, 0.1)
    small.stage(rival, [small.preview_table(parts)], "0.4.0")
    publish(server, old)
    waiting = [1]
    answers: list[str] = []

    def ask(folder: Path) -> None:
        try:
            answers.append(publish(server, folder))
        except VersionConflict as error:
            answers.append(str(error))

    def interfere(request: str) -> None:
        if line in request and waiting:
            waiting.pop()
            thread = threading.Thread(target=ask, args=(rival,))
            thread.start()
            thread.join(60)

    server.before = interfere
    ask(new)
    lost = answers.pop(1 if line == "/commit/" else 0)
    assert answers == ["published"]
    assert re.search(r"v0.4.0 .*with other bytes.*publish under the next version", lost)
    assert seen(server, "v0.4.0") == seen(server, "main") == files_of(rival if line == "/commit/" else new)
    assert seen(server, "v0.3.0") == files_of(old)


def test_publishers_of_the_same_bytes_are_both_content(server: Hub, releases: tuple[Path, Path]) -> None:
    answers: list[str] = []
    both = [threading.Thread(target=lambda: answers.append(publish(server, releases[0]))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(60)
    assert len(answers) == 2 and set(answers) <= {"published", "unchanged"}
    assert seen(server, "v0.3.0") == files_of(releases[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_push_leaves_nothing_in_the_temp_folder(
    number: signal.Signals, server: Hub, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    """Stopped in its first upload, with a server that is gone from then on; then the next run."""
    temp, new = tmp_path / "temp", releases[1]
    temp.mkdir()
    env = {**client.environment(server.endpoint, tmp_path / "home"), "TMPDIR": str(temp)}

    def stop(line: str) -> None:
        if line.startswith("PUT"):
            server.before = lambda line: None
            assert [path.name for path in temp.iterdir()], "the bundle is staged here"
            server.ask = lambda token: "reset"
            process.send_signal(number)

    server.before = stop
    with client.start(client.RELEASE, env, str(new), f"hf://{NAME}") as process:
        complaint = process.communicate(timeout=60)[1]
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 130 and "stopped; finished work is kept" in complaint
        assert list(temp.iterdir()) == []
    server.ask = lambda token: ""
    client.run(client.RELEASE, env, str(new), f"hf://{NAME}")
    assert list(temp.iterdir()) == [] and seen(server, "v0.4.0") == files_of(new)
