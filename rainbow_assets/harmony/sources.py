"""Find and read the packs: the built-in one, and those in ``RAINBOW_CHORDS``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.harmony.layouts import is_key_folder
from rainbow_assets.harmony.model import Pack
from rainbow_assets.harmony.pack_files import MIDI_SUFFIXES, read_files
from rainbow_assets.harmony.packs import build_pack
from rainbow_assets.harmony.theory import NAME, theory_pack
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.music.errors import PackError
from rainbow_assets.storage.shard import Shard

ARCHIVES = (".tar.gz", ".tgz", ".tar")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")


def pack_places(root: Path) -> dict[str, Path]:
    """Return the packs in ``root`` by name, sorted: each folder and each tar archive, or ``root`` itself.

    ``root`` itself is the pack if it contains folders of keys (``01 - C Major - A Minor``). Raises ``PackError`` if two
    packs have the same name, or if a name cannot be part of a file name in the store.
    """
    if not root.is_dir():
        return {}
    inside = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    if any(path.is_dir() and is_key_folder(path.name) for path in inside):
        inside = [root]
    found: dict[str, Path] = {}
    for path in inside:
        ending = next((ending for ending in ARCHIVES if path.name.endswith(ending)), "")
        if not path.is_dir() and not ending:
            continue
        name = path.name.removesuffix(ending)
        if name in (NAME, *found) or not _NAME.fullmatch(name):
            raise PackError(f"the chord pack {path.name} cannot be called {name!r}: the name is taken, or has "
                            "characters other than letters, digits, dots, dashes and spaces; rename it")
        found[name] = path
    return found


def source_token(shard: Shard) -> str:
    """Return a digest of all files of the packs (cached by stat), without the built-in pack, which is code."""
    root = settings.roots().chords
    return digest(_digests(root, shard.store.cache_path("chord_pack_digests.json")))


def _digests(root: Path, cache: Path | None) -> dict[str, dict[str, str]]:
    digests = FileDigests(root, cache)
    found = {name: {file: digests.digest(file) for file in _files(path, root)}
             for name, path in pack_places(root).items()}
    digests.save()
    return found


def _files(pack: Path, root: Path) -> list[str]:
    """Return the archive or the MIDI files of a pack, relative to ``root``, sorted; linked folders are not entered."""
    if pack.is_file():
        return [pack.relative_to(root).as_posix()]
    return sorted(path.relative_to(root).as_posix() for path in pack.rglob("*")
                  if path.suffix.lower() in MIDI_SUFFIXES and path.is_file())


@lru_cache(maxsize=1)
def read_packs(root: Path, token: str) -> tuple[Pack, ...]:
    """Return the packs of ``root``, the built-in one first; cached for the state of the files with digest ``token``.

    Raises ``SourceMoved`` if a file has changed since ``token`` was computed, so that rows fit the recorded digests.
    """
    packs, listed = [theory_pack()], _digests(root, None)
    for name, path in pack_places(root).items():
        files = read_files(path, name)
        packs.append(build_pack(files))
        listed[name].update({(path / file).relative_to(root).as_posix(): sha256 for file, sha256 in files.read.items()})
    if digest(listed) != token:
        raise SourceMoved("a chord pack")
    return tuple(packs)
