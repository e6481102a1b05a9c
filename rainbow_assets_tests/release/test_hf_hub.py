"""The Hugging Face hub against a server on loopback, with the unmodified clients."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from rainbow_assets.release import audit
from rainbow_assets.release.commands import hear
from rainbow_assets.release.hf_hub import HuggingFaceHub
from rainbow_assets.release.hubs import HubError, NoSuchVersion, VersionConflict
from rainbow_assets.release.manifest import DamagedRelease, FileEntry, Manifest, read_manifest, write_manifest
from rainbow_assets.release.versions import Version
from rainbow_assets.settings import roots
from rainbow_assets_tests.hub_server import client
from rainbow_assets_tests.hub_server.server import Hub, running
from rainbow_assets_tests.release import small

V3, V4 = Version(0, 3, 0), Version(0, 4, 0)
NAME = "earth/songs"
LOAD = """
import json, sys
from datasets import Audio, load_dataset
found = {}
for revision in sys.argv[2:]:
    for streaming in (False, True):
        rows = load_dataset(sys.argv[1], "preview", split="train", revision=revision, streaming=streaming)
        rows = rows.cast_column("audio", Audio(decode=False))
        found.setdefault(revision, []).append([[row["segment_id"], row["audio"]["bytes"][:4].decode()] for row in rows])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[Version, Path]:
    """Two versions: in the second, one song of Red is longer."""
    root = tmp_path_factory.mktemp("releases")
    shards = small.preview_parts(root / "parts")
    small.stage(root / "3", [small.preview_table(shards), small.vector_table(root / "parts")], "0.3.0")
    more = {**shards, "Red": small.preview_parts(root / "more", {"Red": ("02_01",)}, per_song=4)["Red"]}
    small.stage(root / "4", [small.preview_table(more), small.vector_table(root / "parts")], "0.4.0")
    return {V3: root / "3", V4: root / "4"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    with running() as hub:
        yield hub


def manifest(folder: Path) -> Manifest:
    return read_manifest(folder, "here")


def hub_of(server: Hub, token: str = "hf_writer", name: str = NAME) -> HuggingFaceHub:
    return HuggingFaceHub(f"hf://{name}", server.endpoint, token)


def test_a_version_is_one_commit_and_one_tag(server: Hub, releases: dict[Version, Path]) -> None:
    hub = hub_of(server)
    assert hub.establish() == "hf://datasets/earth/songs does not exist yet" and hub.versions() == []
    result = hub.publish(releases[V3], manifest(releases[V3]))
    kept = server.repositories.datasets[NAME]
    assert (result.outcome, result.location, result.revision) == ("published", NAME, "v0.3.0")
    assert result.files_sent == len(manifest(releases[V3]).files) + 1
    assert kept.private and len(kept.order) == 2 and kept.tags == {"v0.3.0": kept.head}
    assert hub.versions() == [V3] and hub.manifest(V3) == manifest(releases[V3])
    assert hub.path_of(V3) == "hf://datasets/earth/songs@v0.3.0"
    assert hub.publish(releases[V3], manifest(releases[V3])).outcome == "unchanged"
    assert "load_dataset('earth/songs', \"preview\", split=\"train\", revision='v0.3.0')" in hear(roots(), hub=hub)
    with pytest.raises(NoSuchVersion, match="versions there: v0.3.0"):
        hub.manifest(V4)


def test_the_next_version_sends_only_what_changed(server: Hub, releases: dict[Version, Path]) -> None:
    hub = hub_of(server)
    hub.publish(releases[V3], manifest(releases[V3]))
    server.break_request(None)
    result = hub.publish(releases[V4], manifest(releases[V4]))
    changed = {"README.md", "listen.html", "manifest.json", "preview/train-Red-00000.parquet"}
    (clip,) = {entry.path for entry in manifest(releases[V4]).files} - {entry.path for entry in manifest(releases[V3]).files}
    assert clip.startswith("clips/"), "the one clip that is new"
    assert result.files_sent == len(changed) + 1
    red = next(entry for entry in manifest(releases[V4]).files if entry.path == "preview/train-Red-00000.parquet")
    assert server.sent == {red.sha256: red.bytes}
    assert hub.versions() == [V3, V4] and hub.manifest(V3) == manifest(releases[V3])


def test_other_bytes_under_a_tag_are_refused(server: Hub, releases: dict[Version, Path], tmp_path: Path) -> None:
    hub = hub_of(server)
    hub.publish(releases[V3], manifest(releases[V3]))
    head = server.repositories.datasets[NAME].head
    _, other = small.stage(tmp_path / "other", [small.vector_table(tmp_path / "parts")], "0.3.0")
    with pytest.raises(VersionConflict, match=r"v0.3.0 exists .* publish under the next version"):
        hub.publish(tmp_path / "other", other)
    assert server.repositories.datasets[NAME].head == head


def test_an_untagged_commit_is_verified_and_tagged_by_the_next_run(server: Hub, releases: dict[Version, Path]) -> None:
    hub = hub_of(server)
    hub.publish(releases[V3], manifest(releases[V3]))
    kept = server.repositories.datasets[NAME]
    del kept.tags["v0.3.0"]
    server.break_request(None)
    hub.publish(releases[V3], manifest(releases[V3]))
    assert kept.tags == {"v0.3.0": kept.head} and len(kept.order) == 2 and server.sent == {}


def test_a_release_that_reads_back_damaged_is_taken_back(server: Hub, releases: dict[Version, Path]) -> None:
    hub = hub_of(server)
    hub.publish(releases[V3], manifest(releases[V3]))
    kept = server.repositories.datasets[NAME]
    tree = dict(kept.commits[kept.head])
    red = next(entry for entry in manifest(releases[V4]).files if entry.path == "preview/train-Red-00000.parquet")

    def damage(line: str) -> None:
        if "/tree/" in line and red.path in kept.commits[kept.head] and len(kept.order) == 3:
            server.repositories.blobs[red.sha256] = b"x" * red.bytes

    server.before = damage
    with pytest.raises(HubError, match=r"sha256.*was not tagged; .* main was not v0.3.0: .* and its files were put back"):
        hub.publish(releases[V4], manifest(releases[V4]))
    assert kept.commits[kept.head] == tree and list(kept.tags) == ["v0.3.0"]


def test_a_concurrent_commit_is_planned_again_once(server: Hub, releases: dict[Version, Path]) -> None:
    hub = hub_of(server)
    hub.publish(releases[V3], manifest(releases[V3]))
    kept, intruders = server.repositories.datasets[NAME], [1]

    def intrude(line: str) -> None:
        if "/commit/" in line and intruders:
            intruders.pop()
            kept.append({**kept.commits[kept.head], "note.txt": (server.repositories.keep(b"hi"), 2, False)}, "note")

    server.before = intrude
    assert hub.publish(releases[V4], manifest(releases[V4])).outcome == "published"
    assert "note.txt" in kept.commits[kept.tags["v0.4.0"]], "it is of others"
    intruders[:] = [1, 1]
    del kept.tags["v0.4.0"]
    kept.append(kept.commits[kept.tags["v0.3.0"]], "back")
    with pytest.raises(HubError, match="somebody else committed to main .* twice"):
        hub.publish(releases[V4], manifest(releases[V4]))
    assert list(kept.tags) == ["v0.3.0"]


def test_refusals_are_one_line_without_the_token(server: Hub, releases: dict[Version, Path]) -> None:
    server.repositories.models.add("earth/model")
    cases = [
        ("hf_wrong", NAME, "token is missing or not valid"), ("hf_reader", NAME, "token may not write"),
        ("hf_writer", "mars/songs", "does not belong to mars"),
        ("hf_writer", "earth/model", "is a model, not a dataset"),
    ]
    for token, name, sentence in cases:
        with pytest.raises(HubError, match=sentence) as caught:
            hub_of(server, token, name).publish(releases[V3], manifest(releases[V3]))
        assert "\n" not in str(caught.value) and token not in str(caught.value)
    assert server.repositories.datasets == {}
    hub_of(server).publish(releases[V3], manifest(releases[V3]))
    with pytest.raises(HubError, match="token may not write"):
        hub_of(server, "hf_reader").publish(releases[V4], manifest(releases[V4]))
    with pytest.raises(HubError, match="hf://organization/name"):
        HuggingFaceHub("hf://songs")


def test_a_server_without_xet_gets_files_the_older_way(
    server: Hub, releases: dict[Version, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would send through Xet and fail: the loopback server has none, like mirrors and older servers."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    result = hub_of(server).publish(releases[V3], manifest(releases[V3]))
    assert result.outcome == "published" and list(server.repositories.datasets[NAME].tags) == [V3.tag]
    assert any(line.startswith("PUT /_lfs") for line in server.log)


def test_visibility_never_changes_by_accident(server: Hub, releases: dict[Version, Path]) -> None:
    hub_of(server).publish(releases[V3], manifest(releases[V3]))
    with pytest.raises(HubError, match="is private, and --public changes no repository that exists"):
        hub_of(server).publish(releases[V4], manifest(releases[V4]), public=True)
    assert server.repositories.datasets[NAME].private
    hub_of(server, name="earth/open").publish(releases[V3], manifest(releases[V3]), public=True)
    hub_of(server, name="earth/open").publish(releases[V4], manifest(releases[V4]))
    assert not server.repositories.datasets["earth/open"].private


def test_what_is_not_the_manifest_is_not_published(server: Hub, releases: dict[Version, Path]) -> None:
    with pytest.raises(DamagedRelease, match="manifest.json is not the manifest"):
        hub_of(server).publish(releases[V3], manifest(releases[V4]))
    assert server.repositories.datasets == {}


def test_the_unmodified_clients_load_the_version(server: Hub, releases: dict[Version, Path], tmp_path: Path) -> None:
    for version in (V3, V4):
        hub_of(server).publish(releases[version], manifest(releases[version]))
    env = client.environment(server.endpoint, tmp_path / "hf")
    found = json.loads(client.run(LOAD, env, NAME, V3.tag, V4.tag))
    for version, rows in ((V3, 15), (V4, 16)):
        whole, streamed = found[version.tag]
        assert whole == streamed and len(whole) == rows
        assert {magic for _, magic in whole} == {"fLaC"}


def with_more_files(root: Path, release: Path, files: int) -> Path:
    """Copy ``release`` and add files until it has ``files``, none of which is read back."""
    shutil.copytree(release, root)
    found = manifest(root)
    entries = [*found.files]
    for number in range(files - len(entries)):
        path, data = f"more/{number:03d}.bin", b"%d" % number
        (root / "more").mkdir(exist_ok=True)
        (root / path).write_bytes(data)
        entries.append(FileEntry(path, len(data), hashlib.sha256(data).hexdigest()))
    write_manifest(root, dataclasses.replace(found, files=tuple(sorted(entries, key=lambda entry: entry.path))))
    return root


def test_the_number_of_requests_does_not_grow_with_the_files(
    server: Hub, releases: dict[Version, Path], tmp_path: Path
) -> None:
    """After the commit: nothing by file but the previews. For verify: one download for each file, and nothing else."""
    tails, audits = [], []
    for files in (10, 100):
        name = f"earth/of{files}"
        folder = with_more_files(tmp_path / str(files), releases[V3], files)
        hub_of(server, name=name).publish(folder, manifest(folder))
        place = next(number for number, line in enumerate(server.log) if "/commit/" in line)
        tails.append([re.sub(r"of\d+|[0-9a-f]{40}", "", line) for line in server.log[place:]])
        server.log.clear()
        hub = hub_of(server, name=name)
        assert not [line for line in audit.verify(hub, V3, None)["problems"] if "sha256" in line or "bytes" in line]
        audits.append([line for line in server.log if "/resolve/" not in line])
        assert len(server.log) - len(audits[-1]) == len(manifest(folder).files) + 1, "each once, and the manifest"
        server.log.clear()
    few, many = tails
    assert few == many and len(few) <= 9, few
    assert [len(found) for found in audits] == [2, 2], "the tags and the listing"


def test_a_listing_of_several_pages_is_read_to_its_end(server: Hub, releases: dict[Version, Path]) -> None:
    server.page = 3
    assert hub_of(server).publish(releases[V3], manifest(releases[V3])).outcome == "published"
    assert sum("/tree/" in line for line in server.log) > 4
