"""The closed list of irregularities that the corpus reader reports, with severity and meaning."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rainbow_assets.corpus.model import Anomaly, Severity

KINDS: dict[str, tuple[Severity, str]] = {
    "unreadable_manifest": ("error", "the manifest is missing, is not YAML, or is not safe to read"),
    "invalid_field": ("error", "a field that cannot be done without is missing or of the wrong type"),
    "missing_field": ("warning", "a field is missing; the song is used without it"),
    "wrong_type": ("warning", "a field has another type than it should; it was read as far as possible"),
    "unknown_field": ("info", "a field that is not known; kept as it is"),
    "misspelled_field": ("warning", "a track field that looks misspelled; kept, not used"),
    "placeholder": ("warning", "a field still says TK"),
    "unknown_color": ("error", "the color letter is not in the Rainbow Table"),
    "color_disagrees": ("warning", "the color is not that of the album number"),
    "id_disagrees": ("warning", "folder, file name, manifest_id or album_sequence disagree"),
    "suspicious_bpm": ("warning", "a tempo that is hardly a tempo"),
    "odd_time_signature": ("warning", "a time signature that cannot be right, or cannot be read"),
    "unreadable_key": ("warning", "the key is not a tonic and a mode"),
    "bad_stamp": ("error", "a time stamp that cannot be read"),
    "odd_stamp": ("warning", "a time stamp in an unusual form that could be read"),
    "section_reversed": ("warning", "a section ends at or before its start"),
    "section_gap": ("info", "time between two sections"),
    "section_overlap": ("warning", "two sections overlap"),
    "duplicate_section_name": ("info", "a section name stands twice; the name is not a key"),
    "trt_disagrees": ("warning", "TRT is not the end of the last section"),
    "trt_nonsense": ("error", "TRT lies before most of the song"),
    "duplicate_track_id": ("error", "two tracks have one id; the first is used"),
    "shared_audio_file": ("info", "one WAV under two track ids"),
    "track_without_media": ("warning", "a track names neither audio nor MIDI"),
    "midi_only_track": ("info", "a track has MIDI but no audio; kept as MIDI-only rows"),
    "wrong_extension": ("warning", "an audio field names no WAV, or a MIDI field no MIDI file"),
    "nonstandard_mix_name": ("info", "the mix is not called <id>_main.wav; the manifest's name counts"),
    "refused_path": ("error", "a file name that leaves the song's folder; not used"),
    "missing_file": ("warning", "a file that the manifest names is not there"),
    "no_media": ("warning", "none of the files that the manifest names is there"),
    "unreadable_audio": ("error", "an audio file that cannot be read"),
    "lyrics_disagree": ("warning", "the manifest's lyrics flag and the lyrics file disagree"),
    "unreadable_lyrics": ("error", "the lyrics file cannot be read"),
    "odd_encoding": ("warning", "a lyrics file that is not UTF-8"),
    "offset_tag": ("warning", "the lyrics ask for a shift of all stamps"),
    "stray_bracket": ("warning", "a bracket in the lyrics that is neither a stamp nor a tag; left out of the lyric"),
    "stray_text": ("warning", "a lyric line without a stamp; kept with the line before"),
    "equal_stamps": ("info", "two lyric lines have one stamp"),
    "unsorted_stamps": ("warning", "a stamp lies before the one above it; lines are sorted by time"),
    "hour_offset": ("warning", "all stamps start at a whole hour of tape; the hours are subtracted"),
    "past_end": ("error", "a stamp lies after the end of the song"),
    "timecode_frames": ("info", "the fraction of the stamps holds SMPTE frames, not milliseconds"),
    "timecode_ambiguous": ("warning", "how the fraction of the stamps is meant cannot be told for sure"),
    "timecode_mixed": ("warning", "a stamp does not fit the reading of the others; read as milliseconds"),
    "stray_folder": ("info", "a folder that is not named <album>_<sequence>"),
}
"""Name -> (severity where nothing says otherwise, meaning)."""


class Notes:
    """Gathers the anomalies of one song, and what was read of it: {path: sha256}."""

    def __init__(self, song: str) -> None:
        self.song = song
        self.found: list[Anomaly] = []
        self.read: dict[str, str] = {}

    def bytes_of(self, folder: Path, name: str) -> bytes:
        """Return the content of a file of the song, and remember its digest."""
        data = (folder / name).read_bytes()
        self.read[name] = hashlib.sha256(data).hexdigest()
        return data

    def add(self, kind: str, file: str, where: str, message: str, action: str) -> None:
        """Record one anomaly; ``kind`` must be in :data:`KINDS` (a ``KeyError`` is a slip of the program)."""
        self.found.append(Anomaly(self.song, file, where, kind, KINDS[kind][0], message, action))

    def sorted(self) -> tuple[Anomaly, ...]:
        """Return what was found, each thing once, in order."""
        return tuple(sorted(set(self.found)))


def kinds_table(anomalies: Iterable[Anomaly] | None = None) -> str:
    """Return a Markdown table of kinds: all of them, or with their number those that ``anomalies`` holds."""
    if anomalies is None:
        rows = [f"| `{kind}` | {severity} | {meaning} |" for kind, (severity, meaning) in KINDS.items()]
        return "\n".join(["| kind | severity | meaning |", "|---|---|---|", *rows])
    counts = Counter(anomaly.kind for anomaly in anomalies)
    rows = [f"| `{kind}` | {KINDS[kind][0]} | {counts[kind]} | {KINDS[kind][1]} |" for kind in KINDS if counts[kind]]
    return "\n".join(["| kind | severity | count | meaning |", "|---|---|---|---|", *rows])
