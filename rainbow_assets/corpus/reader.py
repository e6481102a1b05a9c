"""Reading song folders: each gives a typed song, or a quarantine entry with its reason, and no exception."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.model import Quarantined, SongReading
from rainbow_assets.corpus.outside import report_characters, report_text
from rainbow_assets.corpus.overrides import Overrides, load_overrides
from rainbow_assets.door import TEXT_BYTES, RefusedFile, inside, read_file
from rainbow_assets.errors import RainbowError, UsageError, bug
from rainbow_assets.ingest import yaml_strict
from rainbow_assets.ingest.names import FileNames, Listing, closest, files_below, listing, twins
from rainbow_assets.ingest.yaml_door import UnreadableYaml
from rainbow_assets.taxonomy import COLOR_NAMES, COLORS, UnknownColor, resolve

if TYPE_CHECKING:
    from rainbow_assets.corpus.manifest import ManifestEntry

FOLDER = re.compile(r"^[0-9]{2}_[0-9]{2}$")
ORPHANS = COLOR_NAMES[0]
"""The color whose shard accounts for folders of unknown color."""
MODES = ("evidence", "ms")


def song_folders(root: Path) -> list[Path]:
    """Return the folders of ``root`` named ``<album>_<sequence>``, sorted; raise ``UsageError`` if there is no root."""
    return [path for path in _folders(root) if FOLDER.match(path.name)]


def stray_folders(root: Path) -> list[Path]:
    """Return the other folders of ``root``, except hidden ones, sorted."""
    return [path for path in _folders(root) if not FOLDER.match(path.name) and not path.name.startswith(".")]


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except OSError as error:
        raise UsageError(f"the corpus folder {root} cannot be read ({error.strerror}); set RAINBOW_CORPUS") from None


def song_listing(folder: Path) -> Listing:
    """Return what the song ``folder`` has; if it is not listed, nothing and the reason as that of ``.``."""
    if not inside(folder, folder.parent):
        return Listing((), {".": "it is a link out of the corpus; move the folder into the corpus"})
    try:
        return listing(folder)
    except OSError as error:
        return Listing((), {".": f"it cannot be listed ({error.strerror})"})


def album_color(song_id: str) -> str | None:
    """Return the color of a song's album number, or None."""
    return next((color.name for color in COLORS if color.album_prefix == song_id[:2]), None)


def folder_color(folder: Path) -> str:
    """Return the color whose shard accounts for the folder: its manifest's, else its album's, else the first."""
    try:
        data = read_file(manifest_path(folder), TEXT_BYTES, folder) if inside(folder, folder.parent) else b""
    except (OSError, RefusedFile):
        data = b""
    return _manifest_color(data) or album_color(folder.name) or ORPHANS


def manifest_path(folder: Path) -> Path:
    """Return the path of a song's manifest, whatever the case of its name; it may not exist."""
    exact = folder / f"{folder.name}.yml"
    return exact if exact.is_file() else folder / closest(exact.name, files_below(folder))


@lru_cache(maxsize=1024)
def _manifest_color(data: bytes) -> str | None:
    try:
        document = yaml_strict.load(data)
        return resolve(str(document["rainbow_color"])).name if isinstance(document, dict) else None
    except Exception:  # the reading of the song reports what is wrong; here it only needs a shard
        return None


def read_song(
    folder: Path, root: Path, overrides: Overrides | None = None, timecode: str = "evidence",
    below: Listing | None = None,
) -> SongReading:
    """Read one song folder. ``timecode="ms"`` reads all stamps as milliseconds, hours included, as the original did.

    ``below`` is what the folder has if that is known; by default it is listed.

    Raises ``UsageError`` for an invalid ``corpus.toml``; problems of the song itself are in the reading. So is
    a bug that one of its values meets: it is logged, and the song is quarantined alone.
    """
    notes = AnomalyLog(folder.name)
    try:
        return _read(folder, root, overrides, timecode, below, notes)
    except RainbowError:
        raise
    except Exception as error:
        notes.add("bug", folder.name, "folder", bug(error, f"reading {folder.name}"), "the song is quarantined")
        return _quarantine(folder, notes)


def _read(
    folder: Path, root: Path, overrides: Overrides | None, timecode: str, below: Listing | None, notes: AnomalyLog
) -> SongReading:
    # Imported here: a plan needs only the folders of songs, and this import loads pydantic, which is slow.
    from rainbow_assets.corpus.builder import build_song

    if timecode not in MODES:
        raise UsageError(f"timecode is {timecode!r}; use one of {', '.join(MODES)}")
    override = (load_overrides(root) if overrides is None else overrides).of(folder.name)
    below = song_listing(folder) if below is None else below
    if "." in below.odd:
        notes.add("unreadable_manifest", folder.name, "folder", below.odd["."], "the song is quarantined")
        return _quarantine(folder, notes)
    for name, why in below.odd.items():
        notes.add("odd_file", f"{folder.name}/{name}", "file", why, "not read")
    for name in below.names:
        report_characters("its name", name, f"{folder.name}/{name}", "file", notes)
    for same in twins(below.names):
        notes.add("twin_names", f"{folder.name}/{same[0]}", "file", f"{' and '.join(map(repr, same))} are one name on "
                  "machines that ignore case or Unicode form", "both are kept; rename one of them")
    files = FileNames(folder, below.names)
    file = f"{folder.name}/{closest(f'{folder.name}.yml', files.names)}"
    entry, left_out = _entry(files, file, notes)
    if entry is None:
        return _quarantine(folder, notes)
    try:
        color = resolve(entry.rainbow_color)
    except UnknownColor as error:
        notes.add("unknown_color", file, "field rainbow_color", str(error), "the song is quarantined")
        return _quarantine(folder, notes)
    if album_color(folder.name) != color.name:
        notes.add("color_disagrees", file, "field rainbow_color",
                  f"the song is {color.name} and album {folder.name[:2]} is "
                  f"{album_color(folder.name) or 'of no color'}", f"{color.name} is used")
    song = build_song(files, file, entry, left_out, color.name, override, timecode == "ms", notes)
    return SongReading(folder.name, song, None, notes.sorted(), notes.read)


def read_corpus(root: Path, color: str | None = None, timecode: str = "evidence") -> list[SongReading]:
    """Return a reading of every song folder, or of those of one color: either a song or a quarantine entry."""
    overrides = load_overrides(root)
    folders = [folder for folder in song_folders(root) if color is None or folder_color(folder) == color]
    return [read_song(folder, root, overrides, timecode) for folder in folders]


def _entry(files: FileNames, file: str, notes: AnomalyLog) -> tuple[ManifestEntry | None, dict[str, Any]]:
    from rainbow_assets.corpus.manifest import placeholders, validate
    from rainbow_assets.corpus.track_list import report_renamed
    from rainbow_assets.corpus.unquoted import TEXTS, report

    problem, where, document = "", "file", None
    wanted, name = f"{files.folder.name}.yml", file.partition("/")[2]
    report_renamed(wanted, name, file, "file", notes)
    try:
        document, scalars = yaml_strict.load_marked(notes.text_of(files.folder, name), TEXTS)
        report(scalars, file, notes)
        for scalar in scalars:
            report_text(scalar.field, scalar.text, file, f"line {scalar.begins}", notes)
    except FileNotFoundError:
        problem = f"there is no {wanted} in the folder"
    except RefusedFile as error:
        problem = str(error)
    except UnreadableYaml as error:
        problem, where = error.problem, f"line {error.line}" if error.line else "file"
    if problem:
        # The parser's sentence names a rule of YAML, which does not help a person who wrote a title.
        quotes = "; a text that begins with a sign, or has a colon and a space in it, needs quotes" * (where != "file")
        notes.add("unreadable_manifest", file, where, problem, f"the song is quarantined{quotes}")
        return None, {}
    for path in placeholders(document):
        notes.add("placeholder", file, f"field {path}", f"{path} is still TK", "kept as it is; fill it in")
    return validate(document, file, notes)


def _quarantine(folder: Path, notes: AnomalyLog) -> SongReading:
    """Return a quarantine entry; its reason is the kind of the first error. Every caller has reported one."""
    worst = next(anomaly for anomaly in notes.sorted() if anomaly.severity == "error")
    color = folder_color(folder)
    quarantined = Quarantined(folder.name, color, worst.kind, f"{worst.file}, {worst.where}: {worst.message}")
    return SongReading(folder.name, None, quarantined, notes.sorted(), notes.read)
