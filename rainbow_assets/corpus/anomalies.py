"""The closed list of irregularities that the corpus reader reports, with severity and meaning."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from rainbow_assets.door import TEXT_BYTES, read_file
from rainbow_assets.ingest.anomalies import Anomaly, Kinds

KINDS: Kinds = {
    "unreadable_manifest": ("error", "the manifest is missing, is not YAML, or is not safe to read"),
    "invalid_field": ("error", "a required field is missing or has the wrong type"),
    "missing_field": ("warning", "a field is missing; the song is used without it"),
    "wrong_type": ("warning", "a field has the wrong type; it was read as far as possible"),
    "unknown_field": ("info", "an unknown field; kept as it is"),
    "misspelled_field": ("warning", "a track field that is probably misspelled; kept, not used"),
    "placeholder": ("warning", "a field is still TK"),
    "comment_after_text": ("warning", "a comment right after a text without quotes, which may be a part of the text"),
    "unquoted_text": ("warning", "a text without quotes that other programs read as a number, a truth value or a date"),
    "cut_text": ("warning", "a text without quotes of which YAML takes a part for its own syntax"),
    "control_character": ("warning", "a text or file name with a character that commands a screen and is not shown"),
    "machine_path": ("warning", "a text with an absolute path of a person's machine; no release has one"),
    "unknown_color": ("error", "the color letter is not in the Rainbow Table"),
    "color_disagrees": ("warning", "the color is not that of the album number"),
    "id_disagrees": ("warning", "folder, file name, manifest_id or album_sequence disagree"),
    "suspicious_bpm": ("warning", "a tempo that is very slow or very fast"),
    "odd_time_signature": ("warning", "a time signature that is unusual or cannot be read"),
    "unreadable_key": ("warning", "the key is not a tonic and a mode"),
    "bad_stamp": ("error", "a time stamp that cannot be read"),
    "odd_stamp": ("warning", "a time stamp in an unusual form that could be read"),
    "section_reversed": ("warning", "a section ends at or before its start"),
    "section_gap": ("info", "time between two sections"),
    "section_overlap": ("warning", "two sections overlap"),
    "duplicate_section_name": ("info", "two sections have the same name; the name is not a key"),
    "trt_disagrees": ("warning", "TRT is not the end of the last section"),
    "trt_nonsense": ("error", "TRT is before the start of the last section"),
    "duplicate_track_id": ("error", "two tracks have the same id; the first is used"),
    "shared_audio_file": ("info", "two tracks use the same WAV"),
    "track_without_media": ("warning", "a track names neither audio nor MIDI"),
    "midi_only_track": ("info", "a track has MIDI but no audio; kept as MIDI-only rows"),
    "wrong_extension": ("warning", "a file name whose extension does not fit its field; not used"),
    "nonstandard_mix_name": ("info", "the mix is not called <id>_main.wav; the manifest's name is used"),
    "refused_path": ("error", "a file name that leads out of the song's folder; not used"),
    "missing_file": ("warning", "a file that the manifest names does not exist"),
    "renamed_file": ("warning", "a file's name differs in case, Unicode form or spaces from the one written; used"),
    "ambiguous_file": ("error", "two or more files fit a written name, and none exactly; none is used"),
    "no_media": ("warning", "none of the files that the manifest names exists"),
    "unreadable_audio": ("error", "an audio file that cannot be read"),
    "wrong_audio_header": ("warning", "an audio file holds another length than its header; what is there is read"),
    "unreadable_midi": ("error", "a MIDI file that cannot be read"),
    "repaired_midi": ("warning", "parts of a MIDI file were skipped or corrected; the rest is read"),
    "midi_without_tempo": ("info", "a MIDI file sets no tempo at its start; the manifest's bpm is used"),
    "midi_default_tempo": ("warning", "a MIDI file sets only the standard's 120 BPM; the manifest's bpm is used"),
    "length_disagrees": ("warning", "a file or a field gives the song another length than the others"),
    "short_stem": ("info", "a stem ends before the song"),
    "tempo_disagrees": ("warning", "the tempo of a MIDI file is not the manifest's"),
    "key_disagrees": ("warning", "the key signature of a MIDI file is not that of the manifest's key"),
    "start_disagrees": ("warning", "a sound was cut out of its program's time line at another place than the others"),
    "rates_differ": ("info", "the sounds of a song have different sample rates"),
    "equal_sounds": ("warning", "two files of a song have the same sound"),
    "fast_lyrics": ("warning", "a lyric line has more words than anyone sings in its time"),
    "contradiction": ("error", "two facts contradict each other; the song waits until a person has looked at it"),
    "stem_without_rows": ("warning", "no window of a stem has a row; the message counts its windows by reason"),
    "song_without_rows": ("warning", "no stem of a song has a row; the message counts its windows by reason"),
    "lyrics_disagree": ("warning", "the manifest's lyrics flag and the lyrics file disagree"),
    "unreadable_lyrics": ("error", "the lyrics file cannot be read"),
    "odd_encoding": ("warning", "a lyrics file that is not UTF-8"),
    "offset_tag": ("warning", "an offset tag asks for a shift of all stamps; not applied"),
    "stray_bracket": ("warning", "a bracket in the lyrics that is neither a stamp nor a tag; not part of the lyric"),
    "stray_text": ("warning", "a lyric line without a stamp; joined to the line before"),
    "singer_mark": ("warning", "lyric lines begin with a mark of who sings; not part of the lyric"),
    "odd_text": ("warning", "lyric lines have characters that are written as in HTML; read as these characters"),
    "equal_stamps": ("info", "two lyric lines have the same stamp"),
    "unsorted_stamps": ("warning", "a stamp is earlier than the one above it; lines are sorted by time"),
    "hour_offset": ("warning", "all stamps are after a whole hour of tape; the hours are subtracted"),
    "past_end": ("error", "a stamp is after the end of the song"),
    "timecode_frames": ("info", "the fractions of the stamps are SMPTE frames, not milliseconds"),
    "timecode_ambiguous": ("warning", "the unit of the stamps' fractions is uncertain"),
    "timecode_mixed": ("warning", "a stamp does not fit the unit of the others; read as milliseconds"),
    "odd_file": ("warning", "a link out of the song's folder, a pipe or device, or a name that is not UTF-8; not read"),
    "twin_names": ("warning", "file names that are one name on machines that ignore case or Unicode form"),
    "bug": ("error", "reading the song failed in a way that is a fault of this program; the song is quarantined"),
    "stray_folder": ("info", "a folder that is not named <album>_<sequence>"),
}
"""Kind -> (severity, meaning). Cards of releases and docs/corpus.md repeat the meanings."""


MOST_OF_A_KIND = 100
"""Anomalies of one kind that are kept of a song; of the others, the number is."""


class AnomalyLog:
    """Collects the anomalies of one song, and the sha256 of each of its files that was read."""

    def __init__(self, song: str) -> None:
        self.song = song
        self.found: list[Anomaly] = []
        self.read: dict[str, str] = {}
        self._counts = Counter[str]()

    def text_of(self, folder: Path, name: str) -> bytes:
        """Return the content of a text of the song, and record its digest.

        Raises ``RefusedFile``, and ``FileNotFoundError`` if there is no such file.
        """
        data = read_file(folder / name, TEXT_BYTES, folder)
        self.read[name] = hashlib.sha256(data).hexdigest()
        return data

    def add(self, kind: str, file: str, where: str, message: str, action: str) -> None:
        """Record one anomaly. ``kind`` must be in :data:`KINDS`; another one is a bug and raises ``KeyError``."""
        severity = KINDS[kind][0]
        self._counts[kind] += 1
        if self._counts[kind] <= MOST_OF_A_KIND:
            self.found.append(Anomaly(self.song, file, where, kind, severity, message, action))

    def sorted(self) -> tuple[Anomaly, ...]:
        """Return the anomalies in order, without duplicates."""
        more = [Anomaly(self.song, self.song, "folder", kind, KINDS[kind][0],
                        f"{count - MOST_OF_A_KIND:,} more of this kind",
                        "correct those that are named, and read the song again")
                for kind, count in self._counts.items() if count > MOST_OF_A_KIND]
        return tuple(sorted({*self.found, *more}))
