"""`rainbow verify`: a published version against its manifest, and against what the ledgers here say of its rows."""

from __future__ import annotations

import hashlib
from typing import Any

from rainbow_assets.release.hubs import Hub
from rainbow_assets.release.manifest import Manifest
from rainbow_assets.release.versions import Version


def verify(hub: Hub, version: Version, local: dict[str, Any] | None) -> dict[str, Any]:
    """Hash every file of ``version`` again; compare its provenance with ``local`` (``facts.provenance``), if given.

    Returns plain values: ``problems`` (sentences; empty is good), ``differs`` (what the ledgers say otherwise, by
    name: the version stands, the data here has moved on), ``songs`` (song -> raw file -> sha256 of its rows' sources).
    """
    manifest = hub.manifest(version)
    problems = []
    for entry in manifest.files:
        data = hub.read(version, entry.path)
        if len(data) != entry.bytes:
            problems.append(f"{entry.path} has {len(data):,} bytes, not {entry.bytes:,}")
        elif hashlib.sha256(data).hexdigest() != entry.sha256:
            problems.append(f"{entry.path} does not have the sha256 that the manifest lists")
    return {"version": str(version), "files": len(manifest.files), "bytes": manifest.bytes, "problems": problems,
            "differs": _differs(manifest, local) if local is not None else [],
            "songs": manifest.provenance.get("raw_files", {})}


def _differs(manifest: Manifest, local: dict[str, Any]) -> list[str]:
    found = []
    for asset, colors in sorted(manifest.provenance.get("shards", {}).items()):
        now = local["shards"].get(asset, {})
        moved = [color for color, data_version in colors.items() if now.get(color) != data_version]
        if moved:
            found.append(f"{asset}: other rows here now in {', '.join(moved)}")
    return found
