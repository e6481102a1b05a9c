"""What the command line says about published versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rainbow_assets import settings
from rainbow_assets.release.directory_hub import DirectoryHub
from rainbow_assets.release.versions import Version


def _hub(roots: settings.Roots) -> DirectoryHub:
    return DirectoryHub(f"{roots.data.rstrip('/')}/hub")


def _version(hub: DirectoryHub, version: str | None) -> Version:
    found = Version.parse(version) if version else hub.latest()
    return found or hub.versions()[-1]


def published(roots: settings.Roots, version: str | None = None) -> dict[str, Any]:
    """Return version, folder, rows and bytes of a published version as plain values."""
    hub = _hub(roots)
    chosen = _version(hub, version)
    manifest = hub.manifest(chosen)
    return {
        "version": str(chosen), "location": hub.path_of(chosen), "bytes": manifest.bytes,
        "files": len(manifest.files), "configs": {name: entry.rows for name, entry in manifest.configs.items()},
    }


def hear(roots: settings.Roots, version: str | None = None) -> str:
    """Return the last lines of a build: what was published, and how to hear it."""
    found = published(roots, version)
    rows = ", ".join(f"{name} {count:,}" for name, count in found["configs"].items())
    where = Path(found["location"])
    return "\n".join([
        f"published v{found['version']}: {found['files']} files, {found['bytes'] / 1e6:.1f} MB ({rows} rows)",
        f"hear it:  open {where / 'listen.html'} in a browser",
        f"load it:  datasets.load_dataset({str(where)!r}, \"preview\", split=\"train\")",
    ])
