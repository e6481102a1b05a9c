"""Song folders for tests: a manifest that nothing is wrong with, to be spoiled."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from rainbow_assets.corpus.model import SongReading
from rainbow_assets.corpus.reader import read_song

Spoil = Callable[[dict[str, Any]], None]
GOOD: dict[str, Any] = {
    "bpm": 120, "manifest_id": "05_01", "tempo": "4/4", "key": "Bb minor", "rainbow_color": "G", "title": "Field",
    "release_date": "2021-09-07", "album_sequence": 1, "main_audio_file": "05_01_main.wav", "TRT": "[01:00.731]",
    "vocals": True, "lyrics": True,
    "structure": [
        {"section_name": "Intro", "start_time": "[00:00.000]", "end_time": "[00:10.417]", "description": "opens"},
        {"section_name": "Verse", "start_time": "[00:10.418]", "end_time": "[00:40.838]", "description": "sings"},
        {"section_name": "Outro", "start_time": "[00:40.839]", "end_time": "[01:00.731]", "description": "closes"},
    ],
    "mood": ["calm"], "sounds_like": [{"name": "Nobody", "discogs_id": 7}], "genres": ["ambient"],
    "lrc_file": "05_01.lrc", "concept": "A field at noon.",
    "audio_tracks": [
        {"id": 2, "description": "pad", "audio_file": "05_01_02.wav", "midi_file": "05_01_02.mid"},
        {"id": 3, "description": "kick", "audio_file": "05_01_03.wav", "midi_group_file": "05_01_drums.mid",
         "group": "Drums", "player": "Nobody"},
    ],
}
LRC = "[ti: Field]\n[00:12.613]\nFirst line\n[00:20.977]\nSecond line\n[00:31.542]\nThird line\n[00:38.855]\nLast line"


def manifest(spoil: Spoil | None = None) -> str:
    """Return the text of the good manifest, spoiled."""
    document = copy.deepcopy(GOOD)
    if spoil is not None:
        spoil(document)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def write(root: Path, text: str | bytes | None = None, lrc: str | bytes | None = LRC, song: str = "05_01") -> Path:
    """Write a song folder; None leaves a file out."""
    folder = root / song
    folder.mkdir(parents=True)
    for suffix, content in (("yml", manifest() if text is None else text), ("lrc", lrc)):
        if content is not None:
            (folder / f"{song}.{suffix}").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(root: Path, text: str | bytes | None = None, lrc: str | bytes | None = LRC, song: str = "05_01") -> SongReading:
    """Write a song folder and read it."""
    return read_song(write(root, text, lrc, song), root)


def kinds(reading: SongReading) -> set[str]:
    """Return the kinds of anomalies."""
    return {anomaly.kind for anomaly in reading.anomalies}
