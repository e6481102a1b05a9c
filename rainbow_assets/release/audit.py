"""`rainbow verify`: compare a published version with its manifest, its raw files and the local ledgers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from rainbow_assets.ingest.names import closest
from rainbow_assets.release import consistency
from rainbow_assets.release.hubs import Hub
from rainbow_assets.release.manifest import Manifest, key_of
from rainbow_assets.release.versions import Version
from rainbow_assets.storage.parquet import open_parquet, read_parquet

BASE = "base_manifest"
_NAMES = ("id", "stem_id", "lrc_file", "main_audio_file", "audio_file", "midi_file", "midi_group_file")
_DIGESTS = {"main_audio_file": "main_audio_sha256", "audio_file": "audio_sha256", "midi_file": "midi_sha256",
            "midi_group_file": "midi_sha256"}
"""Column of a file name -> column of its digest. A null digest means that the named file was missing."""


def verify(hub: Hub, version: Version, local: dict[str, Any] | None, rows: bool = False) -> dict[str, Any]:
    """Hash every file of ``version`` again, compare its tables with each other, and its edges with its shards.

    ``local``, if given, is the provenance of the local ledgers (``facts.provenance``).

    Returns plain values: ``problems`` (sentences; empty is good), ``differs`` (what is different in the local ledgers:
    the version is still valid, but the data here has changed since), ``songs`` (song -> raw file -> sha256),
    ``rows_traced`` (number of rows traced to raw files), ``rows_without_song`` (config -> number of rows that belong to
    no song), and with ``rows`` also config -> key -> raw files.
    """
    manifest = hub.manifest(version)
    problems, traced, count = consistency.edges(manifest.provenance), dict[str, dict[str, list[str]]](), 0
    tables = consistency.Tables()
    songless: dict[str, int] = {}
    songs = manifest.provenance.get("raw_files", {})
    # The base manifest comes first: rows of the other tables are traced through its stems.
    stems: dict[str, list[str]] = {}
    for entry in sorted(manifest.files, key=lambda entry: (entry.config != BASE, entry.path)):
        data = hub.read(version, entry.path)
        if len(data) != entry.bytes:
            problems.append(f"{entry.path} has {len(data):,} bytes, not {entry.bytes:,}")
        elif hashlib.sha256(data).hexdigest() != entry.sha256:
            problems.append(f"{entry.path} does not have the sha256 that the manifest lists")
        elif entry.config is not None:
            tables.add(entry.config, entry.path, data, entry.split)
            if entry.config == BASE:
                stems.update(_stems(data, songs))
            column = key_of(entry.config)
            if column not in ("segment_id", "stem_id") or column not in manifest.configs[entry.config].columns:
                songless[entry.config] = songless.get(entry.config, 0) + (entry.rows or 0)
                continue
            for key, files in _trace(data, column, stems):
                unlisted = [file for file in files
                            for song, _, name in [file.partition("/")] if name not in songs.get(song, {})]
                if not files or unlisted:
                    problems.append(f"{entry.path}: the row {key} comes from {', '.join(unlisted) or 'no song'}, which "
                                    "the manifest does not list")
                    continue
                count += 1
                traced.setdefault(entry.config, {})[key] = files
    problems += tables.problems()
    if not stems:
        problems.append(f"the version has no readable {BASE}, so no row can be traced to its raw files")
    return {"version": str(version), "files": len(manifest.files), "bytes": manifest.bytes, "problems": problems,
            "differs": _differs(manifest, local) if local is not None else [], "songs": songs, "rows_traced": count,
            "rows_without_song": songless,
            **({"rows": traced} if rows else {})}


def _stems(data: bytes, songs: dict[str, Any]) -> dict[str, list[str]]:
    """Return {stem id: raw files} of one file of the base manifest; a song's mix is its stem 00.

    ``songs`` are the raw files by song: a manifest's name may differ from ``<id>.yml`` in its case.
    """
    found: dict[str, list[str]] = {}
    with open_parquet(data) as file:
        columns = set(file.schema_arrow.names)
        if not set(_NAMES) <= columns:
            return {}
        for row in read_parquet(data, [*_NAMES, *sorted(set(_DIGESTS.values()) & columns)]).to_pylist():
            row.update({name: None for name, digest in _DIGESTS.items() if row.get(digest, "") is None})
            both = [closest(f"{row['id']}.yml", songs.get(row["id"], {})), row["lrc_file"]]
            own = [row["audio_file"], row["midi_file"] or row["midi_group_file"]]
            found[row["stem_id"]] = [f"{row['id']}/{name}" for name in [*both, *own] if name]
            mix = [f"{row['id']}/{name}" for name in [*both, row["main_audio_file"]] if name]
            found[f"{row['id']}_t00"] = mix
    return found


def _trace(data: bytes, column: str, stems: dict[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield (key, raw files) for the rows of a data file; ``column`` contains ids of segments or stems."""
    if not stems:
        return
    for value in read_parquet(data, [column])[column].to_pylist():
        stem = value if column == "stem_id" else str(value).rpartition("_")[0]
        yield str(value), stems.get(stem, [])


def _differs(manifest: Manifest, local: dict[str, Any]) -> list[str]:
    found = []
    for asset, colors in sorted(manifest.provenance.get("shards", {}).items()):
        now = local["shards"].get(asset, {})
        moved = [color for color, data_version in colors.items() if now.get(color) != data_version]
        if moved:
            found.append(f"{asset}: the local rows of {', '.join(moved)} have changed since")
    for song, files in sorted(manifest.provenance.get("raw_files", {}).items()):
        now = local.get("raw_files", {}).get(song, {})
        moved = [name for name, sha256 in sorted(files.items()) if now.get(name) != sha256]
        if moved:
            found.append(f"song {song}: the local files {', '.join(moved)} have changed since")
    return found
