"""`manifest.json`: every file of a version with size and sha256, the shape of every config, and the provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rainbow_assets.errors import RainbowError
from rainbow_assets.release.bundle import Bundle, BundleConfig
from rainbow_assets.release.changelog import ChangelogEntry
from rainbow_assets.release.song_records import SongRecord, summed
from rainbow_assets.release.versions import BadVersion, Shape, Version

NAME = "manifest.json"
FORMAT = 1
SOURCES = {"training_segments": ("segments",), "training_full": ("segments",), "audio": ("segment_media",),
           "midi": ("segment_media",), "threads": ("thread_manifests",), "human_evaluation": ("human_evaluation",),
           "embeddings": ("concept_embeddings", "lyric_embeddings", "audio_embeddings")}
"""The assets whose settings define the rows of a config; by default the asset with the config's name."""
KEYS = {"base_manifest": "stem_id", "threads": "thread_id", "human_evaluation": "evaluation_id"}
SEGMENTS = ("preview", "preview_mix", "audio", "midi", "training_segments", "training_full", "embeddings")


def key_of(config: str) -> str | None:
    """Return the column with the keys of ``config``, or None if this program does not know the table."""
    return "segment_id" if config in SEGMENTS else KEYS.get(config)


class DamagedRelease(RainbowError):
    """A release whose manifest cannot be read, or whose files are not what it lists."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file; ``path`` is relative, with ``/``. The other fields are null or empty unless it has rows.

    Versions made before there were splits have no ``split`` and no ``songs``.
    """

    path: str
    bytes: int
    sha256: str
    rows: int | None = None
    config: str | None = None
    color: str | None = None
    split: str | None = None
    songs: Mapping[str, SongRecord] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return plain JSON values; without a split, those of earlier manifests, whose digests must stay."""
        found = {"path": self.path, "bytes": self.bytes, "sha256": self.sha256, "rows": self.rows,
                 "config": self.config, "color": self.color}
        if self.split is None:
            return found
        return {**found, "split": self.split, "songs": {song: own.document() for song, own in self.songs.items()}}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> FileEntry:
        """Read what :meth:`document` returned; raise ValueError, KeyError, TypeError or AttributeError."""
        songs = {song: SongRecord.parse(document["split"], own) for song, own in document.get("songs", {}).items()}
        return cls(**{**document, "songs": songs})


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """The shape of one config: rows, rows per color (zeros included) and split, columns as name -> type."""

    rows: int
    colors: Mapping[str, int]
    columns: Mapping[str, str]
    default: bool = False
    splits: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return plain JSON values. Columns are pairs, for they keep their order, which a sorted object would lose."""
        found = {"rows": self.rows, "colors": dict(self.colors), "default": self.default,
                 "columns": [list(pair) for pair in self.columns.items()]}
        return {**found, "splits": dict(self.splits)} if self.splits else found


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``manifest.json``; the manifest itself is not among ``files``.

    ``provenance`` holds plain JSON values: data versions of shards, code versions, encoder specs, library versions.
    ``changes`` is the changelog, newest version first.
    """

    version: Version
    files: tuple[FileEntry, ...]
    configs: Mapping[str, ConfigEntry]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[ChangelogEntry, ...] = ()

    def to_json(self) -> bytes:
        """Return the manifest as JSON, with sorted keys and one newline at the end."""
        document = {
            "format": FORMAT, "version": str(self.version), "provenance": self.provenance,
            "changes": [change.document() for change in self.changes],
            "files": [entry.document() for entry in sorted(self.files, key=lambda entry: entry.path)],
            "configs": {name: entry.document() for name, entry in self.configs.items()},
        }
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes, where: str = NAME) -> Manifest:
        """Parse ``data``; raise ``DamagedRelease`` naming ``where``."""
        try:
            document = json.loads(data)
            if document["format"] != FORMAT:
                raise DamagedRelease(f"{where} has format {document['format']!r}, not {FORMAT}; it was written by "
                                     "another version of this program, use that one")
            files = tuple(FileEntry.parse(entry) for entry in document["files"])
            configs = {name: ConfigEntry(**{**entry, "columns": dict(entry["columns"])})
                       for name, entry in document["configs"].items()}
            for entry in files:
                path = PurePosixPath(entry.path)
                if path.is_absolute() or ".." in path.parts or str(path) != entry.path or entry.path == NAME:
                    raise DamagedRelease(f"{where} lists the file {entry.path!r}, which is not a path inside a release")
            # Manifests written before there was a changelog have none.
            changes = tuple(ChangelogEntry.parse(entry) for entry in document.get("changes", []))
            return cls(Version.parse(document["version"]), files, configs, document["provenance"], changes)
        except (ValueError, KeyError, TypeError, AttributeError, BadVersion) as error:
            raise DamagedRelease(f"{where} is not a manifest of a release ({error})") from error

    @property
    def digest(self) -> str:
        """Sha256 of the serialized manifest: equal for two versions with the same bytes."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def bytes(self) -> int:
        """Sum of the listed files' sizes."""
        return sum(entry.bytes for entry in self.files)

    def shapes(self) -> dict[str, Shape]:
        """Return what :func:`rainbow_assets.release.versions.propose` compares. A thread is not counted as a song."""
        return {name: Shape(
            entry.columns, entry.rows, self._meaning(name), {color for color, rows in entry.colors.items() if rows},
            set(entry.splits), summed(file.songs for file in self.files if file.config == name and name != "threads"),
        ) for name, entry in self.configs.items()}

    def _meaning(self, config: str) -> dict[str, str]:
        """Return the settings that define a config's rows. The number of rows of a preview does not: it is left out."""
        made_with = self.provenance.get("made_with", {})
        found = {}
        for asset in SOURCES.get(config, (config,)):
            values = made_with.get(asset, {}).get("settings", {})
            # By asset, because concepts, lyrics and audio have their encoders under the same name.
            found.update({f"{name} of {asset}": str(value) for name, value in values.items()
                          if not name.startswith("preview.")})
        return found

    def problems(self, folder: Path) -> list[str]:
        """Hash every file below ``folder`` and return a sentence for each that is missing, changed or not listed."""
        found = []
        listed = {entry.path: entry for entry in self.files}
        present = set(files_below(folder)) - {NAME}
        for path in sorted({*listed, *present}):
            if path not in present:
                found.append(f"{path} is listed in {NAME} but is missing")
            elif path not in listed:
                found.append(f"{path} is not listed in {NAME}")
            elif (size := (folder / path).stat().st_size) != listed[path].bytes:
                found.append(f"{path} has {size:,} bytes, {NAME} lists {listed[path].bytes:,}")
            elif sha256_of(folder / path) != listed[path].sha256:
                found.append(f"{path} does not have the sha256 that {NAME} lists")
        return found


def make_manifest(
    folder: Path, version: Version, bundle: Bundle, provenance: Mapping[str, Any],
    changes: tuple[ChangelogEntry, ...] = (),
) -> Manifest:
    """Return the manifest of the release in ``folder``: the bundle's files, and the other ones (hashed here)."""
    entries = {file.path: FileEntry(file.path, file.bytes, file.sha256, file.rows, file.config, file.color,
                                    file.split, file.songs) for file in bundle.files}
    for path in files_below(folder):
        if path not in entries and path != NAME:
            entries[path] = FileEntry(path, (folder / path).stat().st_size, sha256_of(folder / path))
    configs = {config.table.config: _config_entry(config) for config in bundle.configs}
    files = tuple(entries[path] for path in sorted(entries))
    return Manifest(version, files, configs, json.loads(json.dumps(provenance, allow_nan=False)), changes)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into ``folder``; it must be the last file of a release."""
    (folder / NAME).write_bytes(manifest.to_json())


def read_manifest(folder: Path, where: str) -> Manifest:
    """Read ``manifest.json`` of ``folder``; raise ``DamagedRelease`` naming ``where``."""
    try:
        return Manifest.from_json((folder / NAME).read_bytes(), f"{where}/{NAME}")
    except OSError as error:
        raise DamagedRelease(f"{where} has no readable {NAME}, so it is not a release") from error


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of all files below ``folder``, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _config_entry(config: BundleConfig) -> ConfigEntry:
    columns = {item.name: str(item.type) for item in config.table.schema}
    return ConfigEntry(config.rows, config.rows_by_color(), columns, config.table.default, config.rows_by_split())
