"""The vocabulary of the corpus: songs, tracks, sections, lyric lines, anomalies. Times are integer milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rainbow_assets.ingest.anomalies import Anomaly


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the manifest's ``structure``."""

    name: str
    start_ms: int
    end_ms: int
    description: str


@dataclass(frozen=True, slots=True)
class LyricLine:
    """One stamped line of the LRC; ``line_number`` is the 1-based line of its stamp in the file.

    ``words`` are (start_ms, words) of the stamps inside the line; empty if there are none.
    """

    start_ms: int
    text: str
    line_number: int
    words: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """One stem of the manifest. File names are relative to the song folder and have been vetted.

    ``midi_file`` is the stem's own MIDI, ``midi_group_file`` one that it shares with its ``group``.
    """

    track_id: int
    description: str
    audio_file: str | None = None
    midi_file: str | None = None
    midi_group_file: str | None = None
    group: str | None = None
    player: str | None = None

    @property
    def midi(self) -> str | None:
        """The MIDI file of this stem: its own, else its group's."""
        return self.midi_file or self.midi_group_file


@dataclass(frozen=True, slots=True)
class SongKey:
    """Tonic with its accidental (``Bb``, ``F#``, ``C``), mode (``major`` or ``minor``) and the raw text."""

    tonic: str | None
    mode: str | None
    raw: str

    @property
    def label(self) -> str | None:
        """``Bb minor``, or None if the text could not be read."""
        return f"{self.tonic} {self.mode}" if self.tonic and self.mode else None


@dataclass(frozen=True, slots=True)
class Timecode:
    """How the fraction field of a file's stamps is read.

    ``unit``: ``ms``, ``frames`` (``.FF`` in the millisecond field) or ``frames+subframe`` (``.FFS``); ``fps`` is
    None for ``ms``. ``evidence`` is a sentence; ``ambiguous`` means that a person should check; ``largest_shift_ms`` is
    the largest difference of a stamp from its plain millisecond reading; ``source`` is ``evidence`` or ``corpus.toml``.
    With ``drop_frame``, ``fps`` 30 means 29.97 fps drop-frame code. ``subframes`` is the number of steps per frame that
    the subframe digit counts.
    """

    unit: str
    fps: int | None
    evidence: str
    ambiguous: bool
    largest_shift_ms: int
    source: str = "evidence"
    drop_frame: bool = False
    subframes: int = 8


@dataclass(frozen=True, slots=True)
class Song:
    """A usable song: all facts of its manifest and lyrics, typed, with file names vetted."""

    song_id: str
    folder: Path
    title: str
    rainbow_color: str
    bpm: float
    time_signature: tuple[int, int] | None
    time_signature_raw: str
    key: SongKey
    release_date: str
    album_sequence: int
    main_audio_file: str | None
    total_ms: int
    """TRT of the manifest, converted by the time code."""
    end_ms: int
    """End of the song from its text alone, without measuring audio; see ``end.song_end``."""
    vocals: bool
    lyrics: bool
    sections: tuple[Section, ...]
    mood: tuple[str, ...]
    genres: tuple[str, ...]
    sounds_like: tuple[tuple[str, int | None], ...]
    concept: str
    tracks: tuple[Track, ...]
    lrc_file: str | None
    lrc_text: str | None
    lines: tuple[LyricLine, ...]
    manifest_timecode: Timecode
    lyrics_timecode: Timecode | None
    extra: dict[str, Any] = field(default_factory=dict)
    """Manifest fields that the model does not have, and values that were left out."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A song folder that cannot be used, with the reason (a kind of anomaly) and a sentence."""

    song_id: str
    rainbow_color: str | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class SongReading:
    """The result of reading one song folder: exactly one of ``song`` and ``quarantined`` is set."""

    song_id: str
    song: Song | None
    quarantined: Quarantined | None
    anomalies: tuple[Anomaly, ...]
    read: Mapping[str, str] = field(default_factory=dict)
    """Text file -> sha256 of the bytes that were read."""
