"""The columns and types of `base_manifest`: one row per stem, with the facts of its song.

The published names are kept. Fixed since the original: `key_signature_note` keeps its accidental (`Bb`, was `A`), `bpm`
stays a float, file names and `lrc_file` are relative to the song folder. Removed: of `training_data`, eleven label
fields that were regular expressions over the concept with random tie-breaks; the ten counted fields remain.
"""

from __future__ import annotations

import pyarrow as pa


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
WORD = pa.struct([("start_ms", pa.int64()), ("text", pa.string()), ("line_number", pa.int32())])
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
    _column("mood", pa.string(), "moods, joined by ', '"),
    _column("genres", pa.string(), "genres, joined by ', '"),
    _column("concept", pa.string(), "what the song is about, in the artist's words"),
    _column("song_structure", pa.string(), "sections as '[start]-[end] name: description' joined by ' | '"),
    _column("sections", pa.list_(SECTION), "sections; times in milliseconds, converted by the time code"),
    _column("lines", pa.list_(LINE), "lyric lines; times in milliseconds, converted by the time code"),
    _column("word_times", pa.list_(WORD), "words that have time stamps of their own; times as those of lines"),
    _column("timecode", pa.string(), "how the stamps of manifest / lyrics were read"),
    _column("timecode_shift_ms", pa.int64(), "largest difference of a stamp from its plain millisecond reading"),
    _column("end_ms", pa.int64(), "length of the song: its longest sound, unless the text sides with a shorter mix"),
    _column("main_audio_file", pa.string(), "mix, relative to the song folder"),
    _column("main_audio_sha256", pa.string(), "sha256 of the mix file"),
    _column("music", pa.string(), "who made the sounds: artist, demo or stand-in (a program, for the artist's texts)"),
]
TRACK_FIELDS = [
    _column("stem_id", pa.string(), "key: <song>_t<track>"),
    _column("track_id", pa.int32(), "stem number in the manifest; a label, not a position"),
    _column("description", pa.string(), "what plays on the stem"),
    _column("audio_file", pa.string(), "WAV, relative to the song folder"),
    _column("audio_sha256", pa.string(), "sha256 of the WAV file"),
    _column("midi_file", pa.string(), "the stem's own MIDI file"),
    _column("midi_group_file", pa.string(), "MIDI file shared by the group"),
    _column("midi_sha256", pa.string(), "sha256 of the stem's own MIDI file, else of its group's"),
    _column("group", pa.string(), "instrument group as written"),
    _column("player", pa.string(), "player as written"),
    _column("training_data", TRAINING_DATA, "counts over concept and track"),
]
SCHEMA = pa.schema([*TRACK_FIELDS[:1], *SONG_FIELDS, *TRACK_FIELDS[1:]])
