"""The files of a chord pack: a folder, a tar archive (read in memory, never extracted) or a mapping of bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rainbow_assets.door import RefusedFile, opened, read_file
from rainbow_assets.harmony.model import pack_anomaly
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.ingest.names import listing
from rainbow_assets.music.errors import PackError

MIDI_SUFFIXES = (".mid", ".midi")
MAX_FILE_BYTES = 1_000_000
"""A larger file is not read; chords and progressions are far smaller."""
MAX_ARCHIVE_BYTES = 1_000_000_000
"""Largest unpacked size of an archive. Without a limit, a small archive could fill the memory."""
MAX_MEMBERS = 30_000
"""Most entries of an archive; each costs time, and the largest known pack has 13,536 files."""

PackSource = Path | str | Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PackFiles:
    """The MIDI files by relative path, sorted, the anomalies of unusable files, and a digest of paths and bytes.

    The digest is the same for a folder, a tar archive of it and a mapping of its files.
    """

    name: str
    files: tuple[tuple[str, bytes], ...]
    anomalies: tuple[Anomaly, ...]
    digest: str
    read: Mapping[str, str] = field(default_factory=dict)
    """{path: sha256} of the bytes that were read from disk; an archive has the path ""."""


def read_files(source: PackSource, name: str | None = None) -> PackFiles:
    """Return the MIDI files of ``source``; raise ``PackError`` if it cannot be read at all.

    Other files of a pack (readme, license) are ignored. Paths that lead out of the pack are anomalies.
    """
    read: dict[str, str] = {}
    if isinstance(source, Mapping):
        found: Iterator[tuple[str, bytes | str]] = iter(sorted(source.items()))
        label = name or "memory"
    else:
        path = Path(source)
        label = name or path.name.removesuffix(".gz").removesuffix(".tgz").removesuffix(".tar")
        if path.is_dir():
            found = _folder(path, read)
        elif path.exists():
            found = _tar(path, read)
        else:
            raise PackError(f"there is no chord pack at {path}; give a folder or a .tar.gz, or use the built-in pack")
    files: dict[str, bytes] = {}
    anomalies: list[Anomaly] = []
    for raw, data in found:
        relative = _safe(raw)
        if not raw.lower().endswith(MIDI_SUFFIXES):
            continue
        if isinstance(data, str):
            anomalies.append(pack_anomaly(raw, "odd_file", data))
        elif relative is None:
            anomalies.append(pack_anomaly(raw, "unsafe_path", "the path leads out of the pack"))
        elif len(data) > MAX_FILE_BYTES:
            anomalies.append(pack_anomaly(relative, "too_large", f"it has over {MAX_FILE_BYTES:,} bytes"))
        else:
            files[relative] = data
    ordered = tuple(sorted(files.items()))
    return PackFiles(label, ordered, tuple(sorted(anomalies)), _digest(ordered), read)


def _safe(raw: str) -> str | None:
    """Return ``raw`` as a clean relative path, or None if it is absolute or leads out of the pack."""
    path = PurePosixPath(raw.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        return None
    return str(path)


def _folder(root: Path, read: dict[str, str]) -> Iterator[tuple[str, bytes | str]]:
    """Yield the files of a folder; instead of its content, why a file is not read."""
    try:
        below = listing(root)
    except OSError as error:
        raise PackError(f"the chord pack {root.name} cannot be listed ({error.strerror}); correct that") from None
    yield from below.odd.items()
    for name in below.names:
        if not name.lower().endswith(MIDI_SUFFIXES):
            continue
        try:
            if (root / name).stat().st_size > MAX_FILE_BYTES:
                yield name, bytes(MAX_FILE_BYTES + 1)  # not read, and reported by its length
                continue
            data = read_file(root / name, MAX_FILE_BYTES, root)
        except FileNotFoundError:
            continue  # it went after the listing, which a build compares with what it read
        except RefusedFile as error:
            yield name, str(error)
            continue
        read[name] = hashlib.sha256(data).hexdigest()
        yield name, data


def _tar(path: Path, read: dict[str, str]) -> Iterator[tuple[str, bytes | str]]:
    """Yield the regular files of a tar or tar.gz. Links and devices are skipped, because they have no bytes."""
    try:
        with opened(path) as stream:
            packed = stream.read(MAX_ARCHIVE_BYTES + 1)
        read[""] = hashlib.sha256(packed).hexdigest()
        with gzip.open(io.BytesIO(packed)) if packed[:2] == b"\x1f\x8b" else io.BytesIO(packed) as unpacked:
            whole = unpacked.read(MAX_ARCHIVE_BYTES + 1)
        if len(whole) > MAX_ARCHIVE_BYTES:
            raise PackError(f"the chord pack {path.name} unpacks to more than {MAX_ARCHIVE_BYTES} bytes; unpack it "
                            "yourself and give the folder")
        with tarfile.open(fileobj=io.BytesIO(whole), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= MAX_MEMBERS:
                    raise PackError(f"the chord pack {path.name} has more than {MAX_MEMBERS:,} entries; unpack it "
                                    "yourself and give the folder")
                if member.isreg():
                    yield member.name, whole[member.offset_data : member.offset_data + member.size]
    except (OSError, EOFError, zlib.error, tarfile.TarError, RefusedFile) as error:
        raise PackError(f"the chord pack {path.name} is not a readable tar or tar.gz: {error}") from error


def _digest(files: tuple[tuple[str, bytes], ...]) -> str:
    seen = hashlib.sha256()
    for path, data in files:
        seen.update(f"{len(path)}:{path}:{len(data)}:".encode("utf-8", "surrogatepass"))
        seen.update(data)
    return seen.hexdigest()[:32]
