"""In which published versions a row is."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow.compute as pc
import pyarrow.dataset as ds

from rainbow_assets import settings
from rainbow_assets.release.directory_hub import DirectoryHub

CONFIG = "training_segments"


def releases_of(roots: settings.Roots, segments: Iterable[str]) -> list[str]:
    """Return the tags of the folder hub's versions that hold any of ``segments`` (stems; a mix is in no table)."""
    wanted = sorted(segments)
    hub = DirectoryHub(f"{roots.data.rstrip('/')}/hub")
    found = []
    for version in hub.versions() if wanted else []:
        files = [f"{hub.path_of(version)}/{entry.path}" for entry in hub.manifest(version).files
                 if entry.config == CONFIG]
        if files and ds.dataset(files, format="parquet").count_rows(filter=pc.field("segment_id").isin(wanted)):
            found.append(version.tag)
    return found
