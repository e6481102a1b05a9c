"""Manifests and the directory hub: immutable, atomic, safe for several publishers, honest about damage."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from rainbow_assets.release.directory_hub import LATEST, DirectoryHub
from rainbow_assets.release.hubs import HubError, NoSuchVersion, VersionConflict
from rainbow_assets.release.manifest import NAME, DamagedRelease, FileEntry, Manifest, files_below, write_manifest
from rainbow_assets.release.versions import Version
from rainbow_assets_tests.counts import count
from rainbow_assets_tests.machine import ended
from rainbow_assets_tests.release import small

V3, V4 = Version(0, 3, 0), Version(0, 4, 0)


def staged(folder: Path, version: Version = V3, texts: dict[str, str] | None = None) -> Manifest:
    """A release of a few text files: enough for a hub, which does not look inside."""
    entries = []
    for name, text in (texts or {"README.md": "card", "preview/train-Red-00000.parquet": "rows"}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in files_below(folder):
        data = (folder / name).read_bytes()
        entries.append(FileEntry(name, len(data), hashlib.sha256(data).hexdigest()))
    manifest = Manifest(version, tuple(entries), {}, {"made": "here"})
    write_manifest(folder, manifest)
    return manifest


def publish(hub: DirectoryHub, version: Version = V3, texts: dict[str, str] | None = None) -> str:
    with hub.staging() as folder:
        return hub.publish(folder, staged(folder, version, texts)).outcome


def test_a_version_is_published_once_and_read_back(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path / "hub")
    assert hub.versions() == [] and hub.latest() is None
    with hub.staging() as folder:
        manifest = staged(folder)
        result = hub.publish(folder, manifest)
    assert (result.outcome, result.files_sent, result.bytes_sent) == ("published", 3, 8)
    assert result.location == hub.path_of(V3) == str(tmp_path / "hub" / "v0.3.0")
    assert hub.manifest(V3) == manifest and hub.latest() == V3
    assert (tmp_path / "hub" / LATEST).read_text() == "v0.3.0\n"
    assert not manifest.problems(Path(result.location))
    assert publish(hub) == "unchanged"
    assert not [name for name in os.listdir(hub.root) if name.endswith(".tmp")]
    assert not os.access(Path(result.location) / NAME, os.W_OK) or os.geteuid() == 0


def test_other_bytes_under_a_published_version_are_refused(tmp_path: Path) -> None:
    hub = DirectoryHub(f"file://{tmp_path}/hub")
    publish(hub)
    with pytest.raises(VersionConflict, match=r"v0.3.0 exists .* README.md\); versions never change"):
        publish(hub, texts={"README.md": "other", "preview/train-Red-00000.parquet": "rows"})
    assert (hub.root / "v0.3.0" / "README.md").read_text() == "card"


def test_latest_is_the_highest_whatever_came_last(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path)
    publish(hub, Version(0, 10, 0))
    publish(hub, V4)
    assert hub.latest() == Version(0, 10, 0) and hub.versions() == [V4, Version(0, 10, 0)]


def test_a_release_staged_elsewhere_is_copied_in(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path / "hub")
    manifest = staged(tmp_path / "elsewhere")
    assert hub.publish(tmp_path / "elsewhere", manifest).outcome == "published"
    assert files_below(tmp_path / "elsewhere") == files_below(hub.root / "v0.3.0")


def test_damage_is_named_and_nothing_is_published(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path / "hub")
    manifest = staged(tmp_path / "a")
    (tmp_path / "a" / "README.md").write_text("lard")
    (tmp_path / "a" / "stray").write_text("x")
    (tmp_path / "a" / "preview/train-Red-00000.parquet").write_text("cut")
    with pytest.raises(DamagedRelease) as caught:
        hub.publish(tmp_path / "a", manifest)
    said = str(caught.value)
    assert "README.md does not have the sha256" in said and "stray is not listed" in said and "has 3 bytes" in said
    (tmp_path / "a" / "stray").unlink()
    (tmp_path / "a" / "README.md").unlink()
    assert "README.md is listed in manifest.json but is missing" in manifest.problems(tmp_path / "a")
    assert hub.versions() == []


def test_faults_are_sentences(tmp_path: Path) -> None:
    hub = DirectoryHub(tmp_path / "hub")
    with pytest.raises(NoSuchVersion, match=r"no version v0.4.0; versions there: none"):
        hub.manifest(V4)
    with pytest.raises(HubError, match="set RAINBOW_HUB to a folder"):
        DirectoryHub("s3://bucket/hub")
    publish(hub)
    (hub.root / "v0.4.0").write_text("a file in the way")
    with pytest.raises(HubError, match="exists and is not a folder"):
        publish(hub, V4)
    (hub.root / LATEST).write_bytes(b"\xff")
    with pytest.raises(HubError, match="does not name a version"):
        hub.latest()
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="check RAINBOW_HUB"), DirectoryHub(tmp_path / "file").staging():
        pass


@pytest.mark.parametrize("data", [
    b"", b"[]", b"{}", b"\xff", b'{"format": 2}', b'{"format": 1, "files": 3}',
    b'{"format":1,"version":"0.3.0","configs":{},"provenance":{},"files":[{"path":"../x","bytes":1,"sha256":"a"}]}',
    b'{"format":1,"version":"0.3.0","configs":{},"provenance":{},"files":[{"path":"/x","bytes":1,"sha256":"a"}]}',
    b'{"format":1,"version":"0.3","configs":{},"provenance":{},"files":[]}',
])
def test_a_manifest_that_is_none_is_a_sentence(data: bytes) -> None:
    with pytest.raises(DamagedRelease, match=r"^v0.3.0/manifest.json "):
        Manifest.from_json(data, "v0.3.0/manifest.json")


def test_a_manifest_survives_the_round_trip(tmp_path: Path) -> None:
    _, manifest = small.stage(tmp_path / "out", [small.preview_table(small.preview_parts(tmp_path / "parts"))])
    data = (tmp_path / "out" / NAME).read_bytes()
    assert Manifest.from_json(data) == manifest and manifest.to_json() == data and data.endswith(b"}\n")
    assert list(json.loads(data)) == sorted(json.loads(data))
    assert list(manifest.shapes()["preview"].columns) == small.PREVIEW_SCHEMA.names
    assert {entry.path for entry in manifest.files} == set(files_below(tmp_path / "out")) - {NAME}


def _race(root: str, text: str, start: float, results: multiprocessing.Queue[str]) -> None:
    hub = DirectoryHub(root)
    with hub.staging() as folder:
        manifest = staged(folder, V3, {"README.md": text, "big": "x" * 200_000})
        time.sleep(max(0.0, start - time.monotonic()))
        try:
            results.put(hub.publish(folder, manifest).outcome)
        except VersionConflict:
            results.put("conflict")


@pytest.mark.parametrize("same", [True, False])
def test_several_publishers_at_once_make_one_version(tmp_path: Path, same: bool) -> None:
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[str] = context.Queue()
    start = time.monotonic() + 0.3
    crowd = [context.Process(target=_race, args=(str(tmp_path), "same" if same else f"text {n}", start, results))
             for n in range(6)]
    for one in crowd:
        one.start()
    outcomes = sorted(results.get(timeout=30) for _ in crowd)
    for one in crowd:
        one.join()
    assert outcomes == (["published"] + ["unchanged"] * 5 if same else ["conflict"] * 5 + ["published"])
    hub = DirectoryHub(tmp_path)
    assert not hub.manifest(V3).problems(Path(hub.path_of(V3))) and hub.latest() == V3


def _publish_forever(root: str) -> None:
    hub = DirectoryHub(root)
    for number in range(1000):
        texts = {f"preview/{n}": str(number) * 5000 for n in range(8)}
        publish(hub, Version(0, 3, number), texts)


@pytest.mark.counted
def test_a_killed_publisher_leaves_whole_versions_only(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    hub = DirectoryHub(tmp_path)
    for attempt in range(count("kills")):
        victim = context.Process(target=_publish_forever, args=(str(tmp_path),))
        victim.start()
        time.sleep(0.11 + 0.037 * attempt)
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        for version in hub.versions():
            assert not hub.manifest(version).problems(Path(hub.path_of(version)))
        latest = hub.latest()
        assert latest is None or latest in hub.versions()
    publish(hub, Version(9, 0, 0))
    assert hub.latest() == Version(9, 0, 0)


def test_what_a_killed_publisher_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ended("rainbow") / "preview").mkdir(parents=True)
    publish(DirectoryHub(tmp_path))
    assert sorted(os.listdir(tmp_path)) == [".lock", "latest", "v0.3.0"]
