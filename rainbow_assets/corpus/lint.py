"""`rainbow lint`: all irregularities of a corpus, media files included, as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.media import Facts, audio_facts, midi_facts
from rainbow_assets.corpus.model import Quarantined, Song, SongReading
from rainbow_assets.corpus.overrides import load_overrides
from rainbow_assets.corpus.reader import read_corpus, stray_folders
from rainbow_assets.corpus.track_list import AUDIO
from rainbow_assets.corpus.witnesses import judge
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.ingest.names import has_ending
from rainbow_assets.music.midi_song import MidiSong, UnreadableMidi
from rainbow_assets.sound.stems import AudioInfo, UnreadableAudio, examine
from rainbow_assets.text import counted, some

ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class LintReport:
    """Number of usable songs, quarantined songs, and every anomaly, sorted by song, file and place."""

    songs: int
    quarantined: tuple[Quarantined, ...]
    anomalies: tuple[Anomaly, ...]

    def counts(self) -> dict[str, int]:
        """Return the number of anomalies by severity."""
        return {level: sum(a.severity == level for a in self.anomalies) for level in ORDER}

    def to_json(self) -> str:
        """Return the report as JSON; equal reports give equal text."""
        document = {
            "songs_found": self.songs + len(self.quarantined), "songs": self.songs,
            "quarantined": [{"song": q.song_id, "color": q.rainbow_color, "reason": q.reason, "message": q.message}
                            for q in self.quarantined],
            "counts": self.counts(), "anomalies": [{"song": a.of, **a.as_dict()} for a in self.anomalies],
        }
        return json.dumps(document, indent=1, ensure_ascii=False)

    def to_text(self) -> str:
        """Return one line per anomaly, errors first within a song, and a summary."""
        lines = []
        for a in sorted(self.anomalies, key=lambda a: (a.of, ORDER[a.severity], a)):
            lines.append(f"{a.severity:<7} {a.file}, {a.where}: {a.message}; {a.action} [{a.kind}]")
        counts = self.counts()
        lines.append(f"{counted(self.songs + len(self.quarantined), 'song')} found = {self.songs} usable + "
                     f"{len(self.quarantined)} "
                     f"quarantined; {counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}, "
                     f"{counted(counts['info'], 'note')}")
        return "\n".join(lines)


def lint_report(root: Path) -> LintReport:
    """Read every song below ``root`` and probe every file that its manifest names."""
    found: list[Anomaly] = []
    readings = read_corpus(root)
    quarantined = []
    overrides = load_overrides(root)
    for reading in readings:
        anomalies, media = look_at_media(reading)
        judged, _ = judge(reading, media, overrides.of(reading.song_id).trusted)
        found += [*anomalies, *judged.anomalies]
        quarantined += [judged.quarantined] if judged.quarantined else []
    for folder in stray_folders(root):
        notes = AnomalyLog(folder.name)
        notes.add("stray_folder", folder.name, "folder", "the folder is not named <album>_<sequence>", "not read")
        found += notes.found
    return LintReport(len(readings) - len(quarantined), tuple(quarantined), tuple(sorted(found)))


def lint(root: Path) -> list[Anomaly]:
    """Return every anomaly below ``root``, sorted."""
    return list(lint_report(root).anomalies)


def look_at_media(
    reading: SongReading, look: Callable[[Path], AudioInfo] = examine
) -> tuple[list[Anomaly], dict[str, Facts | None]]:
    """Open every media file of a song; return what is wrong, and what each file says of the song.

    ``look`` opens an audio file; ``probe`` costs less than ``examine``, and finds less, because it decodes nothing.
    There is an anomaly for each file that is missing or unreadable, or a single one if all are missing: a corpus of
    manifests alone would otherwise report thousands of them.
    """
    media: dict[str, Facts | None] = {}
    song = reading.song
    if song is None:
        return [], media
    notes, named = AnomalyLog(song.song_id), _named(song)
    present = {name for name in named if (song.folder / name).is_file()}
    if named and not present:
        notes.add("no_media", f"{song.song_id}/{song.song_id}.yml", "field audio_tracks",
                  f"none of the {len(named)} named files exists",
                  "the song has no segments; add the files, or render stand-ins: rainbow demo --stems-for")
        return notes.found, media
    for name, where in named.items():
        if name not in present:
            notes.add("missing_file", f"{song.song_id}/{name}", where, "the file does not exist",
                      "it is not used; add the file")
        elif has_ending(name, AUDIO):
            media[name] = _look_at_audio(song, name, where, notes, look)
        else:
            media[name] = _look_at_midi(song, name, where, notes)
    return notes.found, media


def _look_at_audio(
    song: Song, name: str, where: str, notes: AnomalyLog, look: Callable[[Path], AudioInfo]
) -> Facts | None:
    """Open an audio file as a build does, and report what that would report."""
    try:
        info = look(song.folder / name)
    except UnreadableAudio as error:
        notes.add("unreadable_audio", f"{song.song_id}/{name}", where, str(error), "the file is not used")
        return None
    for remark in info.remarks:
        notes.add("wrong_audio_header", f"{song.song_id}/{name}", where, remark, "export the file again to be sure")
    return audio_facts(info)


def _look_at_midi(song: Song, name: str, where: str, notes: AnomalyLog) -> Facts | None:
    """Open a MIDI file as a build does, and report what was skipped or corrected in it."""
    file = f"{song.song_id}/{name}"
    try:
        read = MidiSong.load(song.folder / name)
    except UnreadableMidi as error:
        notes.add("unreadable_midi", file, where, str(error), "the file is not used")
        return None
    if read.repairs:
        notes.add("repaired_midi", file, where, some(read.repairs, between="; "),
                  "the rest is read; export the file again to be sure")
    return midi_facts(read)


def _named(song: Song) -> dict[str, str]:
    """Return {file name: manifest field} of all media of the song."""
    named: dict[str, str] = {}
    if song.main_audio_file:
        named[song.main_audio_file] = "field main_audio_file"
    for track in song.tracks:
        for name in (track.audio_file, track.midi_file, track.midi_group_file):
            if name:
                named.setdefault(name, f"field audio_tracks, track {track.track_id}")
    return dict(sorted(named.items()))
