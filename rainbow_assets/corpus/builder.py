"""Building a song from its validated manifest and its lyrics."""

from __future__ import annotations

from typing import Any

from rainbow_assets.corpus import lrc, manifest, music, track_list
from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.end import check_times, song_end
from rainbow_assets.corpus.manifest import ManifestEntry
from rainbow_assets.corpus.model import Song
from rainbow_assets.corpus.overrides import SongOverride
from rainbow_assets.corpus.times import read_times
from rainbow_assets.door import RefusedFile
from rainbow_assets.ingest.names import FileNames
from rainbow_assets.music.meter import parse_signature, usual

SLOW, FAST = 30, 300
"""Tempos outside this range are reported: they are probably typing errors."""
BY_SECTIONS = "the song is sliced by its sections"


def build_song(
    files: FileNames, file: str, entry: ManifestEntry, left_out: dict[str, Any], color: str, override: SongOverride,
    literal: bool, notes: AnomalyLog,
) -> Song:
    """Return the song and report what is unusual about it. ``left_out`` is added to the song's ``extra``."""
    folder = files.folder
    _check_identity(folder.name, file, entry, notes)
    _check_music(file, entry, notes)
    lrc_name, lrc_text, stamps = _lyrics(files, file, entry, notes)
    lrc_file = f"{folder.name}/{lrc_name}"
    times = read_times(entry, file, lrc_file, stamps, override, literal, notes)
    if not literal:
        check_times(notes, file, lrc_file, times)
    mix = track_list.name_of(entry.main_audio_file, files, file, "field main_audio_file", notes, track_list.AUDIO)
    if mix and mix != f"{folder.name}_main.wav":
        notes.add("nonstandard_mix_name", file, "field main_audio_file",
                  f"the mix is {mix}, not {folder.name}_main.wav", "the manifest's name is used")
    return Song(
        song_id=folder.name, folder=folder, title=entry.title, rainbow_color=color, bpm=entry.bpm,
        time_signature=parse_signature(entry.tempo), time_signature_raw=entry.tempo,
        key=music.parse_key(entry.key), release_date=entry.release_date,
        album_sequence=int(folder.name[3:]) if entry.album_sequence is None else entry.album_sequence,
        main_audio_file=mix, total_ms=times.total_ms, end_ms=song_end(times.total_ms, times.sections, times.lines),
        vocals=entry.vocals, lyrics=entry.lyrics, sections=times.sections, mood=tuple(entry.mood),
        genres=tuple(entry.genres), sounds_like=tuple((s.name, s.discogs_id) for s in entry.sounds_like),
        concept=entry.concept, tracks=track_list.tracks(entry, files, file, notes), lrc_file=lrc_name,
        lrc_text=lrc_text, lines=times.lines, manifest_timecode=times.manifest, lyrics_timecode=times.lyrics,
        extra={**manifest.extras(entry), **left_out},
    )


def _check_identity(name: str, file: str, entry: ManifestEntry, notes: AnomalyLog) -> None:
    if entry.manifest_id != name:
        notes.add("id_disagrees", file, "field manifest_id",
                  f"manifest_id is {entry.manifest_id!r}, the folder is {name}",
                  "the folder's name is used")
    if entry.album_sequence is not None and entry.album_sequence != int(name[3:]):
        notes.add("id_disagrees", file, "field album_sequence",
                  f"album_sequence is {entry.album_sequence}, the folder is "
                  f"{name}", "kept as it is")
    for field in sorted(entry.model_extra or {}):
        notes.add("unknown_field", file, f"field {field}", f"{field} is not a field of a manifest", "kept as it is")
    for group in ("structure", "sounds_like"):
        for place, item in enumerate(getattr(entry, group)):
            for field in sorted(item.model_extra or {}):
                path = f"{group}[{place}].{field}"
                notes.add("unknown_field", file, f"field {path}", f"{path} is not a known field", "kept as it is")
    if not entry.audio_tracks:
        notes.add("missing_field", file, "field audio_tracks", "the manifest lists no track", "the song has no rows")


def _check_music(file: str, entry: ManifestEntry, notes: AnomalyLog) -> None:
    if not SLOW <= entry.bpm <= FAST:
        notes.add("suspicious_bpm", file, "field bpm", f"{entry.bpm:g} beats per minute", "kept as it is")
    if entry.key and music.parse_key(entry.key).tonic is None:
        notes.add("unreadable_key", file, "field key", f"{entry.key!r} is not a key such as 'Bb minor'",
                  "the key columns are null")
    signature = parse_signature(entry.tempo)
    if entry.tempo and signature is None:
        notes.add("odd_time_signature", file, "field tempo", f"{entry.tempo!r} is not a time signature such as 4/4",
                  "its columns are null")
    elif signature and not usual(signature):
        notes.add("odd_time_signature", file, "field tempo", f"{entry.tempo} is unusual", "kept as it is")


def _lyrics(
    files: FileNames, file: str, entry: ManifestEntry, notes: AnomalyLog
) -> tuple[str | None, str | None, tuple[lrc.RawStamp, ...]]:
    """Return the lyrics file's name, its text and its stamps; (None, None, ()) without readable lyrics."""
    name, folder = _lyrics_name(files, file, entry, notes), files.folder
    if name is None:
        return None, None, ()
    lrc_file = f"{folder.name}/{name}"
    try:
        data = notes.text_of(folder, name)
    except (FileNotFoundError, RefusedFile) as error:
        problem = "it does not exist" if isinstance(error, FileNotFoundError) else str(error)
        notes.add("unreadable_lyrics", lrc_file, "file", problem, BY_SECTIONS)
        return None, None, ()
    text = lrc.decode(data, lrc_file, notes)
    if text is None:
        return None, None, ()
    if not entry.lyrics:
        notes.add("lyrics_disagree", file, "field lyrics", "lyrics is not true, but there is a lyrics file",
                  "the file is used")
    stamps = lrc.parse(text, lrc_file, notes).stamps
    if not stamps:
        notes.add("lyrics_disagree", lrc_file, "file", "the lyrics file has no readable time stamp", BY_SECTIONS)
    return name, text, stamps


def _lyrics_name(files: FileNames, file: str, entry: ManifestEntry, notes: AnomalyLog) -> str | None:
    name = track_list.name_of(entry.lrc_file, files, file, "field lrc_file", notes, track_list.LYRICS)
    if name is not None:
        return name
    default = track_list.name_of(f"{files.folder.name}.lrc", files, file, "field lrc_file", notes, track_list.LYRICS)
    if default in files.names:
        notes.add("lyrics_disagree", file, "field lrc_file", f"{default} exists, but the manifest does not name it",
                  "the file is used")
        return default
    if entry.lyrics:
        notes.add("lyrics_disagree", file, "field lyrics", "lyrics is true, but no lyrics file is named", BY_SECTIONS)
    return None
