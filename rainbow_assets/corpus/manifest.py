"""A song's manifest with the types that its fields really have, and a report of everything that is off."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rainbow_assets.corpus.anomalies import Notes
from rainbow_assets.corpus.lrc import STAMP, RawStamp
from rainbow_assets.corpus.model import Key, Track
from rainbow_assets.corpus.paths import RefusedPath, vet

KEY = re.compile(r"^\s*([A-Ga-g])\s*(#|b|♯|♭|sharp|flat)?\s*[- ]?\s*(major|minor|maj|min)\s*$", re.IGNORECASE)
SIGNATURE = re.compile(r"^\s*(\d{1,3})\s*/\s*(\d{1,3})\s*$")
TYPOS = {"midifile": "midi_file", "audiofile": "audio_file", "midi_group": "midi_group_file", "audio": "audio_file",
         "midi": "midi_file", "desc": "description", "midi_files": "midi_file", "audio_files": "audio_file"}


class SectionEntry(BaseModel):
    """One entry of `structure`, stamps as text."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)
    section_name: str = ""
    start_time: str
    end_time: str
    description: str = ""


class SoundsLike(BaseModel):
    """One entry of `sounds_like`."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)
    name: str
    discogs_id: int | None = None


class TrackEntry(BaseModel):
    """One entry of `audio_tracks`."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)
    id: int = Field(ge=0, le=9999)
    description: str = ""
    audio_file: str | None = None
    midi_file: str | None = None
    midi_group_file: str | None = None
    group: str | None = None
    player: str | None = None


class ManifestEntry(BaseModel):
    """The manifest as a whole. What a song cannot do without is required; the rest has a default and is reported."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)
    manifest_id: str
    rainbow_color: str
    bpm: float = Field(gt=0, le=2000, allow_inf_nan=False)
    tempo: str = ""
    key: str = ""
    title: str = ""
    release_date: str = ""
    album_sequence: int = 0
    main_audio_file: str | None = None
    TRT: str = ""
    vocals: bool = False
    lyrics: bool = False
    structure: list[SectionEntry] = []
    mood: list[str] = []
    genres: list[str] = []
    sounds_like: list[SoundsLike] = []
    lrc_file: str | None = None
    concept: str = ""
    audio_tracks: list[TrackEntry]

    @field_validator("structure", "mood", "genres", "sounds_like", mode="before")
    @classmethod
    def _absent_is_empty(cls, value: Any) -> Any:
        return [] if value is None else value

    @field_validator("concept", "title", "tempo", "key", "TRT", "release_date", mode="before")
    @classmethod
    def _absent_is_blank(cls, value: Any) -> Any:
        return "" if value is None else value


@dataclass(frozen=True, slots=True)
class RawSection:
    """A section with its stamps still to be read by a time code; ``place`` is its index in the manifest."""

    place: int
    name: str
    start: RawStamp
    end: RawStamp
    description: str


def validate(document: Any, file: str, notes: Notes) -> ManifestEntry | None:
    """Check ``document`` against the model; report every field that is off; None where the song cannot be used."""
    if not isinstance(document, dict):
        notes.add("invalid_field", file, "line 1", "the manifest is not a mapping of fields", "the song is set aside")
        return None
    document = {str(key): value for key, value in document.items()}
    for _ in range(len(ManifestEntry.model_fields)):
        try:
            return ManifestEntry.model_validate(document)
        except ValidationError as error:
            document, usable = _without(document, error, file, notes)
            if not usable:
                return None
    return None


def _without(document: dict[str, Any], error: ValidationError, file: str, notes: Notes) -> tuple[dict[str, Any], bool]:
    """Report the wrong fields and leave out those that a song can do without."""
    required = {"manifest_id", "rainbow_color", "bpm", "audio_tracks"}
    usable = True
    kept = dict(document)
    for problem in error.errors():
        top, where = str(problem["loc"][0]), "field " + _path(problem["loc"])
        said = f"{where.removeprefix('field ')}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
        if top == "audio_tracks" and len(problem["loc"]) > 1 and isinstance(document.get(top), list):
            place = int(problem["loc"][1])
            notes.add("wrong_type", file, where, said, "the track is left out")
            kept[top] = [entry for n, entry in enumerate(document[top]) if n != place]
            return kept, True
        if top in required:
            notes.add("invalid_field", file, where, said, "the song is set aside")
            usable = False
        else:
            notes.add("wrong_type", file, where, said, "the field is left empty")
            kept.pop(top, None)
    return kept, usable


def _path(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{item}]" if isinstance(item, int) else f".{item}" for item in location)
    return text.removeprefix(".")


def parse_key(text: str) -> Key:
    """Read ``Bb minor``, ``F♯ Major``, ``C#min``; keep what cannot be read as raw text with no tonic."""
    match = KEY.match(unicodedata.normalize("NFC", text))
    if match is None:
        return Key(None, None, text)
    sign = {"♯": "#", "sharp": "#", "♭": "b", "flat": "b"}.get((match[2] or "").lower(), (match[2] or "").lower())
    return Key(match[1].upper() + sign, "major" if match[3].lower().startswith("maj") else "minor", text)


def parse_signature(text: str) -> tuple[int, int] | None:
    """Read ``7/8``; None where it is no fraction or has a zero."""
    match = SIGNATURE.match(text)
    if match is None or not int(match[1]) or not int(match[2]):
        return None
    return int(match[1]), int(match[2])


def parse_stamp(text: str, file: str, where: str, notes: Notes) -> RawStamp | None:
    """Read ``[MM:SS.mmm]`` (brackets may be missing); report and return None where it is no stamp."""
    body = text.strip()
    match = STAMP.fullmatch(body if body.startswith("[") else f"[{body}]")
    if match is None or int(match[2]) > 59:
        notes.add("bad_stamp", file, where, f"{text!r} is no time stamp", "not used; write [MM:SS.mmm]")
        return None
    return RawStamp(int(match[1]), int(match[2]), match[3] or "", 0)


def sections(entry: ManifestEntry, file: str, notes: Notes) -> list[RawSection]:
    """Return the sections whose stamps can be read."""
    found = []
    for place, item in enumerate(entry.structure):
        start = parse_stamp(item.start_time, file, f"field structure[{place}].start_time", notes)
        end = parse_stamp(item.end_time, file, f"field structure[{place}].end_time", notes)
        if start is not None and end is not None:
            found.append(RawSection(place, item.section_name, start, end, item.description))
    names = [section.name for section in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        notes.add("duplicate_section_name", file, "field structure", f"{name!r} stands {names.count(name)} times",
                  "both are kept; the name is not a key")
    return found


def tracks(entry: ManifestEntry, folder: Path, file: str, notes: Notes) -> tuple[Track, ...]:
    """Return the usable tracks, file names vetted; ids are unique."""
    found: dict[int, Track] = {}
    for place, item in enumerate(entry.audio_tracks):
        where = f"field audio_tracks[{place}]"
        _extras(item, file, where, notes)
        if item.id == 0:
            notes.add("invalid_field", file, f"{where}.id", "0 is the number of the main mix", "the track is left out")
            continue
        if item.id in found:
            notes.add("duplicate_track_id", file, f"{where}.id", f"track {item.id} stands twice",
                      "the first is used, this one is left out")
            continue
        audio = name_of(item.audio_file, folder, file, f"{where}.audio_file", notes, (".wav", ".wave", ".flac"))
        midi = name_of(item.midi_file, folder, file, f"{where}.midi_file", notes, (".mid", ".midi"))
        shared = name_of(item.midi_group_file, folder, file, f"{where}.midi_group_file", notes, (".mid", ".midi"))
        if audio is None:
            kind = "midi_only_track" if midi or shared else "track_without_media"
            notes.add(kind, file, where, f"track {item.id} names no usable audio file",
                      "kept as MIDI-only rows" if midi or shared else "kept; it gives no rows")
        found[item.id] = Track(item.id, item.description, audio, midi, shared, item.group, item.player)
    _shared_audio(found, file, notes)
    return tuple(found.values())


def _extras(item: TrackEntry, file: str, where: str, notes: Notes) -> None:
    for name in sorted(item.model_extra or {}):
        if name.lower() in TYPOS:
            notes.add("misspelled_field", file, f"{where}.{name}", f"{name} is probably {TYPOS[name.lower()]}",
                      "not used; rename the field")
        else:
            notes.add("unknown_field", file, f"{where}.{name}", f"{name} is not a field of a track", "reported, not used")


def _shared_audio(found: dict[int, Track], file: str, notes: Notes) -> None:
    by_file: dict[str, list[int]] = {}
    for track in found.values():
        if track.audio_file:
            by_file.setdefault(track.audio_file, []).append(track.track_id)
    for name, ids in sorted(by_file.items()):
        if len(ids) > 1:
            notes.add("shared_audio_file", file, "field audio_tracks", f"{name} is used by tracks "
                      f"{', '.join(map(str, ids))}", "each track gives rows of its own")


def name_of(
    name: str | None, folder: Path, file: str, where: str, notes: Notes, endings: tuple[str, ...]
) -> str | None:
    """Return the vetted file name; report and return None where it is refused or is another kind of file."""
    if name is None or not str(name).strip():
        return None
    try:
        vet(folder, name)
    except RefusedPath as error:
        notes.add("refused_path", file, where, str(error), "the file is not used")
        return None
    if not name.lower().endswith(endings):
        notes.add("wrong_extension", file, where, f"{name} does not end in {' or '.join(endings)}", "the file is not used")
        return None
    return name
