"""The columns of `segments` (one row per stem and time slice), of `segment_media` and of the published tables."""

from __future__ import annotations

import pyarrow as pa

from rainbow_assets.errors import RainbowError
from rainbow_assets.lineage.row_asset import column

FIELDS = [
    column("segment_id", pa.string(), "key: <song>_t<track>_<start in ms>; track 00 is the main mix"),
    column("segment_index", pa.int32(), "place of the slice in the original numbering (0-based); null for new slices"),
    column("original_segment_id", pa.string(), "positional id of dataset v0.2.0; null for slices that it did not have"),
    column("song_id", pa.string(), "song (was track_id)"),
    column("stem_id", pa.string(), "stem, <song>_t<track>"),
    column("rainbow_color", pa.string(), "full color name"),
    column("track_number", pa.int32(), "stem number in the manifest; 0 is the main mix"),
    column("is_mix", pa.bool_(), "True for the main mix, which is not a stem"),
    column("track_description", pa.string(), "what plays on the stem"),
    column("track_group", pa.string(), "instrument group as written"),
    column("track_player", pa.string(), "player as written"),
    column("source_audio_file", pa.string(), "WAV, relative to the song folder"),
    column("midi_file", pa.string(), "the stem's own MIDI file, else its group's, relative to the song folder"),
    column("start_ms", pa.int64(), "start of the slice, milliseconds"),
    column("end_ms", pa.int64(), "end of the slice, milliseconds"),
    column("start_seconds", pa.float64(), "start of the slice, seconds"),
    column("end_seconds", pa.float64(), "end of the slice, seconds"),
    column("duration_seconds", pa.float64(), "length of the slice, seconds"),
    column("has_audio", pa.bool_(), "the stem is audible in the slice and its audio is kept"),
    column("has_midi", pa.bool_(), "a MIDI note of the stem sounds in the slice"),
    column("content_type", pa.string(), "audio_midi, audio_only or midi_only"),
    column("lyric_text", pa.string(), "lyric of the slice; empty if there is none"),
    column("lrc_line_number", pa.int32(), "line of the stamp in the LRC file, 1-based"),
    column("lyric_char_count", pa.int32(), "characters of the lyric"),
    column("lyric_word_count", pa.int32(), "words of the lyric; 0 for an empty one"),
    column("structure_section", pa.string(), "section that contains the middle of the slice"),
    column("segment_type", pa.string(), "combined (lyric), structure, intro, gap or outro"),
    column("original_start_seconds", pa.float64(), "start before snapping, seconds"),
    column("original_end_seconds", pa.float64(), "end before snapping, seconds"),
    column("has_structure_adjustments", pa.bool_(), "an end was snapped to a section border"),
    column("structure_adjustments", pa.string(), "how the ends were moved, joined by ' | '"),
    column("start_adjustment_seconds", pa.float64(), "how far the start was moved, seconds"),
    column("end_adjustment_seconds", pa.float64(), "how far the end was moved, seconds"),
    column("is_sub_segment", pa.bool_(), "a window of a slice that was too long"),
    column("sub_segment_info", pa.string(), "j/n for window j of n"),
    column("rms_db", pa.float64(), "RMS of the kept window without its constant part, dB (full scale = 0)"),
    column("peak_db", pa.float64(), "peak of the kept window, dB (full scale = 0)"),
    column("source_rms_db", pa.float64(),
           "RMS of the loudest channel of the WAV in the window, without its constant part, before mean and gain, dB"),
    column("source_peak_db", pa.float64(), "peak of any channel of the WAV in the window, before mean and gain, dB"),
    column("source_offset", pa.float64(),
           "largest constant part of a channel of the WAV in the window, share of full scale, -1 to 1"),
    column("clipped_runs", pa.int64(),
           "runs of three or more samples at full scale that begin in the window, in all channels of the WAV"),
    column("audio_problem", pa.string(), "why there is no audio although a file is named; null otherwise"),
    column("midi_problem", pa.string(), "why there is no MIDI although a file is named; null otherwise"),
    column("audio_padding_ms", pa.int64(), "silence added if the stem's file ends inside the slice, milliseconds"),
    column("source_sample_rate", pa.int32(), "sample rate of the WAV, Hz; resampled with soxr if it is not 44100"),
    column("source_channels", pa.int32(), "channels of the WAV; mono is what became of them"),
    column("mono", pa.string(),
           "what is kept of the WAV's channels: mean, or channel N (from 1) if the mean loses what sounds in it"),
    column("bits", pa.int32(), "bits per sample of the kept audio, 16 or 24"),
    column("gain_db", pa.float64(), "gain applied to the whole stem so that nothing clips, dB; 0 if unchanged"),
    column("audio_digest", pa.string(), "sha256 of the window's samples"),
    column("sound_print", pa.list_(pa.uint32()),
           "hashes of how the window's levels change, ascending; songs that share many of them are copies"),
    column("midi_default_bpm", pa.float64(),
           "tempo given to a MIDI file that sets none at its start, or only the standard's 120, BPM: the "
           "manifest's; null if it sets one"),
    column("midi_remarks", pa.string(), "what was skipped or corrected in the MIDI file, joined by ' | '; or why it is "
                                        "not read; null otherwise"),
    column("midi_digest", pa.string(), "digest of the window's MIDI events"),
]
SCHEMA = pa.schema(FIELDS)
GROUPS: dict[str, tuple[str, ...]] = {
    "window": ("song_id", "stem_id", "track_number", "is_mix", "start_ms", "end_ms", "source_audio_file", "midi_file"),
    "slice": ("segment_index", "original_segment_id", "start_seconds", "end_seconds", "duration_seconds",
              "structure_section", "segment_type", "original_start_seconds", "original_end_seconds",
              "has_structure_adjustments", "structure_adjustments", "start_adjustment_seconds",
              "end_adjustment_seconds", "is_sub_segment", "sub_segment_info"),
    "stem": ("rainbow_color", "track_description", "track_group", "track_player"),
    "lyric_text": ("lyric_text", "lrc_line_number", "lyric_char_count", "lyric_word_count"),
    "audio": ("has_audio", "audio_digest", "sound_print", "mono", "bits", "gain_db", "audio_padding_ms"),
    "levels": ("rms_db", "peak_db", "source_rms_db", "source_peak_db", "source_offset", "clipped_runs", "audio_problem",
               "source_sample_rate", "source_channels"),
    "midi": ("has_midi", "midi_digest", "midi_problem", "midi_default_bpm"),
    "midi_file": ("midi_remarks",),
    "content": ("content_type",),
}

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MEDIA = pa.schema([
    column("segment_id", pa.string(), "key"),
    column("song_id", pa.string(), "song"),
    column("is_mix", pa.bool_(), "True for the main mix"),
    column("audio", AUDIO, "FLAC of the window, mono, 44.1 kHz; null if has_audio is false"),
    column("audio_frames", pa.int64(), "samples of the window"),
    column("bits", pa.int32(), "bits per sample, 16 or 24"),
    column("audio_digest", pa.string(), "sha256 of the window's samples"),
    column("flac_sha256", pa.string(), "sha256 of the FLAC; tables that copy it are rebuilt when its bytes change"),
    column("midi_binary", pa.binary(), "standalone MIDI file of the window; null if has_midi is false"),
    column("midi_digest", pa.string(), "digest of the window's MIDI events"),
])
"""The columns of `segment_media`."""

INTERNAL = ("is_mix", "start_ms", "end_ms", "audio_digest", "midi_digest")
SEGMENT_COLUMNS = [item.name for item in FIELDS if item.name not in INTERNAL]
TRAINING = pa.schema([
    *(SCHEMA.field(name) for name in SEGMENT_COLUMNS),
    column("audio_digest", pa.string(), "sha256 of the samples of this row in `audio` and `preview`"),
    column("midi_digest", pa.string(), "digest of the MIDI events of this row"),
])
"""The published columns of a segment."""


class LostInJoin(RainbowError):
    """A row without the one row of another table that belongs to it."""
