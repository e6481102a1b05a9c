"""The `base_manifest` table: one row per stem, with everything its song says. Columns, types and how a row is made.

Published names are kept. Fixed against the original: `key_signature_note` keeps its accidental (`Bb`, was `A`), `bpm`
stays a float, file names are relative to the song folder, `lrc_file` too. Reduced: `training_data` keeps what can be
counted (ten fields); its eleven label fields were regular expressions over the concept with random tie-breaks.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from rainbow_assets.corpus.ids import stem_id
from rainbow_assets.corpus.model import Song, Track
from rainbow_assets.taxonomy import by_name


def _column(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, metadata={"doc": doc})


TRAINING_DATA = pa.struct([
    ("concept_length", pa.int32()), ("word_count", pa.int32()), ("sentence_count", pa.int32()),
    ("avg_word_length", pa.float64()), ("question_marks", pa.int32()), ("exclamation_marks", pa.int32()),
    ("track_duration", pa.float64()), ("track_position", pa.int32()), ("album_sequence", pa.int32()),
    ("track_id", pa.int32()),
])
SECTION = pa.struct([("name", pa.string()), ("start_ms", pa.int64()), ("end_ms", pa.int64()),
                     ("description", pa.string())])
LINE = pa.struct([("start_ms", pa.int64()), ("text", pa.string()), ("line_number", pa.int32())])

SONG_FIELDS = [
    _column("id", pa.string(), "song, <album>_<sequence>"),
    _column("title", pa.string(), "song title"),
    _column("rainbow_color", pa.string(), "full color name"),
    _column("mnemonic", pa.string(), "color letter; Z is Black, A is White"),
    _column("rainbow_color_temporal_mode", pa.string(), "Past, Present, Future or null"),
    _column("rainbow_color_objectional_mode", pa.string(), "Thing, Place, Person or null (the 'spatial' mode)"),
    _column("rainbow_color_ontological_mode", pa.string(), "Imagined, Forgotten, Known; two are joined by ', '"),
    _column("transmigrational_mode", pa.string(), "Black and White only"),
    _column("bpm", pa.float64(), "beats per minute as written, fractions kept"),
    _column("tempo_numerator", pa.int32(), "time signature, beats per bar"),
    _column("tempo_denominator", pa.int32(), "time signature, beat unit"),
    _column("key_signature_note", pa.string(), "tonic with its accidental"),
    _column("key_signature_mode", pa.string(), "major or minor"),
    _column("key", pa.string(), "tonic and mode, 'Bb minor'"),
    _column("release_date", pa.string(), "ISO date"),
    _column("album_sequence", pa.int32(), "place on the album"),
    _column("total_running_time", pa.float64(), "TRT of the manifest, seconds"),
    _column("vocals", pa.bool_(), "the song has vocals"),
    _column("lyrics", pa.bool_(), "the song has lyrics"),
    _column("lrc_file", pa.string(), "lyrics file, relative to the song folder"),
    _column("lrc_lyrics", pa.string(), "the whole lyrics file"),
    _column("sounds_like", pa.string(), "'name, discogs_id: n' joined by ', '"),
    _column("mood", pa.string(), "joined by ', '"),
    _column("genres", pa.string(), "joined by ', '"),
    _column("concept", pa.string(), "what the song is about, the artist's words"),
    _column("song_structure", pa.string(), "sections as '[start]-[end] name: description' joined by ' | '"),
    _column("sections", pa.list_(SECTION), "sections, times in milliseconds after the timecode decision"),
    _column("lines", pa.list_(LINE), "lyric lines, times in milliseconds after the timecode decision"),
    _column("timecode", pa.string(), "how stamps were read, manifest / lyrics"),
    _column("timecode_shift_ms", pa.int64(), "largest shift of a stamp against a plain millisecond reading"),
    _column("end_ms", pa.int64(), "length of the song: of its mix, else of its longest stem, else from the text"),
    _column("main_audio_file", pa.string(), "mix, relative to the song folder"),
    _column("main_audio_sha256", pa.string(), "sha256 of the mix file"),
]
TRACK_FIELDS = [
    _column("stem_id", pa.string(), "key: <song>_t<track>"),
    _column("track_id", pa.int32(), "stem number in the manifest; a label, not a position"),
    _column("description", pa.string(), "what plays on the stem"),
    _column("audio_file", pa.string(), "WAV, relative to the song folder"),
    _column("audio_sha256", pa.string(), "sha256 of the WAV file"),
    _column("midi_file", pa.string(), "the stem's own MIDI file"),
    _column("midi_group_file", pa.string(), "MIDI file shared by the group"),
    _column("midi_sha256", pa.string(), "sha256 of the MIDI file that speaks for the stem"),
    _column("group", pa.string(), "instrument group as written"),
    _column("player", pa.string(), "player as written"),
    _column("training_data", TRAINING_DATA, "counts over concept and track"),
]
SCHEMA = pa.schema([*TRACK_FIELDS[:1], *SONG_FIELDS, *TRACK_FIELDS[1:]])


def _stamp(ms: int) -> str:
    minutes, rest = divmod(ms, 60000)
    return f"[{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}]"


def song_values(song: Song, end_ms: int, mix_sha256: str | None) -> dict[str, Any]:
    """Return the song's columns."""
    color = by_name(song.rainbow_color)
    signature = song.time_signature or (None, None)
    codes = [song.manifest_timecode, song.lyrics_timecode]
    return {
        "id": song.song_id, "title": song.title, "rainbow_color": color.name, "mnemonic": color.mnemonic,
        "rainbow_color_temporal_mode": color.temporal, "rainbow_color_objectional_mode": color.spatial,
        "rainbow_color_ontological_mode": ", ".join(color.ontological) or None,
        "transmigrational_mode": color.transmigration, "bpm": song.bpm,
        "tempo_numerator": signature[0], "tempo_denominator": signature[1],
        "key_signature_note": song.key.tonic, "key_signature_mode": song.key.mode, "key": song.key.label,
        "release_date": song.release_date, "album_sequence": song.album_sequence,
        "total_running_time": song.total_ms / 1000, "vocals": song.vocals, "lyrics": song.lyrics,
        "lrc_file": song.lrc_file, "lrc_lyrics": song.lrc_text,
        "sounds_like": ", ".join(name if number is None else f"{name}, discogs_id: {number}"
                                 for name, number in song.sounds_like),
        "mood": ", ".join(song.mood), "genres": ", ".join(song.genres), "concept": song.concept,
        "song_structure": " | ".join(f"{_stamp(s.start_ms)}-{_stamp(s.end_ms)} {s.name}: {s.description}"
                                     for s in song.sections),
        "sections": [{"name": s.name, "start_ms": s.start_ms, "end_ms": s.end_ms, "description": s.description}
                     for s in song.sections],
        "lines": [{"start_ms": line.start_ms, "text": line.text, "line_number": line.line_number}
                  for line in song.lines],
        "timecode": " / ".join(f"{c.unit}@{c.fps}" if c.fps else c.unit for c in codes if c is not None),
        "timecode_shift_ms": max(c.largest_shift_ms for c in codes if c is not None),
        "end_ms": end_ms, "main_audio_file": song.main_audio_file, "main_audio_sha256": mix_sha256,
    }


def track_values(song: Song, track: Track, position: int, digests: dict[str, str], end_ms: int) -> dict[str, Any]:
    """Return the stem's columns; ``digests`` maps file names of the song folder to sha256."""
    return {
        "stem_id": stem_id(song.song_id, track.track_id), "track_id": track.track_id,
        "description": track.description,
        "audio_file": track.audio_file, "audio_sha256": digests.get(track.audio_file or ""),
        "midi_file": track.midi_file, "midi_group_file": track.midi_group_file,
        "midi_sha256": digests.get(track.midi or ""), "group": track.group, "player": track.player,
        "training_data": _counts(song, track, position, end_ms),
    }


def _counts(song: Song, track: Track, position: int, end_ms: int) -> dict[str, Any]:
    words = song.concept.split()
    return {
        "concept_length": len(song.concept), "word_count": len(words),
        "sentence_count": len([s for s in re.split(r"[.!?]+", song.concept) if s.strip()]),
        "avg_word_length": round(sum(map(len, words)) / len(words), 6) if words else 0.0,
        "question_marks": song.concept.count("?"), "exclamation_marks": song.concept.count("!"),
        "track_duration": end_ms / 1000, "track_position": position, "album_sequence": song.album_sequence,
        "track_id": track.track_id,
    }
