"""Facts and texts about published versions for the command line."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from rainbow_assets import settings
from rainbow_assets.layout import Lines, layout
from rainbow_assets.release.directory_hub import DirectoryHub
from rainbow_assets.release.hubs import Hub
from rainbow_assets.release.versions import Version
from rainbow_assets.text import counted


def published(roots: settings.Roots, version: str | None = None, hub: Hub | None = None) -> dict[str, Any]:
    """Return version, folder or address, rows and bytes of a published version (None: the highest) as plain values.

    ``hub`` None: the folder hub below ``roots.data``.
    """
    hub = hub or DirectoryHub(f"{roots.data.rstrip('/')}/hub")
    chosen = Version.parse(version) if version else hub.versions()[-1]
    manifest = hub.manifest(chosen)
    return {
        "version": str(chosen), "location": hub.path_of(chosen), "bytes": manifest.bytes,
        "files": len(manifest.files), "configs": {name: entry.rows for name, entry in manifest.configs.items()},
    }


def hear(roots: settings.Roots, version: str | None = None, hub: Hub | None = None) -> Lines:
    """Return the last lines of a build: what was published, and how to load it and listen to it."""
    found = published(roots, version, hub)
    rows = ", ".join(f"{name} {count:,}" for name, count in found["configs"].items())
    summary = [f"published v{found['version']}: {counted(found['files'], 'file')}, {found['bytes'] / 1e6:.1f} MB "
               f"({rows} rows)"]
    where = str(found["location"])
    if where.startswith("hf://"):
        name, _, revision = where.removeprefix("hf://datasets/").rpartition("@")
        return layout([*summary, f"load it:  datasets.load_dataset({name!r}, \"preview\", split=\"train\", "
                                 f"revision={revision!r})"])
    return layout([
        *summary, f"load it:  datasets.load_dataset({_arguments(where)}, split=\"train\")",
        f"hear it:  {(Path(where) / 'listen.html').absolute().as_uri()}",
    ])


def _arguments(folder: str) -> str:
    """Return how ``load_dataset`` is asked for the previews of the version in ``folder``.

    It takes a folder's path for a pattern, so a folder with ``[`` in its name is loaded by an escaped pattern instead.
    """
    escaped = glob.escape(folder)
    if escaped == folder:
        return f'{folder!r}, "preview"'
    return f'"parquet", data_files={f"{escaped}/preview/*.parquet"!r}'
