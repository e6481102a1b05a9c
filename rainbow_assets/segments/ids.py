"""Ids of segments: the stable one, and the positional one of dataset v0.2.0.

A segment's id contains its start and not its place in a list, so that an inserted lyric line renames no other segment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rainbow_assets.corpus.ids import stem_id
from rainbow_assets.errors import RainbowError

_PATTERN = re.compile(r"(?P<song>.+)_t(?P<track>\d{2,})_(?P<start>\d{7,})", re.ASCII | re.DOTALL)


class BadSegmentId(RainbowError):
    """A text that is not a segment id, or parts that cannot form one."""


@dataclass(frozen=True, slots=True, order=True)
class SegmentId:
    """The parts of a segment id: song, track (0 is the main mix) and start in milliseconds."""

    song_id: str
    track_id: int
    start_ms: int

    def __str__(self) -> str:
        return segment_id(self.song_id, self.track_id, self.start_ms)


def segment_id(song_id: str, track_id: int, start_ms: int) -> str:
    """Return ``{song}_t{track:02d}_{start_ms:07d}``, for example ``01_01_t05_0014027``; track 0 is the main mix.

    Tracks over 99 and starts from 10,000,000 ms (2 h 46 min 40 s) take more digits: ids stay unique and readable, but
    no longer sort by time. Raises :class:`BadSegmentId` for an empty song or a negative number.
    """
    if not song_id or track_id < 0 or start_ms < 0:
        raise BadSegmentId(
            f"song {song_id!r}, track {track_id} and start {start_ms} ms cannot form a segment id; "
            "give a song, and a track and a start of at least 0"
        )
    return f"{stem_id(song_id, track_id)}_{start_ms:07d}"


def parse_segment_id(text: str) -> SegmentId:
    """Return the parts of an id that :func:`segment_id` wrote; raise :class:`BadSegmentId` for any other text."""
    found = _PATTERN.fullmatch(text)
    parts = found and SegmentId(found["song"], int(found["track"]), int(found["start"]))
    if not parts or str(parts) != text:
        raise BadSegmentId(f"{text!r} is not a segment id; one looks like 01_01_t05_0014027 (song, track, start in ms)")
    return parts


def positional_id(song_id: str, index: int, track_id: int) -> str:
    """Return the id of dataset v0.2.0, for example ``01_01_seg_0028_track_20``; ``index`` counts slices from 1."""
    return f"{song_id}_seg_{index:04d}_track_{track_id:02d}"
