"""The files of a commit on the Hugging Face Hub, by the Hub's metadata, compared with those of a release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rainbow_assets.release import card
from rainbow_assets.release.features import audio_columns
from rainbow_assets.release.manifest import NAME, FileEntry, Manifest
from rainbow_assets.release.viewer import problems_of
from rainbow_assets.storage.parquet import open_parquet

Read = Callable[[str], bytes]
KEPT = frozenset({".gitattributes"})
"""Files that the Hub itself adds, and that no release lists."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the Hub: its size, and its sha256 (if stored outside of git) or else git's blob id."""

    bytes: int
    sha256: str | None
    blob: str


def listed(entries: Iterable[Any]) -> dict[str, RemoteFile]:
    """Return the files of ``HfApi.list_repo_tree`` by path."""
    found = {}
    for entry in entries:
        if hasattr(entry, "blob_id"):
            found[entry.path] = RemoteFile(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
    return found


def git_blob(data: bytes) -> str:
    """Return the id that git gives a file of these bytes (SHA-1 over ``blob <size>\\0`` and the bytes)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def paths(manifest: Manifest | None) -> set[str]:
    """Return the paths that a release owns: what its manifest lists, and the manifest. None owns nothing."""
    return {NAME, *(entry.path for entry in manifest.files)} if manifest else set()


def others(remote: Mapping[str, RemoteFile], manifest: Manifest | None) -> list[str]:
    """Return the paths of ``remote`` that the release in it does not own; they belong to other people."""
    return sorted(set(remote) - paths(manifest) - KEPT)


def changes(
    remote: Mapping[str, RemoteFile], read: Read, manifest: Manifest, before: Manifest | None
) -> tuple[list[str], list[str]]:
    """Return (paths to send, paths to delete) that turn ``remote`` into a release; files of other people stay.

    ``read`` returns the bytes of a file of the release, ``before`` is the release that ``remote`` has now.
    """
    own = manifest.to_json()
    entries = [*manifest.files, FileEntry(NAME, len(own), hashlib.sha256(own).hexdigest())]
    changed = [entry.path for entry in entries if not _same(remote.get(entry.path), entry, read)]
    return sorted(changed), sorted(set(remote) & (paths(before) - paths(manifest)))


def _same(there: RemoteFile | None, entry: FileEntry, read: Read) -> bool:
    if there is None or there.bytes != entry.bytes:
        return False
    if there.sha256:
        return there.sha256 == entry.sha256
    data = read(entry.path)
    return there.blob == git_blob(data) and hashlib.sha256(data).hexdigest() == entry.sha256


def read_back(read: Read, manifest: Manifest) -> list[str]:
    """Download, load and decode the manifest, the card and the previews; return a sentence for each problem."""
    if read(NAME) != manifest.to_json():
        return [f"{NAME} is not the one that was sent"]
    found = []
    for entry in manifest.files:
        shown = (entry.config or "").startswith("preview")
        if entry.path != card.NAME and not shown:
            continue
        data = read(entry.path)
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            found.append(f"{entry.path} does not have the sha256 that {NAME} lists")
        elif shown:
            found += [f"{entry.path}: {problem}" for problem in _preview_problems(data, entry, manifest)]
        else:
            found += _card_problems(data.decode("utf-8"), manifest)
    return found


def _preview_problems(data: bytes, entry: FileEntry, manifest: Manifest) -> list[str]:
    with open_parquet(data) as file:
        columns = {item.name: str(item.type) for item in file.schema_arrow}
        promised = dict(manifest.configs[entry.config or ""].columns)
        if columns != promised or file.metadata.num_rows != entry.rows:
            return [f"its columns or rows are not those that {NAME} promises"]
        if not audio_columns(file.schema_arrow):
            return ["no column is declared as audio, so nothing would play"]
    return problems_of(data, len(data), preview=True)


def _card_problems(text: str, manifest: Manifest) -> list[str]:
    head = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else {}
    named = {config["config_name"] for config in head.get("configs", [])}
    return [] if named == set(manifest.configs) else [f"{card.NAME} names other configs than {NAME}"]
