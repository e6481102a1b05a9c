"""The stems of a manifest, with vetted file names and unique ids."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.manifest import ManifestEntry, TrackEntry
from rainbow_assets.corpus.model import Track
from rainbow_assets.ingest.names import AmbiguousName, FileNames, has_ending, plain_form
from rainbow_assets.ingest.paths import RefusedPath

AUDIO, MIDI, LYRICS = (".wav", ".wave", ".flac"), (".mid", ".midi"), (".lrc", ".txt")
KNOWN = tuple(TrackEntry.model_fields)
ALIASES = {"audio": "audio_file", "midi": "midi_file", "desc": "description", "midigroup": "midi_group_file",
           "trackid": "id", "wavfile": "audio_file", "audiofiles": "audio_file", "midifiles": "midi_file"}


def meant(name: str) -> str | None:
    """Return the track field that a misspelled name most likely means (``midifile``, ``Audio_File``), or None."""
    plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    return ALIASES.get(plain) or next((known for known in KNOWN if known.replace("_", "") == plain), None)


def tracks(entry: ManifestEntry, files: FileNames, file: str, notes: AnomalyLog) -> tuple[Track, ...]:
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
        found[item.id] = _track(item, files, file, where, notes)
    _shared_audio(found, file, notes)
    return tuple(found.values())


def _track(item: TrackEntry, files: FileNames, file: str, where: str, notes: AnomalyLog) -> Track:
    audio = name_of(item.audio_file, files, file, f"{where}.audio_file", notes, AUDIO)
    midi = name_of(item.midi_file, files, file, f"{where}.midi_file", notes, MIDI)
    shared = name_of(item.midi_group_file, files, file, f"{where}.midi_group_file", notes, MIDI)
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
    name: str | None, files: FileNames, file: str, where: str, notes: AnomalyLog, endings: tuple[str, ...]
) -> str | None:
    """Return the vetted name of the file that ``name`` means; the name as written if there is no such file.

    Reports a file that is called differently. Reports and returns None if the name is unsafe or ambiguous, or that of
    another kind of file.
    """
    if name is None or not name.strip():
        return None
    try:
        found = files.find(name)
    except RefusedPath as error:
        notes.add("refused_path", file, where, str(error), "the file is not used")
        return None
    except AmbiguousName as error:
        notes.add("ambiguous_file", file, where, str(error), "none of them is used; write the name of one exactly")
        return None
    if not has_ending(found or name, endings):
        notes.add("wrong_extension", file, where, f"{name} does not end in {' or '.join(endings)}",
                  "the file is not used")
        return None
    if found is not None:
        report_renamed(name, found, file, where, notes)
    return found or name


def report_renamed(name: str, found: str, file: str, where: str, notes: AnomalyLog) -> None:
    """Report that the file which ``name`` means is called ``found``, if that is another name."""
    if found == PurePosixPath(name).as_posix() or plain_form(found) != plain_form(name):
        return
    same = unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", name)
    notes.add("renamed_file", file, where, f"the name is {name!r} and the file is {found!r}"
              f"{', with its accents in another Unicode form' if same else ''}", "the file is used; correct the name")
