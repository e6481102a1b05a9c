"""Stand-in stems, mixes and MIDI for manifests without audio, so that the whole graph can run on real songs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rainbow_assets.corpus.model import Song, Track
from rainbow_assets.corpus.overrides import FILE, STAND_IN, overrides_text, parse_overrides
from rainbow_assets.corpus.reader import read_song, song_folders
from rainbow_assets.demo import midifile
from rainbow_assets.demo.stand_in_band import Player, player
from rainbow_assets.demo.stand_in_parts import Sheet, play, rests, sheet, song_length_ms
from rainbow_assets.demo.target import claim
from rainbow_assets.errors import RainbowError, UsageError
from rainbow_assets.ingest.paths import vet
from rainbow_assets.music.clock import FASTEST_BPM, SAMPLE_RATE, SLOWEST_BPM, Note
from rainbow_assets.sound import render

Progress = Callable[[str, int, int], None]
LONGEST_MS = 3_600_000
"""A text that gives a longer song has a wrong stamp."""


@dataclass(frozen=True, slots=True)
class StandinSong:
    """The stand-ins of one song; ``size`` is in bytes."""

    song_id: str
    seconds: float
    stems: int
    midi_files: int
    size: int


@dataclass(frozen=True, slots=True)
class StandinProblem:
    """A song, or one of its files, without a stand-in, and the cause."""

    song_id: str
    message: str


@dataclass(frozen=True, slots=True)
class StandinReport:
    """The songs with stand-ins, and the problems."""

    root: Path
    songs: tuple[StandinSong, ...]
    problems: tuple[StandinProblem, ...]

    def lines(self) -> list[str]:
        """Return a summary for a person."""
        stems, midi = sum(song.stems for song in self.songs), sum(song.midi_files for song in self.songs)
        size, minutes = sum(song.size for song in self.songs), sum(song.seconds for song in self.songs) / 60
        return [f"{len(self.songs)} songs with stand-in media: {stems} stems, {midi} MIDI files, {minutes:.1f} minutes "
                f"of music, {size / 1e6:.0f} MB in {self.root}",
                *(f"{problem.song_id}: {problem.message}" for problem in self.problems)]


def render_standins(
    source: Path, out: Path, songs: Sequence[str] | None = None, seed: int = 7, progress: Progress | None = None
) -> StandinReport:
    """Copy the texts of the songs in ``source`` to ``out`` unchanged, and render every media file that they name.

    ``songs`` selects song ids (None: all). ``progress(label, done, total)`` is called after each stem. If a song cannot
    be read, its texts are copied and the report has a problem. Every run writes the same bytes; songs of earlier runs
    stay in ``out``. Raises ``UsageError`` for an unknown song id and for a folder with other songs.
    """
    if not source.is_dir():
        raise UsageError(f"the folder {source} does not exist; name the folder with the song folders")
    if out.resolve() == source.resolve():
        raise UsageError(f"{out} is also the source; name another folder, so that nothing is overwritten")
    folders = {folder.name: folder for folder in song_folders(source)}
    unknown = sorted(set(songs or ()) - set(folders))
    if unknown:
        raise UsageError(f"{source} has no song {', '.join(unknown)}; it has {', '.join(folders) or 'no songs'}")
    chosen = sorted(set(songs)) if songs is not None else list(folders)
    claim(out, "stand-in media", chosen, replace=False)
    text = overrides_text(source)
    overrides = parse_overrides(text)
    head = "" if overrides.music else f'# A program made the sounds for these texts.\nmusic = "{STAND_IN}"\n\n'
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_text(head + text, "utf-8", newline="\n")
    readings = [read_song(folders[name], source, overrides) for name in chosen]
    total = sum(len(_stems(reading.song)) for reading in readings if reading.song)
    made: list[StandinSong] = []
    problems: list[StandinProblem] = []
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress:
            progress("stems", done, total)

    for reading in readings:
        _copy_texts(folders[reading.song_id], out / reading.song_id)
        song = reading.song
        refusal = _refusal(song) if song else reading.quarantined.message if reading.quarantined else "unreadable"
        if song is None or refusal:
            problems.append(StandinProblem(reading.song_id, f"no stand-ins: {refusal}"))
            continue
        try:
            made.append(_render(song, out / song.song_id, seed, problems, tick))
        except OSError as error:
            raise RainbowError(f"{song.song_id}: a stand-in cannot be written to {out} ({error.strerror}); "
                               "free some space or name another folder") from error
    return StandinReport(out, tuple(made), tuple(problems))


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.write_bytes(source.read_bytes())


def _copy_texts(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.suffix.lower() in (".yml", ".lrc") and not path.is_symlink():
            _copy(path, target / path.name)


def _refusal(song: Song) -> str | None:
    if not SLOWEST_BPM <= song.bpm <= FASTEST_BPM:
        return f"{song.bpm:g} beats per minute cannot be written as MIDI; correct bpm in {song.song_id}.yml"
    length = song_length_ms(song)
    if not 0 < length <= LONGEST_MS:
        return f"its text gives a length of {length / 1000:.0f} s; correct TRT, structure or the lyrics' stamps"
    return None


def _stems(song: Song) -> list[str]:
    """Return the audio files that the song names, each once, in the manifest's order."""
    return list(dict.fromkeys(track.audio_file for track in song.tracks if track.audio_file))


def _part_name(track: Track) -> str:
    """Return the name of a track's music: its WAV, which two tracks may share, else its number."""
    return track.audio_file or f"track {track.track_id}"


def _render(
    song: Song, folder: Path, seed: int, problems: list[StandinProblem], tick: Callable[[], None]
) -> StandinSong:
    paper = sheet(song, seed)
    players = {_part_name(track): player(track) for track in reversed(song.tracks)}
    resting = rests(paper, sorted(players))
    music = {name: play(paper, found, name, resting[name]) for name, found in sorted(players.items())}
    frames = paper.length_ms * SAMPLE_RATE // 1000
    mix = render.Mix(frames)
    written = []
    for name in _stems(song):
        sound = render.render_notes(music[name], paper.clock, players[name].timbre, frames)
        render.mute(sound, _quiet(paper, resting[name]))
        render.end_fade(sound)
        pcm = render.to_pcm(sound, players[name].peak)
        written.append(vet(folder, name))
        render.write_wav(written[-1], pcm)
        mix.add(pcm, players[name].pan)
        tick()
    if song.main_audio_file in _stems(song):
        problems.append(StandinProblem(song.song_id, f"no mix: {song.main_audio_file} is also the name of a stem"))
    elif song.main_audio_file:
        written.append(vet(folder, song.main_audio_file))
        mix.write(written[-1])
    midi = _write_midi(song, folder, paper, players, music)
    size = sum(path.stat().st_size for path in (*written, *midi))
    return StandinSong(song.song_id, paper.length_ms / 1000, len(_stems(song)), len(midi), size)


def _quiet(paper: Sheet, resting: set[int]) -> list[tuple[int, int]]:
    return [(paper.stretches[n].start_ms * SAMPLE_RATE // 1000, paper.stretches[n].end_ms * SAMPLE_RATE // 1000)
            for n in sorted(resting)]


def _write_midi(
    song: Song, folder: Path, paper: Sheet, players: dict[str, Player], music: dict[str, list[Note]]
) -> list[Path]:
    """Write each MIDI file that the song names once, with a track for every stem that names it."""
    files: dict[str, list[midifile.MidiPart]] = {}
    for track in song.tracks:
        name = _part_name(track)
        timbre = players[name].timbre
        part = midifile.MidiPart(track.description, music[name], timbre.program, timbre.drum)
        for file in dict.fromkeys((track.midi_file, track.midi_group_file)):
            if file:
                files.setdefault(file, []).append(part)
    for file, parts in files.items():
        midifile.write_midi(vet(folder, file), paper.clock, parts, paper.clock.ticks(paper.length_ms), song.key.label)
    return [vet(folder, file) for file in files]
