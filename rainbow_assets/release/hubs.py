"""The interface of a hub, which keeps immutable versions: a folder, or a repository on the Hugging Face Hub."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.release.manifest import Manifest
from rainbow_assets.release.versions import Version


class HubError(RainbowError):
    """A hub cannot do what it was asked for; the message has the cause and what to do."""


class VersionConflict(HubError):
    """The version exists with other bytes. Versions are immutable."""


class NoSuchVersion(HubError, UsageError):
    """The hub does not have that version."""


@dataclass(frozen=True, slots=True)
class PublishResult:
    """The result of publishing. ``outcome``: ``published`` or ``unchanged`` (the hub already had the same bytes).

    ``location`` is what ``load_dataset`` takes: a folder, or a repository id (with ``revision``, null for folders).
    ``files_sent`` and ``bytes_sent`` count what the hub did not have.
    """

    version: Version
    location: str
    outcome: str
    files_sent: int
    bytes_sent: int
    revision: str | None = None


class Hub(Protocol):
    """Keeps versions. Every reader sees a whole version or none; a published version never changes."""

    @property
    def where(self) -> str:
        """The name of the hub in messages."""
        ...

    @property
    def repository(self) -> str:
        """``organization/name`` of the repository in cards and snippets."""
        ...

    def versions(self) -> list[Version]:
        """Return all complete versions, lowest first."""
        ...

    def manifest(self, version: Version) -> Manifest:
        """Return the manifest of ``version``; raise ``NoSuchVersion``."""
        ...

    def path_of(self, version: Version) -> str:
        """Return the folder or the address of ``version``; raise ``NoSuchVersion``."""
        ...

    def read(self, version: Version, path: str) -> bytes:
        """Return the bytes of one file of ``version``; raise ``NoSuchVersion``."""
        ...

    def require_rights(self) -> None:
        """Raise ``HubError`` unless versions may be published here; asked before anything is read or built."""
        ...

    def open_to_all(self, public: bool = False) -> bool:
        """Return True if everyone will be able to read what is published here; ``public``: as given to :meth:`publish`.

        Raises ``HubError`` if ``public`` asks for what the hub would refuse.
        """
        ...

    def establish(self, write: bool = True) -> str:
        """Make what readers get by default the highest version, and return a sentence on what it was.

        What stopped runs left is finished or taken back. Every run that may write does this first; without ``write``
        nothing is changed, and the hub answers from now on as if it had been.
        """
        ...

    def staging(self) -> AbstractContextManager[Path]:
        """Yield an empty local folder to build a version in; removed on the way out, published or not."""
        ...

    def publish(self, staged: Path, manifest: Manifest, public: bool = False) -> PublishResult:
        """Make the release in ``staged`` visible as ``manifest.version``, all or nothing.

        The same version with the same bytes is a no-op. Raises ``VersionConflict`` if it exists with other bytes,
        ``DamagedRelease`` if ``staged`` differs from ``manifest``. ``public`` applies to hubs that can be private.
        """
        ...
