"""The folder that the demo writes to: marked as its own, so that a person's songs are never overwritten."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rainbow_assets.corpus.reader import FOLDER, song_folders
from rainbow_assets.errors import UsageError

MARKER = ".rainbow-demo.json"


@dataclass(frozen=True, slots=True)
class _Marker:
    """The marker of an earlier run: the kind of output and its songs."""

    kind: str | None = None
    songs: frozenset[str] = frozenset()


def claim(out: Path, kind: str, songs: Iterable[str], replace: bool) -> None:
    """Prepare ``out`` for ``songs`` and write them into its marker.

    The marker comes before the first song: a run that is killed leaves songs that the next run knows as its own. With
    ``replace``, songs of an earlier run that are not in ``songs`` are removed. Raises ``UsageError`` if ``out`` has
    songs that this program did not write, or another kind of output.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder to write to")
    out.mkdir(parents=True, exist_ok=True)
    earlier, wanted = _earlier(out), frozenset(songs)
    strangers = sorted({folder.name for folder in song_folders(out)} - earlier.songs)
    if strangers:
        raise UsageError(f"{out} has songs that this command did not write ({', '.join(strangers[:3])}); "
                         "name an empty folder, so that nothing is overwritten")
    if earlier.kind not in (None, kind):
        raise UsageError(f"{out} contains {earlier.kind}, not {kind}; name another folder")
    for name in sorted(earlier.songs - wanted) if replace else ():
        if (out / name).is_dir():
            shutil.rmtree(out / name)
    kept = wanted if replace else wanted | earlier.songs
    document = {"kind": kind, "songs": sorted(kept)}
    (out / MARKER).write_text(json.dumps(document, indent=1) + "\n", "utf-8", newline="\n")


def _earlier(out: Path) -> _Marker:
    path = out / MARKER
    if not path.exists():
        return _Marker()
    try:
        document = json.loads(path.read_text("utf-8"))
        names = frozenset(str(song) for song in document["songs"] if FOLDER.match(str(song)))
        return _Marker(str(document["kind"]), names)
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} cannot be read; delete the folder and write the songs again") from None
