"""A hub in a folder: ``<root>/v0.3.0/`` per version, moved in by one rename, and ``latest``, a one-line pointer."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rainbow_assets import scratch
from rainbow_assets.atomic import naming, replace_file, sync_folder
from rainbow_assets.release.card import REPOSITORY
from rainbow_assets.release.hubs import HubError, NoSuchVersion, PublishResult, VersionConflict
from rainbow_assets.release.manifest import NAME, DamagedRelease, Manifest, files_below, read_manifest
from rainbow_assets.release.versions import BadVersion, Version
from rainbow_assets.storage.files import local_folder
from rainbow_assets.storage.lock import file_lock
from rainbow_assets.storage.parquet import read_parquet, rows_of

LATEST = "latest"
_LOCK = ".lock"
_KEY = "segment_id"


class DirectoryHub:
    """Versions below the local folder ``root`` (a path or ``file://`` URL), which is created by the first write.

    Publishing stages a version on the same filesystem, flushes it to disk and renames it; the rename makes it visible.
    If two publishers write one version, the first wins; the second finds either the same bytes, which is fine, or
    others (``VersionConflict``). A killed publisher leaves a hidden folder, which the next one removes.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        folder = local_folder(os.fspath(root))
        if folder is None:
            raise HubError(f"a directory hub is a local folder, not {root}; set RAINBOW_HUB to a folder or to "
                           "hf://organization/name")
        self.root = folder

    @property
    def where(self) -> str:
        """The name of the hub in messages."""
        return str(self.root)

    @property
    def repository(self) -> str:
        """The canonical repository, for which the versions in a folder are meant."""
        return REPOSITORY

    def versions(self) -> list[Version]:
        """Return all versions, lowest first. Files and folders with other names are not versions."""
        found = []
        try:
            names = sorted(os.listdir(self.root))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise HubError(f"the hub {self.root} cannot be listed ({error.strerror}); check RAINBOW_HUB") from error
        for name in names:
            try:
                version = Version.parse(name)
            except BadVersion:  # the hub's own files (latest, hidden folders), or a person's
                continue
            if name == version.tag and (self.root / name / NAME).is_file():
                found.append(version)
        return sorted(found)

    def latest(self) -> Version | None:
        """Return the version that ``latest`` points to, or None in an empty hub; raise ``HubError``."""
        try:
            return Version.parse((self.root / LATEST).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, BadVersion, OSError) as error:
            raise HubError(f"{self.root / LATEST} does not name a version ({error}); write the newest one into it, "
                           "for example v0.3.0") from error

    def manifest(self, version: Version) -> Manifest:
        """Return the manifest of ``version``; raise ``NoSuchVersion``, ``DamagedRelease``."""
        return read_manifest(self._existing(version), version.tag)

    def path_of(self, version: Version) -> str:
        """Return the folder of ``version``; raise ``NoSuchVersion``."""
        return str(self._existing(version))

    def read(self, version: Version, path: str) -> bytes:
        """Return the bytes of one file of ``version``; raise ``NoSuchVersion``."""
        try:
            return (self._existing(version) / path).read_bytes()
        except OSError as error:
            raise DamagedRelease(f"{version.tag} in {self.root} has no readable {path} ({error.strerror})") from error

    def require_rights(self) -> None:
        """Return: a folder that cannot be written to is found by :meth:`staging`, before a version is built."""

    def open_to_all(self, public: bool = False) -> bool:
        """Return False: a folder is for those who may read its file system."""
        return False

    def establish(self, write: bool = True) -> str:
        """Point ``latest`` to the highest version; see :meth:`Hub.establish`."""
        versions = self.versions()
        if not versions:
            return f"{self.root} has no version yet"
        try:
            there = self.latest()
        except HubError:
            there = None
        if there == versions[-1]:
            return f"{self.root}: {LATEST} is {versions[-1].tag}"
        if write:
            self._point_to_latest()
        return f"{self.root}: {LATEST} did not name {versions[-1].tag}; it {'was' if write else 'is'} corrected" + (
            "" if write else " first")

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield an empty folder on the hub's own filesystem; removed on the way out unless it was published."""
        with ExitStack() as stack:
            try:
                self.root.mkdir(parents=True, exist_ok=True)
                folder = stack.enter_context(scratch.folder(self.root))
            except OSError as error:
                raise HubError(f"the hub {self.root} cannot be written to ({error.strerror}); check RAINBOW_HUB") from (
                    error)
            with naming(folder):
                yield folder

    def publish(self, staged: Path, manifest: Manifest, public: bool = False) -> PublishResult:
        """Move the release in ``staged`` to ``manifest.version``; see :meth:`Hub.publish`. Files become read-only.

        ``public`` has no effect on a folder.
        """
        problems = manifest.problems(staged)
        if not (staged / NAME).is_file() or (staged / NAME).read_bytes() != manifest.to_json():
            problems.append(f"{NAME} is not the manifest that is being published")
        if problems:
            raise DamagedRelease(f"{manifest.version.tag} is not published: {'; '.join(problems)}")
        if staged.parent.absolute() == self.root:
            return self._move_in(staged, manifest)
        with self.staging() as folder:
            shutil.copytree(staged, folder, dirs_exist_ok=True)
            return self._move_in(folder, manifest)

    def _move_in(self, staged: Path, manifest: Manifest) -> PublishResult:
        version = manifest.version
        target = self.root / version.tag
        outcome = "published"
        _flush(staged)
        try:
            # A rename onto a folder with files fails, so only one of two publishers succeeds; no lock is needed.
            os.rename(staged, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise HubError(f"{version.tag} cannot be moved into {self.root} ({error.strerror}); nothing was "
                               "published") from error
            self._require_same(target, manifest)
            outcome = "unchanged"
        else:
            sync_folder(self.root)
        self._point_to_latest()
        sent = manifest.files if outcome == "published" else ()
        return PublishResult(version, str(target), outcome, len(sent) + bool(sent), sum(entry.bytes for entry in sent))

    def _require_same(self, target: Path, manifest: Manifest) -> None:
        tag = manifest.version.tag
        if not target.is_dir():
            raise HubError(f"{target} exists and is not a folder; move it away")
        there = read_manifest(target, tag)
        if there.to_json() != manifest.to_json():
            raise VersionConflict(
                f"{tag} exists in {self.root} with other bytes ({difference(there, manifest)}); versions never "
                "change: publish under the next version"
            )

    def _point_to_latest(self) -> None:
        """Point ``latest`` to the highest version, under a lock, so that a slow publisher cannot move it back."""
        with file_lock(self.root / _LOCK):
            newest = self.versions()[-1].tag + "\n"
            pointer = self.root / LATEST
            if pointer.is_file() and pointer.read_bytes() == newest.encode():
                return
            replace_file(pointer, newest.encode())

    def _existing(self, version: Version) -> Path:
        folder = self.root / version.tag
        if not (folder / NAME).is_file():
            known = ", ".join(item.tag for item in self.versions()) or "none"
            raise NoSuchVersion(f"{self.root} has no version {version.tag}; versions there: {known}")
        return folder


def releases_of(data: str, segments: Iterable[str]) -> list[str]:
    """Return the tags of the versions below ``data`` that hold any of ``segments`` (stems; a mix is in no table)."""
    wanted = sorted(segments)
    hub = DirectoryHub(f"{data.rstrip('/')}/hub")
    found = []
    for version in hub.versions() if wanted else []:
        files = [f"{hub.path_of(version)}/{entry.path}" for entry in hub.manifest(version).files
                 if entry.config == "training_segments"]
        if any(len(rows_of(read_parquet(path, [_KEY]), _KEY, wanted)) for path in files):
            found.append(version.tag)
    return found


def difference(there: Manifest, here: Manifest) -> str:
    """Return a short text on how two manifests of one version differ."""
    old = {entry.path: entry.sha256 for entry in there.files}
    new = {entry.path: entry.sha256 for entry in here.files}
    changed = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    if not changed:
        return "the same files, but another provenance"
    return f"{len(changed)} files differ, for example {changed[0]}"


def _flush(folder: Path) -> None:
    """Flush every file and folder below ``folder`` to disk, and make its files read-only."""
    for name in files_below(folder):
        path = folder / name
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
        path.chmod(0o444)
    for path in sorted([folder, *(path for path in folder.rglob("*") if path.is_dir())]):
        sync_folder(path)
