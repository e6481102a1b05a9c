"""What the media files of a song say of it, or why they cannot be read: one reading for plans, builds and lint.

A plan asks this of every file in each color, so the answers are cached by the digest of the file and by the version of
the code that reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.caches import read_cache, write_cache
from rainbow_assets.corpus.anomalies import AnomalyLog
from rainbow_assets.corpus.model import Song
from rainbow_assets.corpus.track_list import AUDIO
from rainbow_assets.door import RefusedFile, read_file
from rainbow_assets.ingest.names import has_ending
from rainbow_assets.ingest.unmoved import SourceMoved, unmoved
from rainbow_assets.lineage.codeversion import used_by
from rainbow_assets.music.midi_song import STANDARD_BPM, MidiSong, is_standard
from rainbow_assets.text import some

if TYPE_CHECKING:
    from rainbow_assets.sound.stems import AudioInfo


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reader's sentence on a file that it refuses."""

    sentence: str


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What an audio file says by its header and a few samples.

    ``ms``: length; ``rate`` in Hz; ``start_ms``: its start on the time line of the program that wrote it, None if the
    file has none. ``remarks``: what is wrong with the header. ``sample``: equal sounds have equal ones; empty if too
    little of the file sounds.
    """

    ms: int
    rate: int
    start_ms: int | None
    remarks: tuple[str, ...] = ()
    sample: str = ""


@dataclass(frozen=True, slots=True)
class MidiFacts:
    """What a MIDI file says.

    ``ms``: when its last note ends by its own tempos, 120 BPM before the first. ``open_beats``: quarter notes up to
    there without a tempo that was set on purpose: before the first tempo event, or all of them if the only one is 120.
    ``tempos``: BPM of the tempo events, each once; none if the file counts SMPTE frames. ``accidentals``: sharps of its
    key signatures, flats negative. ``remarks``: what was skipped or corrected. ``open_end``: the last note has no end
    of its own, because its key or pedal is never released.
    """

    ms: float
    open_beats: float
    tempos: tuple[float, ...]
    accidentals: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    open_end: bool = False

    def length_ms(self, bpm: float) -> int:
        """Return when the last note ends if ``bpm`` is the tempo where the file sets none."""
        return round(self.ms + self.open_beats * 60_000 * (1 / bpm - 1 / STANDARD_BPM))


Facts = AudioFacts | MidiFacts | Unreadable
Media = Mapping[str, Facts]
"""File name -> its facts; a file that is missing is not in it."""


def read_facts(path: Path, data: bytes | None = None) -> Facts:
    """Return what a media file says, an audio file by its header. ``data``: the content of a MIDI file, if known."""
    from rainbow_assets.music.midi_file import MIDI_BYTES, UnreadableMidi
    from rainbow_assets.sound.stems import UnreadableAudio, sampled

    try:
        if has_ending(path.name, AUDIO):
            return _audio(*sampled(path))
        return _midi(path.name, read_file(path, MIDI_BYTES) if data is None else data)
    except RefusedFile as error:
        return Unreadable(f"{path.name}: {error}")
    except (UnreadableAudio, UnreadableMidi) as error:
        return Unreadable(str(error))


def _audio(info: AudioInfo, sample: str) -> AudioFacts:
    start = None if info.reference is None else round(info.reference * 1000 / info.sample_rate)
    return AudioFacts(info.frames * 1000 // info.sample_rate, info.sample_rate, start, info.remarks, sample)


def _midi(name: str, data: bytes) -> MidiFacts:
    song = MidiSong.load(data, name=name)
    end = max((note.off for note in song.notes), default=0)
    chosen = song.tempos if song.assumed_bpm is None else song.tempos[1:]
    tempos = tuple(sorted({STANDARD_BPM if is_standard(tempo) else round(60_000_000 / tempo, 3)
                           for _, tempo in chosen}))
    open_ticks = end if set(tempos) <= {STANDARD_BPM} else min(end, chosen[0][0])
    if song.in_frames:  # its clock is no tempo
        tempos, open_ticks = (), 0
    accidentals = tuple(sorted({int.from_bytes(change.data[3:4], "big", signed=True) for change in song.key_changes}))
    remarks = (some(song.repairs, between="; "),) if song.repairs else ()
    return MidiFacts(song.ms_at(end), open_ticks / song.ticks_per_beat, tempos, accidentals, remarks,
                     song.sure_tick < end)


def named(song: Song) -> dict[str, str]:
    """Return {file name: manifest field} of all media of the song."""
    found: dict[str, str] = {}
    if song.main_audio_file:
        found[song.main_audio_file] = "field main_audio_file"
    for track in song.tracks:
        for name in (track.audio_file, track.midi_file, track.midi_group_file):
            if name:
                found.setdefault(name, f"field audio_tracks, track {track.track_id}")
    return dict(sorted(found.items()))


def report(song: Song, media: Media, notes: AnomalyLog) -> None:
    """Report each media file that is missing, unreadable or corrected; a single anomaly if all are missing.

    A corpus of manifests alone would otherwise report thousands of missing files.
    """
    files = named(song)
    if files and not files.keys() & media.keys():
        notes.add("no_media", f"{song.song_id}/{song.song_id}.yml", "field audio_tracks",
                  f"none of the {len(files)} named files exists",
                  "the song has no segments; add the files, or render stand-ins: rainbow demo --stems-for "
                  "SONGS --out COPY")
        return
    for name, where in files.items():
        file, facts, audio = f"{song.song_id}/{name}", media.get(name), has_ending(name, AUDIO)
        if facts is None:
            notes.add("missing_file", file, where, "the file does not exist", "it is not used; add the file")
        elif isinstance(facts, Unreadable):
            notes.add("unreadable_audio" if audio else "unreadable_midi", file, where, facts.sentence,
                      "the file is not used")
        else:
            for remark in facts.remarks:
                notes.add("wrong_audio_header" if audio else "repaired_midi", file, where, remark,
                          "the rest is read; export the file again to be sure")


class MediaFacts:
    """The facts of media files by the digest of their content, cached in a JSON file (None: not at all)."""

    def __init__(self, cache: Path | None) -> None:
        self.cache = cache
        self._key = used_by(read_facts).version if cache else ""
        known = read_cache(cache) if cache else {}
        facts = known.get("facts") if known.get("code") == self._key else None
        self._known: dict[str, Any] = facts if isinstance(facts, dict) else {}
        self._new = False

    def of(self, path: Path, sha256: str, same: Callable[[], bool]) -> Facts:
        """Return the facts of the file at ``path``, whose content has the digest ``sha256``.

        ``same`` returns whether the file is still the one that was digested. Raises ``SourceMoved`` if it is not.
        """
        key = f"{sha256} {path.name}"  # sentences begin with the name
        try:
            return _thawed(self._known[key])
        except (KeyError, TypeError, AttributeError):
            pass
        try:
            found = read_facts(path, None if has_ending(path.name, AUDIO) else unmoved(path, sha256))
        except FileNotFoundError:
            raise SourceMoved(f"{path.parent.name}/{path.name}") from None
        if not same():
            raise SourceMoved(f"{path.parent.name}/{path.name}")
        self._known[key], self._new = asdict(found), True
        return found

    def save(self) -> None:
        """Write the cache if something was read."""
        if self.cache and self._new:
            write_cache(self.cache, {"code": self._key, "facts": self._known})
            self._new = False


def _thawed(kept: dict[str, Any]) -> Facts:
    """Return the facts that a cache holds; raise ``TypeError`` or ``AttributeError`` for anything else."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                              for name, value in kept.items()}
    kind = Unreadable if "sentence" in values else MidiFacts if "tempos" in values else AudioFacts
    return kind(**values)
