"""The columns of a segment that depend on its slice alone."""

from __future__ import annotations

from typing import Any

from rainbow_assets.corpus.ids import MIX_TRACK, stem_id
from rainbow_assets.segments.ids import positional_id, segment_id
from rainbow_assets.segments.slicing import Slice


def slice_values(song_id: str, track: int, slice_: Slice) -> dict[str, Any]:
    """Return the columns that depend on the slice alone."""
    index = slice_.segment_index
    return {
        "segment_id": segment_id(song_id, track, slice_.start_ms), "segment_index": index,
        "original_segment_id": None if index is None else positional_id(song_id, index + 1, track),
        "song_id": song_id, "stem_id": stem_id(song_id, track), "track_number": track, "is_mix": track == MIX_TRACK,
        "start_ms": slice_.start_ms, "end_ms": slice_.end_ms, "start_seconds": slice_.start_ms / 1000,
        "end_seconds": slice_.end_ms / 1000, "duration_seconds": (slice_.end_ms - slice_.start_ms) / 1000,
        "lyric_text": slice_.lyric_text, "lrc_line_number": slice_.line_number,
        "lyric_char_count": len(slice_.lyric_text), "lyric_word_count": len(slice_.lyric_text.split()),
        "structure_section": slice_.section, "segment_type": slice_.segment_type,
        "original_start_seconds": slice_.original_start_ms / 1000,
        "original_end_seconds": slice_.original_end_ms / 1000,
        "has_structure_adjustments": bool(slice_.adjustments), "structure_adjustments": " | ".join(slice_.adjustments),
        "start_adjustment_seconds": (slice_.start_ms - slice_.original_start_ms) / 1000,
        "end_adjustment_seconds": (slice_.end_ms - slice_.original_end_ms) / 1000,
        "is_sub_segment": slice_.sub is not None,
        "sub_segment_info": None if slice_.sub is None else f"{slice_.sub[0]}/{slice_.sub[1]}",
    }
