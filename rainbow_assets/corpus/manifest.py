"""The fields of a song's manifest with their types. A wrong value is reported and kept, never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rainbow_assets.corpus.anomalies import AnomalyLog


def _as_text(value: Any) -> Any:
    """Return numbers and booleans in a text field as they were most likely written; a missing text is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


def _as_stamp(value: Any) -> Any:
    """Return a stamp as text: ``[04:25.999]`` without quotes is a YAML list of one text."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], (str, int, float)):
        return f"[{value[0]}]"
    return _as_text(value)


def _as_list(value: Any) -> Any:
    """Return a list: empty if it is missing, a list of one for a single text."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str | None, BeforeValidator(lambda value: None if value is None else _as_text(value) or None)]
Stamp = Annotated[str, BeforeValidator(_as_stamp)]
Texts = Annotated[list[Text], BeforeValidator(_as_list)]
_OPEN = ConfigDict(extra="allow")


class SectionEntry(BaseModel):
    """One entry of `structure`, stamps as text."""

    model_config = _OPEN
    section_name: Text = ""
    start_time: Stamp
    end_time: Stamp
    description: Text = ""


class SoundsLike(BaseModel):
    """One entry of `sounds_like`."""

    model_config = _OPEN
    name: Text
    discogs_id: int | None = Field(None, ge=-2**63, le=2**63 - 1)


class TrackEntry(BaseModel):
    """One entry of `audio_tracks`. Number 0 is the main mix."""

    model_config = _OPEN
    id: int = Field(ge=1, le=9999)
    description: Text = ""
    audio_file: Name = None
    midi_file: Name = None
    midi_group_file: Name = None
    group: Name = None
    player: Name = None


class ManifestEntry(BaseModel):
    """The whole manifest. Fields that every song needs are required; the others have defaults.

    ``tempo`` is the time signature (``4/4``); beats per minute are ``bpm``. ``TRT`` is the total running time.
    """

    model_config = _OPEN
    manifest_id: Text
    rainbow_color: Text
    bpm: float = Field(gt=0, le=2000, allow_inf_nan=False)
    tempo: Text = ""
    key: Text = ""
    title: Text = ""
    release_date: Text = ""
    album_sequence: int | None = Field(None, ge=0, le=9999)
    main_audio_file: Name = None
    TRT: Stamp = ""
    vocals: bool = False
    lyrics: bool = False
    structure: Annotated[list[SectionEntry], BeforeValidator(_as_list)] = []
    mood: Texts = []
    genres: Texts = []
    sounds_like: Annotated[list[SoundsLike], BeforeValidator(_as_list)] = []
    lrc_file: Name = None
    concept: Text = ""
    audio_tracks: list[TrackEntry]


REQUIRED = ("manifest_id", "rainbow_color", "bpm", "audio_tracks")
EXPECTED = ("tempo", "key", "title", "release_date", "album_sequence", "main_audio_file", "TRT", "vocals", "lyrics",
            "structure", "mood", "genres", "sounds_like", "concept")
"""Fields that each manifest should have; a song is used without them, and the missing field is reported."""
LISTS = {"structure": "the section is left out", "sounds_like": "the artist is left out",
         "mood": "the word is left out",
         "genres": "the word is left out", "audio_tracks": "the track is left out"}
NEEDED = ("id", "start_time", "end_time", "name")
"""Fields that an item of a list must have."""


def validate(document: Any, file: str, notes: AnomalyLog) -> tuple[ManifestEntry | None, dict[str, Any]]:
    """Check ``document`` and report every wrong field. Return the entry (None if unusable) and what was left out.

    Only the wrong item of a list is left out. What was left out is keyed by its path, such as ``structure[3]``.
    """
    if not isinstance(document, dict):
        notes.add("invalid_field", file, "line 1", "the manifest is not a mapping of fields", "the song is quarantined")
        return None, {}
    fields = {str(key): value for key, value in document.items()}
    for name in EXPECTED:
        if fields.get(name) in (None, "", []):
            notes.add("missing_field", file, f"field {name}", f"{name} is missing or empty",
                      "the song is used without it")
    left_out: dict[str, Any] = {}
    try:
        return ManifestEntry.model_validate(fields), left_out
    except ValidationError as error:
        if not _leave_out(fields, error, file, notes, left_out):
            return None, left_out
        return ManifestEntry.model_validate(fields), left_out


def _leave_out(
    fields: dict[str, Any], error: ValidationError, file: str, notes: AnomalyLog, left_out: dict[str, Any]
) -> bool:
    """Remove the wrong values that a song does not need from ``fields``; return True if the song is still usable."""
    usable, items = True, dict[str, set[int]]()
    for problem in error.errors():
        path = problem["loc"]
        top, place = str(path[0]), path[1] if len(path) > 1 else None
        where = _path(path)
        message = f"{where}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
        if top in LISTS and isinstance(place, int):
            if len(path) > 2 and path[2] not in NEEDED:
                notes.add("wrong_type", file, f"field {where}", message, "the field is left empty")
                # Copies, because the document belongs to the caller.
                fields[top] = list(fields[top])
                fields[top][place] = dict(fields[top][place])
                left_out[_path(path[:3])] = fields[top][place].pop(path[2], None)
            else:
                notes.add("wrong_type", file, f"field {where}", message, LISTS[top])
                items.setdefault(top, set()).add(place)
        elif top in REQUIRED:
            notes.add("invalid_field", file, f"field {where}", message, "the song is quarantined")
            usable = False
        else:
            notes.add("wrong_type", file, f"field {where}", message, "the field is left empty")
            left_out[top] = fields.pop(top, None)
    # Items go last, all at once: the positions in the errors are those of the whole list.
    for top, places in items.items():
        left_out.update({f"{top}[{place}]": fields[top][place] for place in sorted(places)})
        fields[top] = [item for place, item in enumerate(fields[top]) if place not in places]
    return usable


def _path(location: tuple[int | str, ...]) -> str:
    """Return the location of an error as a path, such as ``audio_tracks[3].id``."""
    text = "".join(f"[{item}]" if isinstance(item, int) else f".{item}" for item in location)
    return text.removeprefix(".")


def placeholders(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all texts that are ``TK``, a printer's mark for "to come"."""
    if isinstance(value, str):
        if value.strip().strip("[]").strip() in ("TK", "tk", "Tk"):
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from placeholders(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from placeholders(item, f"{path}[{place}]")


def extras(entry: ManifestEntry) -> dict[str, Any]:
    """Return the fields that no model has, by path: ``mastered_by``, ``audio_tracks[2].midifile``."""
    found = dict(entry.model_extra or {})
    for name in ("structure", "sounds_like", "audio_tracks"):
        for place, item in enumerate(getattr(entry, name)):
            found.update({f"{name}[{place}].{key}": value for key, value in (item.model_extra or {}).items()})
    return found
