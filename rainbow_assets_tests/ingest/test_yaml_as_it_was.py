"""Every real YAML file is read as it was: values, tags and marked scalars with their places, remarks, refusals.

``yaml_as_it_was.json`` holds one digest per folder. A change on purpose writes it again:

    python -m rainbow_assets_tests.ingest.test_yaml_as_it_was
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import astuple
from pathlib import Path

from rainbow_assets.ingest import yaml_strict, yaml_tolerant
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets_tests.threads.places import SHARED, needs_shared

KEPT = Path(__file__).with_name("yaml_as_it_was.json")


def tolerant(data: bytes) -> str:
    """What the rules for threads make of ``data``."""
    try:
        found = yaml_tolerant.parse_text(data.decode(), "x", watch=lambda text: "/" in text)
    except UnreadableYaml as error:
        return f"{error.kind} {error.line}"
    return repr((found.value, *([astuple(item) for item in items] for items in (found.tags, found.marked, found.notes))))


def strict(data: bytes) -> str:
    """What the rules for songs make of ``data``."""
    try:
        return repr(yaml_strict.load(data))
    except UnreadableYaml as error:
        return f"refused {error.line}"


def made() -> dict[str, str]:
    """Digest of each folder: an album for songs, a thread for threads."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(SHARED.rglob("*.yml")):
        place, data = path.relative_to(SHARED), path.read_bytes()
        folder = f"corpus/{path.name[:2]}" if place.parts[0] == "corpus" else "/".join(place.parts[:-1][:3])
        found[folder] += [place.as_posix(), tolerant(data), strict(data)]
    return {folder: hashlib.sha256("\n".join(texts).encode()).hexdigest()[:32] for folder, texts in found.items()}


@needs_shared
def test_real_files_are_read_as_they_were() -> None:
    assert made() == json.loads(KEPT.read_text("utf-8"))


if __name__ == "__main__":
    KEPT.write_text(json.dumps(made(), indent=1) + "\n", "utf-8", newline="\n")
