"""The values of a row of `base_manifest`, made from a song and one of its stems."""

from __future__ import annotations

import re
from typing import Any

from rainbow_assets.corpus import smpte
from rainbow_assets.corpus.ids import stem_id
from rainbow_assets.corpus.model import Song, Track
from rainbow_assets.taxonomy import by_name


def _stamp(ms: int) -> str:
    minutes, rest = divmod(ms, 60000)
    return f"[{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}]"


def song_values(song: Song, end_ms: int, mix_sha256: str | None, music: str) -> dict[str, Any]:
    """Return the song's columns; ``music``: who made its sounds."""
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
        "word_times": [{"start_ms": ms, "text": text, "line_number": line.line_number}
                       for line in song.lines for ms, text in line.words],
        "timecode": " / ".join(smpte.of(code).label for code in codes if code is not None),
        "timecode_shift_ms": max(c.largest_shift_ms for c in codes if c is not None),
        "end_ms": end_ms, "main_audio_file": song.main_audio_file, "main_audio_sha256": mix_sha256,
        "music": music,
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
