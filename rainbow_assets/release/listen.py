"""`listen.html`: one page that plays a few clips of every color and loads nothing but these.

The audio of a release is in parquet, which browsers cannot open, so a version has clips beside the page. They are MP3,
because every browser plays it and the encoder's bytes depend on the samples alone (libsndfile draws OGG serial numbers
at random). A clip's file is named by its content, so a new version sends only clips that are new.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rainbow_assets.release.bundle import BundleConfig
from rainbow_assets.release.credit import Songs, credit, notices
from rainbow_assets.release.pages import ENVIRONMENT
from rainbow_assets.release.sampling import preview_rows
from rainbow_assets.release.text import clip
from rainbow_assets.release.versions import Version
from rainbow_assets.sound.mp3 import to_mp3
from rainbow_assets.storage.parquet import open_parquet, read_batches, read_parquet, rows_of
from rainbow_assets.taxonomy import COLORS, Color

NAME = "listen.html"
CLIPS_PER_COLOR = 6
BUDGET_BYTES = 9 * 1000 * 1000
"""Largest size of all clips together. Clips beyond it are left out."""
FOLDER = "clips"
EXCERPT_BYTES = 320
_SCRIPT = ("document.addEventListener('play',e=>{for(const a of document.querySelectorAll('audio'))"
           "if(a!==e.target)a.pause()},true)")


@dataclass(frozen=True, slots=True)
class Clip:
    """One player: the texts beside it, and its audio as MP3. Texts may be null or empty."""

    segment_id: str
    title: str
    stem: str | None
    concept: str | None
    lyric: str | None
    key: str | None
    bpm: float | None
    start_seconds: float
    duration_seconds: float
    mp3: bytes

    @property
    def source(self) -> str:
        """The path of the MP3 in the release: ``clips/<digest>.mp3``."""
        return f"{FOLDER}/{hashlib.sha256(self.mp3).hexdigest()[:16]}.mp3"

    @property
    def place(self) -> str:
        """The start of the clip in its song, ``1:05``."""
        whole = int(self.start_seconds)
        return f"{whole // 60}:{whole % 60:02d}"

    @property
    def excerpt(self) -> str:
        """The concept, cut to a few lines."""
        return clip(" ".join((self.concept or "").split()), EXCERPT_BYTES)


Clips = dict[str, list[Clip]]
"""Color -> its players, in order."""


def make_clips(
    folder: Path, config: BundleConfig, per_color: int = CLIPS_PER_COLOR, budget: int = BUDGET_BYTES, seed: int = 0
) -> Clips:
    """Return up to ``per_color`` clips per color from the written files of ``config`` (``preview_mix`` or ``preview``).

    Rows are chosen by hash rank, songs in turn. Colors take turns too, so that a small ``budget`` (bytes)
    shortens every color alike: every color's first clip, then every color's second, until the budget is used.
    """
    ranked: dict[str, list[Clip]] = {}
    for color in COLORS:
        rows = _rows(folder, config, color.name, per_color, seed)
        if rows:
            ranked[color.name] = [_clip(row) for row in rows]
    chosen: dict[str, list[Clip]] = {color: [] for color in ranked}
    used = 0
    for turn in range(per_color):
        for color, clips in ranked.items():
            if turn < len(clips):
                used += len(clips[turn].mp3)
                if used > budget:
                    return chosen
                chosen[color].append(clips[turn])
    return chosen


def write_clips(folder: Path, clips: Clips) -> None:
    """Write the MP3 files of ``clips`` into the release ``folder``."""
    (folder / FOLDER).mkdir(exist_ok=True)
    for found in clips.values():
        for item in found:
            (folder / item.source).write_bytes(item.mp3)


def _rows(folder: Path, config: BundleConfig, color: str, count: int, seed: int) -> list[dict[str, Any]]:
    paths = [folder / file.path for file in config.files if file.color == color]
    listed = [read_parquet(path, ["segment_id", "song_id"]) for path in paths]
    keys = preview_rows([{**row, "eligible": True} for table in listed for row in table.to_pylist()], count, seed)
    found = {row["segment_id"]: row for path in paths for row in _matching(path, keys)}
    return [found[key] for key in keys]


def _matching(path: Path, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    with open_parquet(path) as file:
        for batch in read_batches(file, 16):
            yield from rows_of(pa.Table.from_batches([batch]), "segment_id", keys).to_pylist()


def _clip(row: dict[str, Any]) -> Clip:
    return Clip(
        row["segment_id"], row["title"] or row["song_id"], row["track_description"], row["concept"],
        row["lyric_text"], row["key"], row["bpm"], row["start_seconds"], row["duration_seconds"],
        to_mp3(row["audio"]["bytes"]),
    )


def render_listen(clips: Clips, version: Version, shows: str, songs: Songs | None = None) -> str:
    """Return the page. ``clips`` maps colors to players in order; ``shows`` names them in its text, such as ``mixes``.

    ``songs``: who made the music of which songs.

    All texts are escaped. A content security policy allows only the page's own style, script and audio.
    """
    made_by = credit(songs or {})
    style = ENVIRONMENT.get_template("listen.css.j2").render(colors=COLORS, ink=_ink)
    return ENVIRONMENT.get_template("listen.html.j2").render(
        version=version, shows=shows, clips=clips, colors=COLORS, style=style, script=_SCRIPT,
        style_hash=_hash(style), script_hash=_hash(_SCRIPT), credit=made_by, notices=notices(songs or {}),
        total=sum(len(found) for found in clips.values()),
        songs=len({item.title for found in clips.values() for item in found}),
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _ink(color: Color) -> str:
    """Return black or white, the one with more contrast on the color (WCAG 2.2 relative luminance)."""
    red, green, blue = (value / 255 for value in color.rgb)
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#fff"
