"""Find and read the packs: the built-in one, and those in ``RAINBOW_CHORDS``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.door import RefusedFile, inside
from rainbow_assets.errors import BUG, RainbowError, bug
from rainbow_assets.harmony.layouts import is_key_folder
from rainbow_assets.harmony.model import Pack, pack_anomaly
from rainbow_assets.harmony.pack_files import MIDI_SUFFIXES, read_files
from rainbow_assets.harmony.packs import build_pack
from rainbow_assets.harmony.theory import NAME, theory_pack
from rainbow_assets.ingest.digests import FileDigests
from rainbow_assets.ingest.names import listing, shown
from rainbow_assets.ingest.unmoved import SourceMoved
from rainbow_assets.storage.shard import Shard

ARCHIVES = (".tar.gz", ".tgz", ".tar")
_REFUSED = "packs"
"""The name of packs whose own cannot be used."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]*")


def pack_places(root: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the packs in ``root`` by name, and {file name: why it is none}, both sorted.

    A pack is a folder or a tar archive in ``root``, or ``root`` itself if it contains folders of keys (``01 - C Major -
    A Minor``). Two packs of the same name are none, and neither is a link out of ``root``, or a name that cannot be
    part of a file name in the store.
    """
    if not root.is_dir():
        return {}, {}
    listed = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    if any(path.is_dir() and is_key_folder(path.name) for path in listed):
        listed = [root]
    found: dict[str, Path] = {}
    refused: dict[str, str] = {}
    for path in listed:
        ending = next((ending for ending in ARCHIVES if path.name.endswith(ending)), "")
        if not path.is_dir() and not ending:
            continue
        name = path.name.removesuffix(ending)
        if not inside(path, root):
            file = shown(path.name)
            refused[file] = f"the chord pack {file} is a link out of the folder; copy it into the folder"
        elif name in (NAME, *found) or not _NAME.fullmatch(name):
            file = shown(path.name)
            refused[file] = (f"the chord pack {file} cannot be called {shown(name)!r}: the name is taken, or has "
                             "characters other than letters, digits, dots, dashes and spaces; rename it")
        else:
            found[name] = path
    return found, refused


def source_token(shard: Shard) -> str:
    """Return a digest of all files of the packs (cached by stat), without the built-in pack, which is code."""
    root = settings.roots().chords
    return digest(_digests(root, shard.store.cache_path("chord_pack_digests.json")))


def _digests(root: Path, cache: Path | None) -> dict[str, dict[str, str]]:
    """Return {pack: {file: sha256, or why it is not read}}; a name that is refused has no files."""
    digests, (places, refused) = FileDigests(root, cache), pack_places(root)
    found: dict[str, dict[str, str]] = {name: {} for name in refused}
    for name, path in places.items():
        found[name] = {}
        for file, why in _files(path, root).items():
            try:
                found[name][file] = why or digests.digest(file)
            except RefusedFile as error:
                found[name][file] = str(error)
            except OSError as error:  # its message would name a folder of this machine
                found[name][file] = error.strerror or type(error).__name__
    digests.save()
    return found


def _files(pack: Path, root: Path) -> dict[str, str | None]:
    """Return {path relative to ``root``: why it is not read} of the archive, or of the MIDI files of the pack."""
    base = pack.relative_to(root).as_posix()
    if not pack.is_dir():
        return {base: None}
    try:
        below = listing(pack)
    except OSError as error:
        return {base: error.strerror or type(error).__name__}
    prefix = "" if base == "." else f"{base}/"
    files = {name: None for name in below.names if name.lower().endswith(MIDI_SUFFIXES)} | dict(below.odd)
    return {prefix + name: why for name, why in files.items()}


@lru_cache(maxsize=1)
def read_packs(root: Path, token: str) -> tuple[Pack, ...]:
    """Return the packs of ``root``, the built-in one first; cached for the state of the files with digest ``token``.

    A pack that cannot be read has an anomaly and nothing else. Raises ``SourceMoved`` if a file has changed since
    ``token`` was computed, so that rows fit the recorded digests.
    """
    (places, refused), listed = pack_places(root), _digests(root, None)
    packs = [theory_pack(), *(_unusable(_REFUSED, file, why) for file, why in refused.items())]
    for name, path in places.items():
        try:
            files = read_files(path, name)
            packs.append(build_pack(files))
        except RainbowError as error:
            packs.append(_unusable(name, path.name, str(error)))
        except Exception as error:
            packs.append(_unusable(name, path.name, bug(error, f"the chord pack {path.name}"), BUG))
        else:
            listed[name].update({(path / file).relative_to(root).as_posix(): sha256
                                 for file, sha256 in files.read.items()})
    if digest(listed) != token:
        raise SourceMoved("a chord pack")
    return tuple(packs)


def _unusable(name: str, file: str, why: str, kind: str = "unusable_pack") -> Pack:
    return Pack(name, "", 0, (), (), (pack_anomaly(file, kind, why),))
