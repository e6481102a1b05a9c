"""The columns of a segment that depend on its slice alone."""

from __future__ import annotations

from typing import Any

from rainbow_assets.corpus.ids import MIX_TRACK, stem_id
from rainbow_assets.segments.ids import positional_id, segment_id
from rainbow_assets.segments.slicing import Slice


def slice_values(song_id: str, track: int, cut: Slice) -> dict[str, Any]:
    """Return the columns that depend on the slice alone."""
    index = cut.segment_index
    return {
        "segment_id": segment_id(song_id, track, cut.start_ms), "segment_index": index,
        "original_segment_id": None if index is None else positional_id(song_id, index + 1, track),
        "song_id": song_id, "stem_id": stem_id(song_id, track), "track_number": track, "is_mix": track == MIX_TRACK,
        "start_ms": cut.start_ms, "end_ms": cut.end_ms, "start_seconds": cut.start_ms / 1000,
        "end_seconds": cut.end_ms / 1000, "duration_seconds": (cut.end_ms - cut.start_ms) / 1000,
        "lyric_text": cut.lyric_text, "lrc_line_number": cut.line_number,
        "lyric_char_count": len(cut.lyric_text), "lyric_word_count": len(cut.lyric_text.split()),
        "structure_section": cut.section, "segment_type": cut.segment_type,
        "original_start_seconds": cut.original_start_ms / 1000, "original_end_seconds": cut.original_end_ms / 1000,
        "has_structure_adjustments": bool(cut.adjustments), "structure_adjustments": " | ".join(cut.adjustments),
        "start_adjustment_seconds": (cut.start_ms - cut.original_start_ms) / 1000,
        "end_adjustment_seconds": (cut.end_ms - cut.original_end_ms) / 1000,
        "is_sub_segment": cut.sub is not None,
        "sub_segment_info": None if cut.sub is None else f"{cut.sub[0]}/{cut.sub[1]}",
    }
