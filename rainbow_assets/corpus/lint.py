"""`rainbow lint`: all irregularities of a corpus, media files included, as text or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.media import AudioFacts, Facts, Media, named, read_facts
from rainbow_assets.corpus.model import Quarantined, Song
from rainbow_assets.corpus.overrides import load_overrides
from rainbow_assets.corpus.reader import read_corpus, stray_folders
from rainbow_assets.corpus.witnesses import judge
from rainbow_assets.ingest.anomalies import Anomaly
from rainbow_assets.ingest.names import shown
from rainbow_assets.layout import Lines, document, layout
from rainbow_assets.sound.container import UnreadableAudio
from rainbow_assets.sound.stems import examine
from rainbow_assets.text import counted

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

    def to_json(self) -> Lines:
        """Return the report as JSON; equal reports give equal text."""
        return document({
            "songs_found": self.songs + len(self.quarantined), "songs": self.songs,
            "quarantined": [{"song": q.song_id, "color": q.rainbow_color, "reason": q.reason, "message": q.message}
                            for q in self.quarantined],
            "counts": self.counts(), "anomalies": [{"song": a.of, **a.as_dict()} for a in self.anomalies],
        })

    def to_text(self) -> Lines:
        """Return one line per anomaly, errors first within a song, and a summary."""
        lines = []
        for a in sorted(self.anomalies, key=lambda a: (a.of, ORDER[a.severity], a)):
            lines.append(f"{a.severity:<7} {a.file}, {a.where}: {a.message}; {a.action} [{a.kind}]")
        counts = self.counts()
        lines.append(f"{counted(self.songs + len(self.quarantined), 'song')} found = {self.songs} usable + "
                     f"{len(self.quarantined)} "
                     f"quarantined; {counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}, "
                     f"{counted(counts['info'], 'note')}")
        return layout(lines)


def lint_report(root: Path) -> LintReport:
    """Read every song below ``root`` and probe every file that its manifest names."""
    found: list[Anomaly] = []
    readings = read_corpus(root)
    quarantined = []
    overrides = load_overrides(root)
    for reading in readings:
        media = _media(reading.song) if reading.song else {}
        judged, _ = judge(reading, media, overrides.of(reading.song_id).trusted)
        found += judged.anomalies
        found += _damaged(reading.song, media) if reading.song else []
        quarantined += [judged.quarantined] if judged.quarantined else []
    for folder in stray_folders(root):
        name = shown(folder.name)
        notes = AnomalyLog(name)
        notes.add("stray_folder", name, "folder", "the folder is not named <album>_<sequence>", "not read")
        found += notes.sorted()
    return LintReport(len(readings) - len(quarantined), tuple(quarantined), tuple(sorted(found)))


def lint(root: Path) -> list[Anomaly]:
    """Return every anomaly below ``root``, sorted."""
    return list(lint_report(root).anomalies)


def _media(song: Song) -> dict[str, Facts]:
    """Return the facts of every media file that the song names, as a build has them."""
    return {name: read_facts(song.folder / name) for name in named(song) if (song.folder / name).is_file()}


def _damaged(song: Song, media: Media) -> tuple[Anomaly, ...]:
    """Decode the audio files whose headers are whole, as a build does later, and report those that end in between."""
    notes = AnomalyLog(song.song_id)
    for name, where in named(song).items():
        if isinstance(media.get(name), AudioFacts):
            try:
                examine(song.folder / name)
            except UnreadableAudio as error:
                notes.add("unreadable_audio", f"{song.song_id}/{name}", where, str(error), "the file is not used")
    return notes.sorted()
