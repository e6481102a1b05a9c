"""A temporary corpus with one change, for `rainbow impact`: links to the real songs, and a copy of the changed one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from rainbow_assets import scratch
from rainbow_assets.corpus.reader import manifest_path, song_folders
from rainbow_assets.corpus.root import corpus_root
from rainbow_assets.door import TEXT_BYTES, read_file
from rainbow_assets.errors import UsageError
from rainbow_assets.ingest import yaml_strict
from rainbow_assets.ingest.names import AmbiguousName, FileNames
from rainbow_assets.ingest.paths import RefusedPath, vet

VARIABLE = "RAINBOW_CORPUS"


@dataclass(frozen=True)
class Hypothesis:
    """One change: the file ``target`` gets the content of ``content``, ``target`` is ``removed``, or the song
    ``target`` gets another ``color``. ``target`` is ``SONG`` or ``SONG/FILE``, with or without folders before it.
    """

    target: str
    content: Path | None = None
    removed: bool = False
    color: str | None = None


@contextmanager
def supposed(hypothesis: Hypothesis) -> Iterator[Path]:
    """Yield a changed corpus, to which ``RAINBOW_CORPUS`` points until the end; the real one is never written to.

    Unchanged songs are links to their folders; the changed song is copied first, so that no change goes through a link.
    Raises ``UsageError`` if ``target`` names no song of the corpus.
    """
    root = corpus_root()
    song, file = _split(hypothesis.target, root)
    if file and hypothesis.color:
        raise UsageError(f"{hypothesis.target!r} is a file, and only songs have a color; name the song")
    if not file and hypothesis.content is not None:
        raise UsageError(f"{hypothesis.target!r} is a song, and only files have content; name one of its files")
    before = os.environ.get(VARIABLE)
    with scratch.folder() as place:
        for path in root.iterdir():
            if path.name != song:
                _show(path.resolve(), place / path.name)
        if file or hypothesis.color:
            shutil.copytree(root / song, place / song)
            _change(place / song, file, hypothesis)
        os.environ[VARIABLE] = str(place)
        try:
            yield place
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def _show(path: Path, at: Path) -> None:
    try:
        at.symlink_to(path, target_is_directory=path.is_dir())
    except OSError:  # Windows lets only privileged users make links
        (shutil.copytree if path.is_dir() else shutil.copyfile)(path, at)


def _split(target: str, root: Path) -> tuple[str, str]:
    """Return (song, file); the file is empty if ``target`` is a whole song."""
    parts, songs = Path(target).parts, {folder.name for folder in song_folders(root)}
    for place, name in enumerate(parts):
        if name in songs:
            return name, "/".join(parts[place + 1:])
    raise UsageError(f"{target!r} is not a song of the corpus {root}; write SONG or SONG/FILE, such as 05_01/05_01.yml")


def _change(folder: Path, file: str, hypothesis: Hypothesis) -> None:
    if hypothesis.color:
        path = manifest_path(folder)
        content = yaml_strict.load(read_file(path, TEXT_BYTES, folder))
        if not isinstance(content, dict):
            raise UsageError(f"{folder.name}/{path.name} is not a manifest, so the song has no color to change")
        path.write_text(yaml.safe_dump({**content, "rainbow_color": hypothesis.color}, sort_keys=False), "utf-8",
                        newline="\n")
        return
    try:
        # A missing file is a new one; any other is found as the manifest's names are.
        path = vet(folder, FileNames(folder).find(file) or file)
    except (RefusedPath, AmbiguousName) as error:
        raise UsageError(f"{hypothesis.target}: {error}") from None
    if hypothesis.removed:
        if not path.is_file():
            raise UsageError(f"{folder.name}/{file} does not exist, so it cannot be removed; name another file")
        path.unlink()
    elif hypothesis.content is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(hypothesis.content, path)
