"""Finding the published versions that contain a row."""

from __future__ import annotations

from collections.abc import Iterable

from rainbow_assets import settings
from rainbow_assets.release.directory_hub import DirectoryHub
from rainbow_assets.storage.parquet import read_parquet, rows_of

CONFIG, KEY = "training_segments", "segment_id"


def releases_of(roots: settings.Roots, segments: Iterable[str]) -> list[str]:
    """Return the tags of the folder hub's versions that contain any of ``segments`` (stems; a mix is in no table)."""
    wanted = sorted(segments)
    hub = DirectoryHub(f"{roots.data.rstrip('/')}/hub")
    found = []
    for version in hub.versions() if wanted else []:
        files = [f"{hub.path_of(version)}/{entry.path}" for entry in hub.manifest(version).files
                 if entry.config == CONFIG]
        if any(len(rows_of(read_parquet(path, [KEY]), KEY, wanted)) for path in files):
            found.append(version.tag)
    return found
