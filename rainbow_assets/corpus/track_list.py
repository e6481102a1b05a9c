"""The stems of a manifest, with vetted file names and unique ids."""

from __future__ import annotations

from pathlib import Path

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.manifest import ManifestEntry, TrackEntry
from rainbow_assets.corpus.model import Track
from rainbow_assets.ingest.paths import RefusedPath, vet

AUDIO, MIDI, LYRICS = (".wav", ".wave", ".flac"), (".mid", ".midi"), (".lrc", ".txt")
KNOWN = tuple(TrackEntry.model_fields)
ALIASES = {"audio": "audio_file", "midi": "midi_file", "desc": "description", "midigroup": "midi_group_file",
           "trackid": "id", "wavfile": "audio_file", "audiofiles": "audio_file", "midifiles": "midi_file"}


def meant(name: str) -> str | None:
    """Return the track field that a misspelled name most likely means (``midifile``, ``Audio_File``), or None."""
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return ALIASES.get(plain) or next((known for known in KNOWN if known.replace("_", "") == plain), None)


def tracks(entry: ManifestEntry, folder: Path, file: str, notes: AnomalyLog) -> tuple[Track, ...]:
    """Return the tracks in order, of two with the same id only the first. Reports unknown fields."""
    found: dict[int, Track] = {}
    for place, item in enumerate(entry.audio_tracks):
        where = f"field audio_tracks[{place}]"
        for name in sorted(item.model_extra or {}):
            if known := meant(name):
                notes.add("misspelled_field", file, f"{where}.{name}", f"{name} is probably {known}",
                          "kept, not used; rename the field")
            else:
                notes.add("unknown_field", file, f"{where}.{name}", f"{name} is not a field of a track",
                          "kept as it is")
        if item.id in found:
            notes.add("duplicate_track_id", file, f"{where}.id", f"track {item.id} occurs twice",
                      "only the first is used; give this one another id")
            continue
        found[item.id] = _track(item, folder, file, where, notes)
    _shared_audio(found, file, notes)
    return tuple(found.values())


def _track(item: TrackEntry, folder: Path, file: str, where: str, notes: AnomalyLog) -> Track:
    audio = name_of(item.audio_file, folder, file, f"{where}.audio_file", notes, AUDIO)
    midi = name_of(item.midi_file, folder, file, f"{where}.midi_file", notes, MIDI)
    shared = name_of(item.midi_group_file, folder, file, f"{where}.midi_group_file", notes, MIDI)
    if audio is None and (midi or shared):
        notes.add("midi_only_track", file, where, f"track {item.id} names no usable audio file",
                  "kept as MIDI-only rows")
    elif audio is None:
        notes.add("track_without_media", file, where, f"track {item.id} names no usable file",
                  "kept; it has no segments")
    return Track(item.id, item.description, audio, midi, shared, item.group, item.player)


def _shared_audio(found: dict[int, Track], file: str, notes: AnomalyLog) -> None:
    by_file: dict[str, list[str]] = {}
    for track in found.values():
        if track.audio_file:
            by_file.setdefault(track.audio_file, []).append(str(track.track_id))
    for name, ids in sorted(by_file.items()):
        if len(ids) > 1:
            notes.add("shared_audio_file", file, "field audio_tracks", f"{name} is used by tracks {', '.join(ids)}",
                      "each track has its own rows")


def name_of(
    name: str | None, folder: Path, file: str, where: str, notes: AnomalyLog, endings: tuple[str, ...]
) -> str | None:
    """Return the vetted file name; report and return None if it is unsafe or another kind of file."""
    if name is None or not name.strip():
        return None
    try:
        vet(folder, name)
    except RefusedPath as error:
        notes.add("refused_path", file, where, str(error), "the file is not used")
        return None
    if not name.lower().endswith(endings):
        notes.add("wrong_extension", file, where, f"{name} does not end in {' or '.join(endings)}",
                  "the file is not used")
        return None
    return name
