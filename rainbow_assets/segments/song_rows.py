"""The songs to cut: their rows of `base_manifest` as typed values, with their slices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainbow_assets.corpus.ids import MIX_TRACK
from rainbow_assets.corpus.model import LyricLine, Section
from rainbow_assets.digests import digest
from rainbow_assets.segments.settings import SliceRules
from rainbow_assets.segments.slicing import Slice, SlicePlan, slice_song
from rainbow_assets.storage.shard import Shard

COLUMNS = ("id", "rainbow_color", "bpm", "sections", "lines", "end_ms", "main_audio_file", "main_audio_sha256",
           "track_id", "description", "group", "player", "audio_file", "audio_sha256", "midi_file", "midi_group_file",
           "midi_sha256")


@dataclass(frozen=True, slots=True)
class StemSource:
    """One audio source to cut: a stem, or the main mix (track 0)."""

    track: int
    description: str | None
    group: str | None
    player: str | None
    audio_file: str | None
    audio_sha256: str | None
    midi_file: str | None
    midi_sha256: str | None

    @property
    def digest(self) -> str:
        """Digest of the stem's facts in the manifest."""
        return digest(self.track, self.description, self.group, self.player, self.audio_file, self.midi_file)


@dataclass(frozen=True, slots=True)
class SongRows:
    """One song: its stems and mix, and its slices; ``bpm`` is the manifest's."""

    song_id: str
    rainbow_color: str
    bpm: float
    end_ms: int
    sources: tuple[StemSource, ...]
    plan: SlicePlan

    def path(self, root: Path, name: str) -> Path:
        """Return the path of a file of the song."""
        return root / self.song_id / name


def songs(manifest: Shard, rules: SliceRules) -> dict[str, SongRows]:
    """Group the rows of a shard of `base_manifest` by song, and plan the slices of each song once."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in manifest.rows(*COLUMNS):
        grouped.setdefault(row["id"], []).append(row)
    return {song_id: _song(rows, rules) for song_id, rows in sorted(grouped.items())}


def _song(rows: list[dict[str, Any]], rules: SliceRules) -> SongRows:
    first = rows[0]
    sections = tuple(Section(s["name"], s["start_ms"], s["end_ms"], s["description"]) for s in first["sections"])
    lines = tuple(LyricLine(x["start_ms"], x["text"], x["line_number"]) for x in first["lines"])
    mix = StemSource(MIX_TRACK, "main mix", None, None, first["main_audio_file"], first["main_audio_sha256"], None,
                     None)
    stems = [StemSource(r["track_id"], r["description"], r["group"], r["player"], r["audio_file"], r["audio_sha256"],
                    r["midi_file"] or r["midi_group_file"], r["midi_sha256"]) for r in rows]
    sources = ([mix] if mix.audio_file else []) + sorted(stems, key=lambda source: source.track)
    plan = slice_song(sections, lines, first["end_ms"], rules)
    return SongRows(first["id"], first["rainbow_color"], first["bpm"], first["end_ms"], tuple(sources), plan)


def slice_digest(slice_: Slice) -> str:
    """Return the digest of a slice's span and history: all that its rows take from it except the words."""
    return digest(slice_.start_ms, slice_.end_ms, slice_.original_start_ms, slice_.original_end_ms, slice_.segment_type,
                  slice_.section, slice_.adjustments, slice_.sub, slice_.segment_index)


def words_digest(slice_: Slice) -> str:
    """Return the digest of a slice's lyric and its line in the lyrics file."""
    return digest(slice_.lyric_text, slice_.line_number)
