"""What the media files of a song say of it: length, tempo, key, start. Read once per content, for plans and for lint.

A plan asks this of every file in each color, so the answers are cached by the digest of the file and by the version of
the code that reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainbow_assets.caches import read_cache, write_cache
from rainbow_assets.corpus.track_list import AUDIO
from rainbow_assets.ingest.names import has_ending
from rainbow_assets.ingest.unmoved import SourceMoved, unmoved
from rainbow_assets.lineage.codeversion import used_by

if TYPE_CHECKING:
    from rainbow_assets.music.midi_song import MidiSong
    from rainbow_assets.sound.stems import AudioInfo

STANDARD_BPM = 120.0
"""The tempo of a MIDI file that sets none, and the one that programs write where none was set."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """``ms``: length; ``rate`` in Hz; ``start_ms``: its start on the time line of its program, None if unsaid."""

    ms: int
    rate: int
    start_ms: int | None


@dataclass(frozen=True, slots=True)
class MidiFacts:
    """What a MIDI file says.

    ``ms``: when its last note ends by its own tempos, 120 BPM before the first. ``open_beats``: quarter notes up to
    there without a tempo that was set on purpose: before the first tempo event, or all of them if the only one is 120.
    ``tempos``: BPM of the tempo events, each once. ``accidentals``: sharps of its key signatures, flats negative.
    """

    ms: float
    open_beats: float
    tempos: tuple[float, ...]
    accidentals: tuple[int, ...]

    def length_ms(self, bpm: float) -> int:
        """Return when the last note ends if ``bpm`` is the tempo where the file sets none."""
        return round(self.ms + self.open_beats * 60_000 * (1 / bpm - 1 / STANDARD_BPM))


Facts = AudioFacts | MidiFacts


def read_facts(path: Path, data: bytes | None = None) -> Facts | None:
    """Return what a media file says; None if it cannot be read. ``data``: the content of a MIDI file, if known."""
    from rainbow_assets.music.midi_song import MidiSong, UnreadableMidi
    from rainbow_assets.sound.stems import UnreadableAudio, probe

    try:
        if has_ending(path.name, AUDIO):
            return audio_facts(probe(path))
        return midi_facts(MidiSong.load(path if data is None else data))
    except (UnreadableAudio, UnreadableMidi, FileNotFoundError):
        return None


def audio_facts(info: AudioInfo) -> AudioFacts:
    """Return what an audio file says by its header."""
    start = None if info.reference is None else round(info.reference * 1000 / info.sample_rate)
    return AudioFacts(info.frames * 1000 // info.sample_rate, info.sample_rate, start)


def midi_facts(song: MidiSong) -> MidiFacts:
    """Return what a MIDI file says that was loaded without a tempo."""
    end = max((note.off for note in song.notes), default=0)
    chosen = song.tempos if song.assumed_bpm is None else song.tempos[1:]
    tempos = tuple(sorted({round(60_000_000 / tempo, 3) for _, tempo in chosen}))
    open_ticks = end if set(tempos) <= {STANDARD_BPM} else min(end, chosen[0][0])
    accidentals = tuple(sorted({int.from_bytes(change.data[3:4], "big", signed=True) for change in song.key_changes}))
    return MidiFacts(song.ms_at(end), open_ticks / song.ticks_per_beat, tempos, accidentals)


class MediaFacts:
    """The facts of media files by the digest of their content, cached in a JSON file (None: not at all)."""

    def __init__(self, cache: Path | None) -> None:
        self.cache = cache
        self._key = used_by(read_facts).version if cache else ""
        known = read_cache(cache) if cache else {}
        facts = known.get("facts") if known.get("code") == self._key else None
        self._known: dict[str, Any] = facts if isinstance(facts, dict) else {}
        self._new = False

    def of(self, path: Path, sha256: str, same: Callable[[], bool]) -> Facts | None:
        """Return the facts of the file at ``path``, whose content has the digest ``sha256``; None if it cannot be read.

        ``same`` returns whether the file is still the one that was digested. Raises ``SourceMoved`` if it is not.
        """
        key = f"{sha256}{path.suffix.lower()}"
        try:
            return _thawed(self._known[key])
        except (KeyError, TypeError, AttributeError):
            pass
        found = read_facts(path, None if has_ending(path.name, AUDIO) else unmoved(path, sha256))
        if not same():
            raise SourceMoved(f"{path.parent.name}/{path.name}")
        self._known[key], self._new = asdict(found) if found else None, True
        return found

    def save(self) -> None:
        """Write the cache if something was read."""
        if self.cache and self._new:
            write_cache(self.cache, {"code": self._key, "facts": self._known})
            self._new = False


def _thawed(kept: dict[str, Any] | None) -> Facts | None:
    """Return the facts that a cache holds; raise ``TypeError`` or ``AttributeError`` for anything else."""
    if kept is None:
        return None
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                              for name, value in kept.items()}
    return MidiFacts(**values) if "tempos" in values else AudioFacts(**values)
