"""Main is the highest version, whoever publishes, whatever breaks; files of other people stay."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from huggingface_hub import constants

from rainbow_assets.release import hf_session
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError, VersionConflict
from rainbow_assets.release.manifest import NAME as MANIFEST
from rainbow_assets.release.manifest import Manifest, read_manifest
from rainbow_assets.release.versions import Version
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.hub_server.repositories import Repositories, Repository
from rainbow_assets_tests.hub_server.server import Hub, running
from rainbow_assets_tests.release import small

NAME, LICENSE = "earth/songs", b"All rights are yours."
TOKENS: tuple[str, ...] = ("hf_writer", "hf_second")
FAULTS = ("reset", "reset_after", "500")


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four releases by version, and "0.4.0 other": the same version with other bytes."""
    root = tmp_path_factory.mktemp("releases")
    found = {}
    for place, (name, color) in enumerate([("0.3.0", "Red"), ("0.3.1", "Green"), ("0.4.0", "Blue"), ("0.4.0 other", "Violet")]):
        songs = {"Red": ("02_01",), **({color: (f"0{place + 3}_01",)} if color != "Red" else {})}
        parts = small.preview_parts(root / f"parts{place}", songs, 1, 0.1)
        small.stage(root / name, [small.preview_table(parts)], name.partition(" ")[0])
        found[name] = root / name
    return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(hf_session, "ANSWER_S", 20.0)
    # The client waits for seconds before it asks again; schedules need the order of requests, not the time.
    monkeypatch.setattr(hf_session, "pause", lambda seconds, stopped: None)
    with running() as hub:
        yield hub


def manifest(folder: Path) -> Manifest:
    return read_manifest(folder, "here")


def hub_of(server: Hub, token: str = "hf_writer") -> HuggingFaceHub:
    return HuggingFaceHub(f"hf://{NAME}", server.endpoint, token)


def publish(server: Hub, folder: Path, token: str = "hf_writer") -> str:
    return hub_of(server, token).publish(folder, manifest(folder)).outcome


def files_of(folder: Path) -> dict[str, str]:
    found = manifest(folder)
    return {MANIFEST: found.digest, **{entry.path: entry.sha256 for entry in found.files}}


def tree(kept: Repository, revision: str) -> dict[str, str]:
    """Paths and sha256 of what a reader of ``revision`` gets, without the Hub's own file."""
    return {path: file[0] for path, file in kept.commits[kept.resolve(revision)].items() if path != ".gitattributes"}


def commit(server: Hub, changes: dict[str, bytes | None]) -> None:
    """Commit to main as a person does on the website; None deletes a file."""
    kept = server.repositories.datasets[NAME]
    found = dict(kept.commits[kept.head])
    for path, data in changes.items():
        found.pop(path, None)
        if data is not None:
            found[path] = (server.repositories.keep(data), len(data), path.endswith(".parquet"))
    kept.append(found, "by hand")


def without_tag(server: Hub, folder: Path) -> None:
    """Publish ``folder`` and lose the tag, as a run does that is killed between the two."""
    publish(server, folder)
    del server.repositories.datasets[NAME].tags[manifest(folder).version.tag]


def test_a_whole_commit_without_a_tag_is_finished_whatever_is_published_next(server: Hub, releases: dict[str, Path]) -> None:
    """The source was put back to what it was: main must not stay at a version that has no tag."""
    publish(server, releases["0.3.0"])
    without_tag(server, releases["0.3.1"])
    rehearsed = hub_of(server)
    assert "main is v0.3.1, which had no tag: it is read back and tagged first" in rehearsed.establish(write=False)
    assert max(rehearsed.versions()) == Version(0, 3, 1) and rehearsed.manifest(Version(0, 3, 1)).files
    kept = server.repositories.datasets[NAME]
    assert list(kept.tags) == ["v0.3.0"], "a rehearsal changes nothing"
    assert publish(server, releases["0.3.0"]) == "unchanged"
    assert kept.tags["v0.3.1"] == kept.head and tree(kept, "main") == files_of(releases["0.3.1"])
    assert hub_of(server).establish() == f"hf://datasets/{NAME}: main is v0.3.1"


@pytest.mark.parametrize("changes", [
    {"README.md": b"# by hand"}, {"preview/train-Red-00000.parquet": None}, {MANIFEST: None}, {MANIFEST: b"{"},
    {MANIFEST: b"{", "preview/train-Red-00000.parquet": b"PAR1", "README.md": None},
])
def test_what_is_no_version_is_replaced_by_the_last_one(
    server: Hub, releases: dict[str, Path], changes: dict[str, bytes | None]
) -> None:
    publish(server, releases["0.3.0"])
    commit(server, changes)
    kept, (first, *_) = server.repositories.datasets[NAME], sorted(changes)
    before = kept.head
    assert re.search(rf"main was not v0.3.0: .*{re.escape(first)}.* are put back first", hub_of(server).establish(write=False))
    assert kept.head == before
    assert "its files were put back" in hub_of(server).establish()
    assert tree(kept, "main") == files_of(releases["0.3.0"]) and list(kept.tags) == ["v0.3.0"]
    assert hub_of(server).establish() == f"hf://datasets/{NAME}: main is v0.3.0"


def test_a_newer_commit_that_is_not_whole_is_replaced(server: Hub, releases: dict[str, Path]) -> None:
    publish(server, releases["0.3.0"])
    without_tag(server, releases["0.4.0"])
    commit(server, {"preview/train-Blue-00000.parquet": b"PAR1 and no more"})
    assert publish(server, releases["0.3.1"]) == "published"
    kept = server.repositories.datasets[NAME]
    assert tree(kept, "main") == tree(kept, "v0.3.1") == files_of(releases["0.3.1"])
    assert sorted(kept.tags) == ["v0.3.0", "v0.3.1"]


def test_a_first_commit_that_is_not_whole_is_replaced_by_the_first_version(server: Hub, releases: dict[str, Path]) -> None:
    without_tag(server, releases["0.3.0"])
    commit(server, {"README.md": b"cut"})
    assert "main is no whole v0.3.0" in hub_of(server).establish(write=False)
    assert publish(server, releases["0.3.1"]) == "published"
    kept = server.repositories.datasets[NAME]
    assert tree(kept, "main") == files_of(releases["0.3.1"]) and list(kept.tags) == ["v0.3.1"]


def test_a_slow_publisher_of_a_lower_version_never_moves_main_backwards(server: Hub, releases: dict[str, Path]) -> None:
    publish(server, releases["0.3.0"])
    kept, waiting = server.repositories.datasets[NAME], [1]

    def overtake(line: str) -> None:
        if "/commit/" in line and waiting:
            waiting.pop()
            thread = threading.Thread(target=publish, args=(server, releases["0.4.0"]))
            thread.start()
            thread.join(60)

    server.before = overtake
    with pytest.raises(VersionConflict, match=r"v0.4.0 is in .* already, and v0.3.1 is lower; publish under a higher"):
        publish(server, releases["0.3.1"])
    assert tree(kept, "main") == files_of(releases["0.4.0"]) and sorted(kept.tags) == ["v0.3.0", "v0.4.0"]


def test_files_of_others_stay_and_are_named(server: Hub, releases: dict[str, Path]) -> None:
    publish(server, releases["0.3.0"])
    commit(server, {"LICENSE": LICENSE, "models/chromatic.onnx": b"net"})
    said = hub_of(server).establish(write=False)
    assert said.endswith("main is v0.3.0; files of others, which stay unless a release has their names: LICENSE, models/chromatic.onnx")
    publish(server, releases["0.3.1"])
    kept = server.repositories.datasets[NAME]
    found = tree(kept, "v0.3.1")
    assert {found.pop("LICENSE"), found.pop("models/chromatic.onnx")} == {
        server.repositories.keep(data) for data in (LICENSE, b"net")}
    assert found == files_of(releases["0.3.1"])
    commit(server, {"README.md": b"by hand"})
    hub_of(server).establish()
    assert {"LICENSE", "models/chromatic.onnx"} <= set(tree(kept, "main"))


@dataclass
class Schedule:
    """Lets one request through at a time, of the publisher that chance names, and breaks some of them."""

    rng: random.Random
    break_share: float
    turns: list[str] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    waiting: dict[str, list[threading.Event]] = field(default_factory=dict)
    faults: dict[threading.Event, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, token: str) -> str:
        """Wait for the turn of ``token``; return how its request breaks, or ""."""
        own = threading.Event()
        with self.lock:
            # The client sends several files at once.
            self.waiting.setdefault(token, []).append(own)
            self._next()
        assert own.wait(60), "no turn came"
        return self.faults.pop(own, "")

    def served(self) -> None:
        """A request was served; if all wait for another one, it is the turn of one of them."""
        with self.lock:
            self._next()

    def leave(self, token: str) -> None:
        """``token`` has ended."""
        with self.lock:
            self.running.discard(token)
            self._next()

    def _next(self) -> None:
        # Everybody who runs is at a request, so that chance alone decides whose is served.
        if self.running and all(self.waiting.get(token) for token in self.running):
            token = self.rng.choice(sorted(self.running))
            own = self.waiting[token].pop(0)
            if self.rng.random() < self.break_share:
                self.faults[own] = self.rng.choice(FAULTS)
            self.turns.append(token)
            own.set()


def require(kept: Repository, known: dict[str, list[dict[str, str]]], tagged: dict[str, str], what: str) -> None:
    """Every version is whole and never moves; main is a whole version, and none is higher."""
    for tag, commit_id in kept.tags.items():
        assert tagged.setdefault(tag, commit_id) == commit_id, f"{tag} moved: {what}"
        assert ours(kept, tag) in known[tag], f"{tag} is torn: {what}"
    main = ours(kept, "main")
    found = next((tag for tag, trees in known.items() if main in trees), None)
    assert found is not None or not main, f"main is torn: {what}"
    highest = max((Version.parse(tag) for tag in kept.tags), default=None)
    assert highest is None or (found is not None and Version.parse(found) >= highest), f"main is behind: {what}"
    if kept.tags:
        assert "LICENSE" in kept.commits[kept.head], f"a file of others is gone: {what}"


def ours(kept: Repository, revision: str) -> dict[str, str]:
    return {path: sha256 for path, sha256 in tree(kept, revision).items() if path != "LICENSE"}


@pytest.mark.heavy
@pytest.mark.counted
def test_main_is_a_whole_version_under_every_schedule(
    server: Hub, releases: dict[str, Path], record_property: Callable[[str, object], None]
) -> None:
    """Two publishers, whose requests are served in random order, and may break; then each runs to its end."""
    rng = random.Random(int(os.environ["RAINBOW_TEST_SEED"]))
    known: dict[str, list[dict[str, str]]] = {}
    for folder in releases.values():
        known.setdefault(manifest(folder).version.tag, []).append(files_of(folder))
    publish(server, releases["0.3.0"])
    commit(server, {"LICENSE": LICENSE})
    start = server.repositories
    requests = 0
    for number in range(count("schedules")):
        server.repositories = copied(start)
        kept = server.repositories.datasets[NAME]
        schedule = Schedule(rng, rng.choice([0.0, 0.02, 0.1]), running=set(TOKENS))
        chosen = dict(zip(TOKENS, rng.choices(["0.3.1", "0.4.0", "0.4.0 other"], k=2), strict=True))
        tagged: dict[str, str] = {}
        what = f"schedule {number}, {chosen}"
        server.ask = schedule.arrive
        server.after = lambda: require(kept, known, tagged, f"{what}, {schedule.turns}")  # noqa: B023
        server.served = schedule.served
        wrong: list[BaseException] = []

        def run(token: str) -> None:
            try:
                with suppress(HubError):
                    publish(server, releases[chosen[token]], token)  # noqa: B023
            except BaseException as error:
                wrong.append(error)  # noqa: B023
            finally:
                schedule.leave(token)  # noqa: B023

        threads = [threading.Thread(target=run, args=(token,)) for token in TOKENS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        requests += len(schedule.turns)
        assert not wrong and not server.wrong, (wrong, server.wrong, what)
        server.ask, server.after, server.served = (lambda token: ""), (lambda: None), (lambda: None)
        for token in TOKENS:
            with suppress(VersionConflict):
                publish(server, releases[chosen[token]], token)
            require(kept, known, tagged, f"{what}, at the end")
        highest = max(kept.tags, key=Version.parse)
        assert highest == max(manifest(releases[name]).version for name in chosen.values()).tag
        assert ours(kept, "main") == ours(kept, highest)
    record_property("schedules of two publishers", f"run: {count('schedules')} schedules, {requests} requests")


def copied(there: Repositories) -> Repositories:
    """Return a copy that shares the blobs."""
    found = Repositories()
    found.blobs = dict(there.blobs)
    found.writers, found.readers = set(there.writers) | set(TOKENS), set(there.readers) | set(TOKENS)
    found.datasets = {name: Repository(name, kept.private, dict(kept.commits), list(kept.order), dict(kept.tags))
                      for name, kept in there.datasets.items()}
    return found
